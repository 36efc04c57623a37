/** The console of the centre: login, board, records. */
import { mount } from 'svelte';

import '../app.css';
import './console.css';
import App from './App.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('The page has no element with the id "app".');
mount(App, { target });
