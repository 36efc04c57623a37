/**
 * Runs the link of a device off the page: browsers slow down the timers of hidden pages, not those of workers.
 * One file for both kinds of worker: a shared one hears `connect`, a page's own hears `message`.
 */
import { LinkHost, type Order, type Show } from './link_host';
import { PointLink } from './point_link';
import { openSocket } from './socket';
import { systemTimers } from './timers';

/** The end that speaks to one page. */
interface Port {
  postMessage: (message: unknown) => void;
  onmessage: ((event: MessageEvent<Order>) => void) | null;
}

const boot = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('');
const host = new LinkHost(
  (url, token, onView) =>
    new PointLink({ open: () => openSocket(url), timers: systemTimers, random: Math.random, token, boot, onView }),
);

function serve(port: Port): void {
  const show: Show = (view) => port.postMessage(view);
  port.onmessage = ({ data }) => host.take(show, data);
}

if ('onconnect' in globalThis) addEventListener('connect', (event) => (event as MessageEvent).ports.forEach(serve));
else serve(globalThis as unknown as Port);
