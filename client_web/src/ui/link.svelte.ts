/** The link of this page: its worker, and what the worker says, as state that Svelte follows. */
import type { Order } from '../core/link_host';
import { NO_VIEW, type LinkView } from '../core/point_link';
import { socketUrl } from '../core/socket';
import { systemTimers } from '../core/timers';

const TICK_MS = 250;

export class PageLink {
  view = $state.raw<LinkView>(NO_VIEW);
  /** The timers' clock, a few times a second: what counts seconds follows it. */
  now = $state(systemTimers.now());
  /** The server's time now; the device's own until the server was heard. */
  readonly serverMs = $derived(this.now + (this.view.offsetMs ?? 0));

  private readonly port: Worker | MessagePort;
  private readonly closing = new AbortController();

  constructor(private readonly token: string) {
    this.port = openWorker();
    this.port.onmessage = (event: MessageEvent<LinkView>) => (this.view = event.data);
    this.start();
    this.follow();
  }

  /** Takes the line back from another window, or tries a refused device again. */
  start(): void {
    this.tell({ do: 'start', url: socketUrl(location.origin, '/ws/v1/point'), token: this.token });
    this.seen();
  }

  /** What this device has not sent yet: the centre asks for it before it closes a session. */
  queue(queued: number, oldestMs: number | null): void {
    this.tell({ do: 'queue', depth: { queued, queued_oldest_ms: oldestMs } });
  }

  /** Says goodbye for all pages of this device. */
  leave(): void {
    this.closing.abort();
    this.tell({ do: 'leave' });
  }

  private follow(): void {
    const { signal } = this.closing;
    const tick = setInterval(() => (this.now = systemTimers.now()), TICK_MS);
    signal.addEventListener('abort', () => clearInterval(tick));
    addEventListener('online', () => this.tell({ do: 'wake' }), { signal });
    addEventListener('pageshow', ({ persisted }) => persisted && this.start(), { signal });
    document.addEventListener('visibilitychange', () => this.seen(), { signal });
    addEventListener('pagehide', () => this.tell({ do: 'gone' }), { signal });
  }

  private seen(): void {
    this.now = systemTimers.now();
    this.tell({ do: 'seen', hidden: document.hidden, phone: matchMedia('(pointer: coarse)').matches });
  }

  private tell(order: Order): void {
    this.port.postMessage(order);
  }
}

/** One for all pages of this device where the browser can (Chrome on Android cannot). */
function openWorker(): Worker | MessagePort {
  if ('SharedWorker' in globalThis)
    return new SharedWorker(new URL('../core/link_worker.ts', import.meta.url), { type: 'module' }).port;
  return new Worker(new URL('../core/link_worker.ts', import.meta.url), { type: 'module' });
}
