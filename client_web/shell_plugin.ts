/** Tells the operator's service worker which files its page needs (src/operator/sw.ts). */
import { createHash } from 'node:crypto';

import type { Plugin } from 'vite';

const WORKER = 'operator_sw.js';
const ENTRY = 'operator.html';

/** Scripts and styles that the entry leads to, and every file that is neither: fonts, pictures, WebAssembly. */
export function operatorShell(base: string): Plugin {
  return {
    name: 'diemcau-operator-shell',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((output) => output.type === 'chunk');
      const found = new Set<string>();
      const follow = (name: string): void => {
        const chunk = chunks.find(({ fileName }) => fileName === name);
        if (!chunk || found.has(name)) return;
        found.add(name);
        [...chunk.imports, ...chunk.dynamicImports].forEach(follow);
        chunk.viteMetadata?.importedCss.forEach((css) => found.add(css));
      };
      for (const { fileName, facadeModuleId } of chunks) if (facadeModuleId?.endsWith(ENTRY)) follow(fileName);
      const own = new Set(chunks.map(({ fileName }) => fileName));
      for (const name of Object.keys(bundle)) {
        // A worker's script is an asset to the page that starts it.
        const kept = name.endsWith('.js') ? !own.has(name) : /\.(woff2|wasm|svg|png)$/.test(name);
        if (kept) found.add(name);
      }
      const files = [...found].sort().map((name) => base + name);
      const worker = bundle[WORKER];
      if (worker?.type !== 'chunk') this.error(`${WORKER} was not built`);
      const version = createHash('sha256').update(files.join('\n')).digest('hex').slice(0, 12);
      worker.code = worker.code.replaceAll('__SHELL_VERSION__', JSON.stringify(version)).replaceAll('__SHELL__', JSON.stringify(files));
    },
  };
}
