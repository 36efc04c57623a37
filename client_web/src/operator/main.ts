/** The page of the person who looks after one hall. */
import { mount } from 'svelte';

import '../app.css';
import App from './App.svelte';
import { keepShell } from './shell';

const target = document.getElementById('app');
if (!target) throw new Error('The page has no element with the id "app".');
mount(App, { target });
keepShell();
