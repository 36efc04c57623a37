/** The queue against lines and servers that fail in every way they can: no fact is lost, none is dropped unanswered. */
import { beforeEach, describe, expect, test } from 'vitest';

import { FakeTimers, seeded } from './fakes';
import { uuid7 } from './nonce';
import { LIVE_MS, NO_OUTBOX, Outbox, type Delivery, type Entry, type OutboxStore, type OutboxView } from './outbox';
import { FallbackStore, MemoryStore } from './outbox_store';
import type { CheckInBatch, CheckInResult } from './wire_check_ins';

const WALL = 1_770_000_000_000;

let timers: FakeTimers;
let random: () => number;
let made: number;

beforeEach(() => {
  timers = new FakeTimers();
  random = seeded(1);
  made = 0;
});

/** Lets every promise that can go on go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((done) => setImmediate(done));
}

async function pass(ms: number, stepMs = 250): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    timers.advance(Math.min(stepMs, left));
    await settle();
  }
}

function fact(session = 'S1'): Omit<Entry, 'state' | 'result' | 'answered_ms'> {
  made += 1;
  const nonce = uuid7(WALL + made, Uint8Array.from({ length: 10 }, () => Math.floor(random() * 256)));
  const who = { type: 'badge' as const, token: 'A'.repeat(26) };
  const item = { nonce, point: 'P1', who, at_ms: WALL + timers.now(), kind: 'check_in' as const, offline: false };
  return { nonce, session, item, key: nonce, person: null };
}

type Send = (session: string, batch: CheckInBatch, timeoutMs: number) => Promise<Delivery>;

interface Page {
  outbox: Outbox;
  view: OutboxView;
}

/** Web locks: one at a time, in order. */
function lock(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const mine = last.then(run, run);
    last = mine.catch(() => {});
    return mine;
  };
}

function page(store: OutboxStore, send: Send, exclusive = lock()): Page {
  const opened: Page = { view: NO_OUTBOX } as Page;
  opened.outbox = new Outbox({
    store,
    send,
    annul: async () => 'done',
    timers,
    random,
    nowMs: () => WALL + timers.now(),
    exclusive,
    onView: (view) => (opened.view = view),
  });
  opened.outbox.start();
  return opened;
}

const accepted = ({ nonce }: { nonce: string }): CheckInResult => ({ nonce, result: 'accepted', counted: true });

/** A server that stores nonces once; what it stored is the truth that tests compare with. */
class FakeServer {
  readonly stored = new Map<string, { offline: boolean }>();
  requests: CheckInBatch[] = [];

  take(batch: CheckInBatch): Delivery {
    this.requests.push(batch);
    const results = batch.items.map((item): CheckInResult => {
      const replayed = this.stored.has(item.nonce);
      if (!replayed) this.stored.set(item.nonce, { offline: item.offline });
      return { ...accepted(item), replayed };
    });
    return { kind: 'answered', results, serverMs: WALL };
  }

  readonly send: Send = async (_session, batch) => this.take(batch);
}

const network: Delivery = { kind: 'unavailable', why: 'network' };
const nonces = (entries: Entry[]): string[] => entries.map(({ nonce }) => nonce);

describe('a fact', () => {
  test('is stored before it is first sent', async () => {
    const store = new MemoryStore();
    const inStore: number[] = [];
    const { outbox } = page(store, async (_session, batch) => {
      inStore.push((await store.all()).length);
      return { kind: 'answered', results: batch.items.map(accepted), serverMs: WALL };
    });
    await outbox.add(fact());
    await settle();
    expect(inStore).toEqual([1]);
  });

  test('leaves the queue with a definite answer, and its badge is not kept', async () => {
    const server = new FakeServer();
    const opened = page(new MemoryStore(), server.send);
    const { answer } = await opened.outbox.add(fact());
    expect(await answer).toMatchObject({ result: 'accepted' });
    await settle();
    expect(opened.view).toMatchObject({ waiting: [], refused: [], trouble: null });
    expect(opened.view.recent).toMatchObject([{ state: 'sent', item: { who: { token: '' } } }]);
    expect(server.requests[0]).toMatchObject({ device_ms: WALL + 1000, items: [{ offline: false }] });
  });

  test('without an answer within four seconds is an offline fact under the same nonce', async () => {
    const sent: CheckInBatch[] = [];
    const opened = page(new MemoryStore(), (_session, batch, timeoutMs) => {
      sent.push(batch);
      return new Promise((resolve) => timers.after(timeoutMs, () => resolve(network)));
    });
    const one = fact();
    const { answer } = await opened.outbox.add(one);
    await pass(LIVE_MS);
    expect(await answer).toBeNull();
    await pass(2000);
    expect(sent.map(({ items }) => [items[0]?.nonce, items[0]?.offline])).toEqual([
      [one.nonce, false],
      [one.nonce, true],
    ]);
  });

  test('made while the line is down is an offline fact from the start, and goes when the line is back', async () => {
    const server = new FakeServer();
    let up = false;
    const opened = page(new MemoryStore(), async (_session, batch) => (up ? server.take(batch) : network));
    opened.outbox.line(false);
    const { answer } = await opened.outbox.add(fact());
    expect(await answer).toBeNull();
    await pass(60_000, 5000);
    expect(opened.view).toMatchObject({ trouble: 'network', waiting: [{ item: { offline: true } }] });
    up = true;
    opened.outbox.line(true);
    await settle();
    expect([...server.stored.values()]).toEqual([{ offline: true }]);
    expect(opened.view.waiting).toEqual([]);
  });

  test('survives a page that dies in the middle of sending', async () => {
    const store = new MemoryStore();
    const server = new FakeServer();
    const dying = page(store, (_session, batch) => (server.take(batch), new Promise(() => {})));
    await dying.outbox.add(fact());
    dying.outbox.stop();
    const next = page(store, server.send);
    await settle();
    expect(server.stored.size).toBe(1);
    expect(server.requests).toHaveLength(2);
    expect(next.view.waiting).toEqual([]);
  });
});

describe('a server that will not take it now', () => {
  test.each([
    ['does not know the device', { kind: 'unavailable', why: 'token' }],
    ['is overloaded', { kind: 'unavailable', why: 'busy', retryAfterMs: 2000 }],
    ['answers with nothing about our items', { kind: 'answered', results: [], serverMs: WALL }],
    ['answers in words of a newer version', { kind: 'answered', results: [{ nonce: '', result: 'postponed' }], serverMs: WALL }],
  ] as [string, Delivery][])('%s: everything stays', async (_name, delivery) => {
    let asked = 0;
    const opened = page(new MemoryStore(), async () => (asked++, delivery));
    await opened.outbox.add(fact());
    await pass(60_000, 1000);
    expect(opened.view.waiting).toHaveLength(1);
    expect(asked).toBeGreaterThan(2);
    expect(asked).toBeLessThan(30);
  });

  test('is left in peace for as long as it asks, however many are scanned meanwhile', async () => {
    const askedAt: number[] = [];
    const opened = page(new MemoryStore(), async () => {
      askedAt.push(timers.now());
      return { kind: 'unavailable', why: 'busy', retryAfterMs: 10_000 };
    });
    for (let n = 0; n < 5; n++) {
      await opened.outbox.add(fact());
      await pass(1000);
    }
    expect(askedAt).toHaveLength(1);
    await pass(30_000);
    const gaps = askedAt.slice(1).map((at, n) => at - (askedAt[n] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(10_000);
  });
});

describe('a bad item', () => {
  const poisoned = (server: FakeServer, bad: Set<string>): Send => async (_session, batch) =>
    batch.items.some(({ nonce }) => bad.has(nonce))
      ? { kind: 'rejected', problem: { type: '', title: 'no', status: 400, code: 'malformed' } }
      : server.take(batch);

  test('that spoils its whole request stalls none of the rest', async () => {
    const server = new FakeServer();
    const bad = new Set<string>();
    const store = new MemoryStore();
    const facts = Array.from({ length: 150 }, () => fact());
    for (const at of [0, 77, 149]) bad.add(facts[at]?.nonce ?? '');
    const opened = page(store, poisoned(server, bad));
    opened.outbox.line(false);
    for (const one of facts) await opened.outbox.add(one);
    await pass(30_000);
    expect(server.stored.size).toBe(147);
    expect(opened.view.waiting).toEqual([]);
    expect(new Set(nonces(opened.view.refused))).toEqual(bad);
    expect(opened.view.refused[0]?.result).toMatchObject({ result: 'refused', reason: 'malformed' });
  });

  test('that is refused is kept aside whole, until a person sends it again or removes it', async () => {
    let answer: CheckInResult['result'] = 'refused';
    const opened = page(new MemoryStore(), async (_session, { items }) => ({
      kind: 'answered',
      results: items.map(({ nonce }) => ({ nonce, result: answer, reason: 'unknown_attendee' })),
      serverMs: WALL,
    }));
    const [one, other] = [fact(), fact()];
    await opened.outbox.add(one);
    await opened.outbox.add(other);
    await pass(60_000, 5000);
    expect(opened.view.refused).toMatchObject([{ item: { who: one.item.who } }, {}]);
    answer = 'accepted';
    await opened.outbox.retry(one.nonce);
    await settle();
    await opened.outbox.drop(other.nonce);
    expect(opened.view).toMatchObject({ waiting: [], refused: [], recent: [{ nonce: one.nonce, state: 'sent' }] });
  });

  test('only a refused entry can be removed by hand', async () => {
    const opened = page(new MemoryStore(), async () => network);
    const one = fact();
    await opened.outbox.add(one);
    await opened.outbox.drop(one.nonce);
    expect(nonces(opened.view.waiting)).toEqual([one.nonce]);
  });

  test('answered without its nonce, in its place, is that item', async () => {
    const opened = page(new MemoryStore(), async (_session, { items }) => ({
      kind: 'answered',
      results: items.map(() => ({ nonce: '', result: 'refused', reason: 'malformed' })),
      serverMs: WALL,
    }));
    await opened.outbox.add(fact());
    await settle();
    expect(opened.view.refused).toHaveLength(1);
  });
});

test('a session that is gone stalls no other session, and costs one request', async () => {
  const server = new FakeServer();
  let refusals = 0;
  const opened = page(new MemoryStore(), async (session, batch) => {
    if (session === 'S1') return server.take(batch);
    refusals++;
    return { kind: 'rejected', problem: { type: '', title: '', status: 404, code: 'not_found' } };
  });
  opened.outbox.line(false);
  for (let n = 0; n < 40; n++) await opened.outbox.add(fact(n % 2 ? 'S1' : 'GONE'));
  await pass(60_000, 5000);
  expect([server.stored.size, opened.view.refused.length, opened.view.waiting.length]).toEqual([20, 20, 0]);
  expect(refusals).toBeLessThan(20);
});

test('who stands at the door now does not wait behind the queue of a morning', async () => {
  const server = new FakeServer();
  let up = false;
  const opened = page(new MemoryStore(), async (_session, batch) => (up ? server.take(batch) : network));
  opened.outbox.line(false);
  for (let n = 0; n < 250; n++) await opened.outbox.add(fact());
  up = true;
  opened.outbox.line(true);
  const now = fact();
  await opened.outbox.add(now);
  await settle();
  const at = server.requests.findIndex(({ items }) => items.some(({ nonce }) => nonce === now.nonce));
  expect(at).toBeLessThan(2);
  await settle();
  expect(server.stored.size).toBe(251);
  expect(Math.max(...server.requests.map(({ items }) => items.length))).toBe(100);
});

test('a disk that is full loses nothing of this page, and the page says so', async () => {
  class Full extends MemoryStore {
    override async add(): Promise<void> {
      throw new DOMException('full', 'QuotaExceededError');
    }
  }
  const server = new FakeServer();
  const opened = page(new FallbackStore(new Full()), server.send);
  const { answer } = await opened.outbox.add(fact());
  expect(await answer).toMatchObject({ result: 'accepted' });
  await settle();
  expect(opened.view).toMatchObject({ durable: false, waiting: [] });
});

test('forgetting takes what was answered, never what waits or was refused', async () => {
  const server = new FakeServer();
  let up = true;
  const opened = page(new MemoryStore(), async (_session, batch) => (up ? server.take(batch) : network));
  await opened.outbox.add(fact());
  await settle();
  up = false;
  await opened.outbox.add(fact());
  await settle();
  await opened.outbox.forget();
  expect(opened.view.recent).toMatchObject([{ state: 'waiting' }]);
});

describe('whatever the line does', () => {
  /** Requests and answers that get lost, late, garbled or refused for a while, by chance. */
  function wild(server: FakeServer, trouble: () => boolean): Send {
    return (_session, batch) =>
      new Promise((resolve) => {
        const draw = trouble() ? random() : 1;
        const later = (delivery: Delivery): void => void timers.after(random() * 6000, () => resolve(delivery));
        if (draw < 0.2) later(network); // never arrived
        else if (draw < 0.4) later((server.take(batch), network)); // the acknowledgement was lost
        else if (draw < 0.5) later({ kind: 'unavailable', why: 'busy', retryAfterMs: 3000 });
        else if (draw < 0.55) later({ kind: 'unavailable', why: 'token' });
        else if (draw < 0.65) {
          const delivery = server.take(batch) as Extract<Delivery, { kind: 'answered' }>;
          later({ ...delivery, results: delivery.results.filter(() => random() < 0.5).reverse() });
        } else if (draw < 0.7) timers.after(random() * 20_000, () => server.take(batch)); // arrives after we gave up
        else later(server.take(batch));
        timers.after(30_000, () => resolve(network));
      });
  }

  test.each(Array.from({ length: 25 }, (_, seed) => seed + 1))(
    'every fact arrives, and leaves the queue only when answered (seed %i)',
    async (seed) => {
      random = seeded(seed);
      const server = new FakeServer();
      const store = new MemoryStore();
      let calm = false;
      const send = wild(server, () => !calm);
      // Odd seeds: pages without a lock between them, as where a browser has none.
      const exclusive = seed % 2 ? <T>(run: () => Promise<T>): Promise<T> => run() : lock();
      const pages = [page(store, send, exclusive), page(store, send, exclusive)];
      const scanned = new Set<string>();
      for (let round = 0; round < 60; round++) {
        const at = Math.floor(random() * 2);
        if (random() < 0.1) {
          pages[at]?.outbox.stop(); // reloaded, or the battery died
          pages[at] = page(store, send, exclusive);
        }
        if (random() < 0.2) pages[at]?.outbox.line(random() < 0.5);
        for (let n = Math.floor(random() * 4); n > 0; n--) {
          const one = fact();
          scanned.add(one.nonce);
          await pages[at]?.outbox.add(one);
        }
        await pass(random() * 5000, 1000);
        const held = new Map((await store.all()).map((entry) => [entry.nonce, entry]));
        for (const nonce of scanned) {
          const entry = held.get(nonce);
          expect(entry, 'a fact was lost').toBeDefined();
          if (entry?.state === 'sent') expect(server.stored.has(nonce), 'removed unanswered').toBe(true);
        }
      }
      calm = true;
      for (const opened of pages) opened.outbox.line(true);
      for (let n = 0; n < 60 && (await store.all()).some(({ state }) => state !== 'sent'); n++) await pass(5000, 2500);
      expect(nonces((await store.all()).filter(({ state }) => state === 'sent')).sort()).toEqual([...scanned].sort());
      expect([...server.stored.keys()].sort()).toEqual([...scanned].sort());
    },
  );
});
