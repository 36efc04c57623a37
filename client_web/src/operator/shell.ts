/** Lets the operator's page open without a network: a service worker keeps its files (sw.ts). */

/** Needs HTTPS or localhost; elsewhere the page works as long as it stays open. */
export function keepShell(): void {
  navigator.serviceWorker?.register('/operator_sw.js', { scope: '/operator' }).catch(() => {});
}
