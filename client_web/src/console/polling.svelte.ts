/** Asking again now and then while somebody looks: figures on a page grow by themselves. */

/** Runs `ask` every `every_ms` while the page is in front, until the component goes. */
export function whileSeen(every_ms: number, ask: () => void): void {
  $effect(() => {
    const id = setInterval(() => document.visibilityState === 'visible' && ask(), every_ms);
    return () => clearInterval(id);
  });
}
