/** The board's live state for one session and unit, as Svelte sees it: rows, feed of changes, freshness. */
import { path } from '../../core/api';
import { BoardFeed } from '../../core/board_feed';
import type { Phase } from '../../core/connection';
import { openSocket, socketUrl } from '../../core/socket';
import { systemTimers } from '../../core/timers';
import type { LiveRow, LiveTotals, SessionPointView, SessionState, SessionView } from '../../core/wire';
import { account, api, Loaded } from '../server.svelte';
import { tilesOf } from './arrange';
import { withChanges, type Entry } from './feed';

const TICK_MS = 1_000;

export class LiveBoard {
  readonly session = new Loaded<SessionView>();
  readonly points = new Loaded<{ items: SessionPointView[] }>();
  phase = $state.raw<Phase>({ name: 'connecting', since: 0 });
  state = $state<SessionState>('draft');
  totals = $state.raw<LiveTotals | null>(null);
  entries = $state.raw<readonly Entry[]>([]);
  /** The server's time now, and of what is shown; the delay of the latest frame. */
  now_ms = $state(Date.now());
  shown_ms = $state(0);
  delay_ms = $state(0);
  /** Grows whenever rows change. */
  private version = $state(0);
  private feed: BoardFeed | null = null;
  /** Rows as last drawn: the feed compares against them. */
  private known = new Map<string, LiveRow>();

  readonly views = $derived(new Map(this.points.data?.items.map((view) => [view.point, view])));
  readonly tiles = $derived.by(() => {
    void this.version;
    return tilesOf(this.points.data?.items ?? [], this.feed?.board.rows ?? new Map<string, LiveRow>());
  });
  readonly stale = $derived(this.phase.name !== 'ready');

  constructor(private readonly code: string) {
    this.load();
  }

  load(): void {
    void this.session.load(() => api.get(path('sessions', this.code)));
    void this.points.load(() => api.get(path('sessions', this.code, 'points')));
  }

  /** Follows `unit` ('' for all) until the returned function is called. */
  follow(unit: string): () => void {
    const feed = new BoardFeed({
      open: () => openSocket(socketUrl(location.origin, '/ws/v1/board')),
      timers: systemTimers,
      random: Math.random,
      session: this.code,
      unit: unit || null,
      onChange: () => this.take(feed),
      onPhase: (phase) => this.move(phase),
    });
    this.feed = feed;
    this.known = new Map();
    this.totals = null;
    feed.start();
    const tick = setInterval(() => this.tick(), TICK_MS);
    const back = (): void => feed.retryNow();
    addEventListener('online', back);
    return () => {
      clearInterval(tick);
      removeEventListener('online', back);
      feed.stop();
    };
  }

  private take(feed: BoardFeed): void {
    if (feed !== this.feed) return;
    const { rows, totals, state, serverMs } = feed.board;
    const changed: LiveRow[] = [];
    for (const row of rows.values()) if (this.known.get(row.point) !== row) changed.push(row);
    if (this.known.size > 0) this.entries = withChanges(this.entries, this.known, changed, this.views);
    this.known = new Map(rows);
    if (state !== this.state && this.totals) void this.session.load(() => api.get(path('sessions', this.code)));
    this.state = state;
    this.totals = totals;
    this.shown_ms = serverMs;
    this.delay_ms = Math.max(0, (feed.clock.now() ?? serverMs) - serverMs);
    this.version += 1;
    if (this.points.data && !this.points.loading && changed.some(({ point }) => !this.views.has(point))) this.load();
  }

  private move(phase: Phase): void {
    this.phase = phase;
    if (phase.name === 'closed' && phase.code !== 1000) void account.ask();
  }

  private tick(): void {
    this.now_ms = this.feed?.clock.now() ?? Date.now();
  }
}
