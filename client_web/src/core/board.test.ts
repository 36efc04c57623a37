/** I7: a board that follows snapshot + deltas equals a fresh snapshot. */
import { describe, expect, test } from 'vitest';

import { Board } from './board';
import { BoardFeed } from './board_feed';
import { FakeNetwork, FakeTimers, seeded } from './fakes';
import type { Delta, LinkState, LiveRow, LiveTotals, Resume, Snapshot } from './wire';

const LINKS: LinkState[] = ['expected', 'online', 'suspect', 'lost', 'unknown'];

/** A server as the protocol describes it: the latest row per point, each with the seq of its last change. */
class Source {
  epoch = 'e1';
  seq = 0;
  private readonly rows = new Map<string, { row: LiveRow; changed: number }>();
  private readonly gone = new Map<string, number>();

  constructor(private readonly random: () => number) {}

  private pick(below: number): number {
    return Math.floor(this.random() * below);
  }

  /** Something happens in some hall. */
  change(): void {
    const point = `P${this.pick(12)}`;
    this.seq++;
    if (this.random() < 0.15 && this.rows.delete(point)) {
      this.gone.set(point, this.seq);
      return;
    }
    const row: LiveRow = {
      point,
      link: LINKS[this.pick(LINKS.length)] ?? 'unknown',
      since_ms: this.seq,
      present: this.pick(70),
      invited: 70,
      rtt_band: 1,
      signal: 'unknown',
      signal_ms: null,
      headcount: null,
      needs: '',
      unlisted: 0,
    };
    this.rows.set(point, { row, changed: this.seq });
    this.gone.delete(point);
  }

  restart(): void {
    this.epoch += '+';
    this.seq = this.pick(5);
    for (const entry of this.rows.values()) entry.changed = 0;
    this.gone.clear();
  }

  get fresh(): LiveRow[] {
    return [...this.rows.values()].map(({ row }) => row).sort((a, b) => a.point.localeCompare(b.point));
  }

  get totals(): LiveTotals {
    const present = this.fresh.reduce((sum, row) => sum + row.present, 0);
    return { points: this.rows.size, present, invited: 70 * this.rows.size, silent_present: 0, links: {}, unlisted: 0 };
  }

  deltaFrom(from: number): Delta {
    const points = [...this.rows.values()].filter(({ changed }) => changed > from).map(({ row }) => row);
    const gone = [...this.gone].filter(([, at]) => at > from).map(([point]) => point);
    const { seq, totals } = this;
    return { type: 'delta', from_seq: from, seq, server_ms: seq, state: 'live', totals, points, gone };
  }

  snapshot(parts = 1 + this.pick(3)): Snapshot[] {
    const size = Math.ceil(this.fresh.length / parts);
    return Array.from({ length: parts }, (_, index) => ({
      type: 'snapshot',
      epoch: this.epoch,
      seq: this.seq,
      server_ms: this.seq,
      state: 'live',
      totals: this.totals,
      points: this.fresh.slice(index * size, (index + 1) * size),
      part: index + 1,
      parts,
    }));
  }

  /** What a reader gets who identifies with `resume`. */
  answer(resume: Resume | null): (Snapshot | Delta)[] {
    return resume?.epoch === this.epoch && resume.seq <= this.seq ? [this.deltaFrom(resume.seq)] : this.snapshot();
  }
}

const shown = (board: Board): LiveRow[] => [...board.rows.values()].sort((a, b) => a.point.localeCompare(b.point));

test.each(Array.from({ length: 60 }, (_, seed) => seed))('random history %i: what is shown is what is', (seed) => {
  const random = seeded(seed);
  const source = new Source(random);
  const board = new Board();
  let flushed = 0;
  const identify = (): void => {
    for (const frame of source.answer(board.resume)) expect(board.apply(frame).kind).not.toBe('gap');
    flushed = source.seq;
  };
  identify();
  for (let step = 0; step < 300; step++) {
    const what = random();
    if (what < 0.6) source.change();
    else if (what < 0.8) {
      const delta = source.deltaFrom(flushed);
      flushed = source.seq;
      const lost = random() < 0.2; // a slow reader
      if (!lost && board.apply(delta).kind === 'gap') identify();
    } else if (what < 0.95) identify();
    else {
      source.restart();
      identify();
    }
  }
  identify();
  expect(shown(board)).toEqual(source.fresh);
  expect(board.totals).toEqual(source.totals);
});

describe('one frame', () => {
  const source = new Source(seeded(7));
  for (let i = 0; i < 30; i++) source.change();

  test('half a snapshot is not shown', () => {
    const board = new Board();
    const [first, second] = source.snapshot(2);
    if (!first || !second) throw new Error('two parts');
    expect(board.apply(first)).toEqual({ kind: 'waiting' });
    expect(board.rows.size).toBe(0);
    expect(board.apply(second)).toEqual({ kind: 'snapshot' });
    expect(shown(board)).toEqual(source.fresh);
  });

  test('a snapshot with a missing part is asked for again', () => {
    const board = new Board();
    const [first, , third] = source.snapshot(3);
    if (!first || !third) throw new Error('three parts');
    board.apply(first);
    expect(board.apply(third)).toEqual({ kind: 'gap' });
    expect(board.resume).toBeNull();
  });

  test('a delta that does not join is not applied, and keeps what is shown', () => {
    const board = new Board();
    for (const part of source.snapshot(1)) board.apply(part);
    const before = shown(board);
    expect(board.apply({ ...source.deltaFrom(source.seq), from_seq: source.seq + 1, seq: source.seq + 2 })).toEqual({ kind: 'gap' });
    expect(shown(board)).toEqual(before);
  });

  test('a delta from before does not bring old figures back', () => {
    const board = new Board();
    const old = source.deltaFrom(0);
    source.change();
    for (const part of source.snapshot(1)) board.apply(part);
    expect(board.apply(old)).toEqual({ kind: 'waiting' });
    expect(shown(board)).toEqual(source.fresh);
  });
});

describe('the feed', () => {
  const hello = { type: 'hello', v: 1, heartbeat_ms: 10_000, server_ms: 5, epoch: 'n' };

  function watch(): { feed: BoardFeed; network: FakeNetwork; timers: FakeTimers; kinds: string[] } {
    const [network, timers, kinds] = [new FakeNetwork(), new FakeTimers(), [] as string[]];
    const feed = new BoardFeed({
      open: network.open,
      timers,
      random: () => 0.5,
      session: 'S1',
      unit: 'HN',
      onChange: ({ kind }) => kinds.push(kind),
      onPhase: () => {},
    });
    feed.start();
    network.last.says(hello);
    return { feed, network, timers, kinds };
  }

  test('a board that reconnects asks only for what it missed', () => {
    const source = new Source(seeded(3));
    source.change();
    const { network, timers } = watch();
    expect(network.last.sent).toEqual([{ type: 'identify', session: 'S1', unit: 'HN', resume: null }]);
    for (const part of source.snapshot()) network.last.says(part);
    network.last.ends();
    timers.advance(250);
    network.last.says(hello);
    expect(network.last.sent[0]).toMatchObject({ resume: { epoch: 'e1', seq: source.seq } });
  });

  test('a gap brings a snapshot, not a wrong figure', () => {
    const source = new Source(seeded(3));
    source.change();
    const { feed, network, kinds } = watch();
    for (const part of source.snapshot(1)) network.last.says(part);
    const from = source.seq;
    for (let i = 0; i < 5; i++) source.change();
    network.last.says({ ...source.deltaFrom(from + 2) });
    expect(network.sockets).toHaveLength(2);
    network.last.says(hello);
    expect(network.last.sent[0]).toMatchObject({ resume: null });
    for (const part of source.snapshot(2)) network.last.says(part);
    expect(shown(feed.board)).toEqual(source.fresh);
    expect(kinds).toEqual(['snapshot', 'snapshot']);
  });

  test('a quiet session is told from a dead line by asking', () => {
    const source = new Source(seeded(1));
    source.change();
    const { feed, network, timers } = watch();
    for (const part of source.snapshot(1)) network.last.says(part);
    timers.advance(10_000);
    expect(network.last.sent.slice(1)).toEqual([
      { type: 'identify', session: 'S1', unit: 'HN', resume: { epoch: 'e1', seq: source.seq } },
    ]);
    network.last.says(source.deltaFrom(source.seq));
    timers.advance(9999);
    expect([feed.staleMs(), network.sockets.length]).toEqual([0, 1]);
    timers.advance(5001);
    expect(feed.staleMs()).toBe(15_000);
    timers.advance(5000 + 250);
    expect(network.sockets).toHaveLength(2);
  });

  test('figures of a line that is down say how old they are', () => {
    const { feed, network, timers } = watch();
    expect(feed.staleMs()).toBeNull();
    for (const part of new Source(seeded(1)).snapshot(1)) network.last.says(part);
    timers.advance(3000);
    expect(feed.staleMs()).toBe(0);
    network.last.ends();
    timers.advance(2000);
    expect(feed.staleMs()).toBe(5000);
  });
});
