/** Builds the three pages of the client into the server's static directory. */
import { fileURLToPath } from 'node:url';

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

import { operatorShell } from './shell_plugin.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const BASE = '/static/';

export default defineConfig({
  base: BASE,
  plugins: [svelte(), operatorShell(BASE)],
  resolve: { alias: { $i18n: here('../server/diemcau/i18n') } },
  build: {
    outDir: here('../server/diemcau/static'),
    emptyOutDir: true,
    manifest: 'manifest.json',
    // The server sends script-src 'self' and font-src 'self': nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        console: here('index.html'),
        operator: here('operator.html'),
        display: here('display.html'),
        operator_sw: here('src/operator/sw.ts'),
      },
      output: {
        // A service worker keeps its address: browsers ask there for the next version.
        entryFileNames: ({ name }) => (name === 'operator_sw' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: {
    fs: { allow: [here('.'), here('../server/diemcau/i18n')] },
    proxy: {
      '/api': 'http://127.0.0.1:8080',
      '/ws': { target: 'ws://127.0.0.1:8080', ws: true },
    },
  },
  test: { include: ['src/**/*.test.ts'] },
});
