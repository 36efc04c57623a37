/** Lets the operator's page open without a network: a service worker keeps its files (sw.ts). */

/**
 * Needs HTTPS or localhost; elsewhere the page works as long as it stays open. The scope is the whole site, because
 * a page's workers belong to it by their own address, below /static; it answers for the operator's page alone.
 */
export function keepShell(): void {
  navigator.serviceWorker?.register('/operator_sw.js', { scope: '/' }).catch(() => {});
}
