/** The link of this page: its worker, and what the worker says, as state that Svelte follows. */
import { NO_VIEW, type LinkView } from '../core/point_link';
import type { Order } from '../core/point_link_worker';
import { socketUrl } from '../core/socket';
import { systemTimers } from '../core/timers';

const TICK_MS = 250;

export class PageLink {
  view = $state.raw<LinkView>(NO_VIEW);
  /** The timers' clock, a few times a second: what counts seconds follows it. */
  now = $state(systemTimers.now());
  /** The server's time now; the device's own until the server was heard. */
  readonly serverMs = $derived(this.now + (this.view.offsetMs ?? 0));

  private readonly worker: Worker;
  private readonly closing = new AbortController();
  /** The page is being left: it becomes hidden next, and must not beat again. */
  private leaving = false;

  constructor(token: string) {
    this.worker = new Worker(new URL('../core/point_link_worker.ts', import.meta.url), { type: 'module' });
    this.worker.addEventListener('message', (event: MessageEvent<LinkView>) => (this.view = event.data));
    const url = socketUrl(location.origin, '/ws/v1/point');
    this.tell({ do: 'start', url, token, boot: randomBoot() });
    this.follow();
  }

  /** Says goodbye; the worker ends by itself once that is on its way. */
  leave(): void {
    this.closing.abort();
    this.tell({ do: 'leave' });
  }

  private follow(): void {
    const { signal } = this.closing;
    const tick = setInterval(() => (this.now = systemTimers.now()), TICK_MS);
    signal.addEventListener('abort', () => clearInterval(tick));
    addEventListener('online', () => this.tell({ do: 'wake' }), { signal });
    addEventListener('pagehide', () => this.hide(), { signal });
    addEventListener('pageshow', ({ persisted }) => persisted && this.show(), { signal });
    document.addEventListener('visibilitychange', () => this.seen(), { signal });
  }

  private hide(): void {
    this.leaving = true;
    this.tell({ do: 'away' });
  }

  private show(): void {
    this.leaving = false;
    this.tell({ do: 'wake' });
  }

  /** A phone that is put away falls silent at once; a laptop's hidden page goes on beating, and says that it is hidden. */
  private seen(): void {
    if (this.leaving) return;
    const { hidden } = document;
    this.now = systemTimers.now();
    if (hidden && matchMedia('(pointer: coarse)').matches) this.tell({ do: 'away' });
    else this.tell({ do: 'hidden', hidden });
    if (!hidden) this.tell({ do: 'wake' });
  }

  private tell(order: Order): void {
    this.worker.postMessage(order);
  }
}

/** `crypto.randomUUID` exists only under HTTPS. */
function randomBoot(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
