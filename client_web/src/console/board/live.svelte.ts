/** The board's live state for one session and unit, as Svelte sees it: rows, feed of changes, freshness. */
import { path } from '../../core/api';
import { BoardFeed } from '../../core/board_feed';
import type { Phase } from '../../core/connection';
import { openSocket, socketUrl } from '../../core/socket';
import { systemTimers } from '../../core/timers';
import type { LiveRow, LiveTotals, SessionPointView, SessionState, SessionView } from '../../core/wire';
import { account, api, Loaded } from '../server.svelte';
import { tilesOf } from './arrange';
import { Delay } from './delay';
import { firstEntries, withChanges, type Entry } from './feed';

const TICK_MS = 1_000;
/** A board that is not there after this long says why. */
const PATIENCE_MS = 5_000;

export class LiveBoard {
  readonly session = new Loaded<SessionView>();
  readonly points = new Loaded<{ items: SessionPointView[] }>();
  phase = $state.raw<Phase>({ name: 'connecting', since: 0 });
  state = $state<SessionState>('draft');
  totals = $state.raw<LiveTotals | null>(null);
  entries = $state.raw<readonly Entry[]>([]);
  /** The server's time now, and of the last moment at which what is shown was known to be so. */
  now_ms = $state(Date.now());
  shown_ms = $state(0);
  delay_ms = $state(0);
  /** How long connecting has taken so far. */
  private tried_ms = $state(0);
  private rows = $state.raw<ReadonlyMap<string, LiveRow>>(new Map());
  private silent = $state(false);
  private readonly delay = new Delay();
  private feed: BoardFeed | null = null;

  readonly views = $derived(new Map(this.points.data?.items.map((view) => [view.point, view])));
  readonly tiles = $derived(tilesOf(this.points.data?.items ?? [], this.rows));
  readonly stale = $derived(this.phase.name !== 'ready' || this.silent);

  /** The board has not come up for a while. */
  readonly silentStart = $derived(
    this.totals === null && this.phase.name === 'connecting' && this.tried_ms > PATIENCE_MS,
  );

  constructor(private readonly code: string) {
    this.load();
  }

  load(): void {
    void this.session.load(() => api.get(path('sessions', this.code)));
    // Rows may come before the points they belong to.
    void this.points.load(() => api.get(path('sessions', this.code, 'points'))).then(() => {
      if (this.entries.length === 0) this.entries = firstEntries(this.rows.values(), this.views);
    });
  }

  /** Follows `unit` ('' for all) until the returned function is called. */
  follow(unit: string): () => void {
    this.rows = new Map();
    this.totals = null;
    this.connect(unit);
    void this.measure();
    const tick = setInterval(() => this.tick(), TICK_MS);
    const back = (): void => this.feed?.retryNow();
    addEventListener('online', back);
    return () => {
      clearInterval(tick);
      removeEventListener('online', back);
      this.feed?.stop();
    };
  }

  private connect(unit: string): void {
    const feed: BoardFeed = new BoardFeed({
      open: () => openSocket(socketUrl(location.origin, '/ws/v1/board')),
      timers: systemTimers,
      random: Math.random,
      session: this.code,
      unit: unit || null,
      onChange: () => this.feed === feed && this.take(feed),
      onPhase: (phase) => this.feed === feed && this.move(phase),
    });
    this.feed = feed;
    feed.start();
  }

  private take(feed: BoardFeed): void {
    const { rows, totals, state, serverMs } = feed.board;
    const changed = [...rows.values()].filter((row) => this.rows.get(row.point) !== row);
    const first = this.rows.size === 0;
    this.entries = first
      ? firstEntries(rows.values(), this.views)
      : withChanges(this.entries, this.rows, changed, this.views);
    if (this.totals && state !== this.state) void this.session.load(() => api.get(path('sessions', this.code)));
    this.rows = new Map(rows);
    this.state = state;
    this.totals = totals;
    this.delay_ms = this.delay.heard(performance.now(), serverMs);
    this.shown_ms = serverMs;
    this.silent = false;
    if (this.points.data && !this.points.loading && changed.some(({ point }) => !this.views.has(point))) this.load();
  }

  private move(phase: Phase): void {
    this.phase = phase;
    if (phase.name === 'closed' && phase.code !== 1000) void account.ask();
  }

  private tick(): void {
    this.now_ms = this.feed?.clock.now() ?? Date.now();
    this.tried_ms = this.phase.name === 'connecting' ? performance.now() - this.phase.since : 0;
    this.silent = (this.feed?.staleMs() ?? 0) > 0;
  }

  /** How long a request and its answer take: half of it is what every frame was on its way at least. */
  private async measure(): Promise<void> {
    const begun = performance.now();
    const answered = await fetch('/healthz', { cache: 'no-store' }).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) this.delay.measured(performance.now() - begun);
  }
}
