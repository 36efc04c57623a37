/** Taking back what waits: either it never leaves the device, or the server has it and annuls it; nothing in between. */
import { beforeEach, describe, expect, test } from 'vitest';

import { FakeTimers, seeded } from './fakes';
import { uuid7 } from './nonce';
import { NO_OUTBOX, Outbox, waitingPeople, type Delivery, type Entry, type OutboxView, type Retraction } from './outbox';
import { MemoryStore } from './outbox_store';
import type { CheckInBatch } from './wire_check_ins';

const WALL = 1_770_000_000_000;
const network: Delivery = { kind: 'unavailable', why: 'network' };

let timers: FakeTimers;
let random: () => number;
let made: number;

beforeEach(() => {
  timers = new FakeTimers();
  random = seeded(3);
  made = 0;
});

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    timers.advance(250);
    for (let turn = 0; turn < 6; turn++) await new Promise((done) => setImmediate(done));
  }
}

function fact(): Omit<Entry, 'state' | 'result' | 'answered_ms'> {
  made += 1;
  const nonce = uuid7(WALL + made, Uint8Array.from({ length: 10 }, () => Math.floor(random() * 256)));
  const who = { type: 'attendee' as const, code: `A${made}` };
  const item = { nonce, point: 'P1', who, at_ms: WALL + timers.now(), kind: 'check_in' as const, offline: false };
  return { nonce, session: 'S1', item, key: nonce, person: { full_name: 'Lê Hoà' } };
}

/** A centre that may be out of reach, or hear everything and answer nothing. */
class Centre {
  line: 'up' | 'down' | 'deaf' = 'up';
  annul: Retraction = 'done';
  readonly stored = new Set<string>();
  readonly annulled = new Map<string, string>();
  view: OutboxView = NO_OUTBOX;
  readonly store = new MemoryStore();
  readonly outbox = new Outbox({
    store: this.store,
    send: async (_session, batch) => this.take(batch),
    annul: async (_session, nonce, reason) => {
      if (this.line !== 'up') return 'unavailable';
      expect(this.stored.has(nonce), 'annulled before it was there').toBe(true);
      if (this.annul === 'done') this.annulled.set(nonce, reason);
      return this.annul;
    },
    timers,
    random,
    nowMs: () => WALL + timers.now(),
    exclusive: (run) => run(),
    onView: (view) => (this.view = view),
  });

  private take({ items }: CheckInBatch): Delivery {
    if (this.line === 'down') return network;
    for (const { nonce } of items) this.stored.add(nonce);
    if (this.line === 'deaf') return network;
    return { kind: 'answered', results: items.map(({ nonce }) => ({ nonce, result: 'accepted' })), serverMs: WALL };
  }

  state(nonce: string): Entry | undefined {
    return this.view.recent.find((entry) => entry.nonce === nonce);
  }
}

describe('an entry that waits', () => {
  test('and was never sent is kept aside, and never goes', async () => {
    const centre = new Centre();
    centre.outbox.line(false, true);
    const [first, one] = [fact(), fact()];
    for (const each of [first, one]) await centre.outbox.add(each);
    await pass(30_000);
    expect(await centre.outbox.withdraw(one.nonce, 'nhầm')).toBe('withdrawn');
    expect(waitingPeople(centre.view, 'S1')).toBe(1);
    centre.outbox.line(false, false); // a network again, though the line is not known to be up
    await pass(1000);
    expect([...centre.stored]).toEqual([first.nonce]);
    expect(centre.state(one.nonce)).toMatchObject({ state: 'withdrawn', annulled: 'nhầm' });
  });

  test('and may have arrived is sent to the end, and then annulled', async () => {
    const centre = new Centre();
    centre.line = 'deaf';
    const one = fact();
    await centre.outbox.add(one);
    await pass(250);
    expect(await centre.outbox.withdraw(one.nonce, 'nhầm')).toBe('asked');
    expect(waitingPeople(centre.view, 'S1')).toBe(0);
    expect(centre.view.waiting).toHaveLength(1);
    centre.line = 'up';
    centre.outbox.wake();
    await pass(1000);
    expect(centre.annulled).toEqual(new Map([[one.nonce, 'nhầm']]));
    expect(centre.state(one.nonce)).toMatchObject({ state: 'sent', annulled: 'nhầm' });
    expect(centre.state(one.nonce)).not.toHaveProperty('withdraw');
  });

  test('whose annulment the server refuses stands, and says so', async () => {
    const centre = new Centre();
    centre.line = 'deaf';
    centre.annul = 'refused';
    const one = fact();
    await centre.outbox.add(one);
    await pass(250);
    await centre.outbox.withdraw(one.nonce, 'nhầm');
    centre.line = 'up';
    centre.outbox.wake();
    await pass(1000);
    expect(centre.state(one.nonce)).toMatchObject({ state: 'sent', annul_refused: true });
    expect(centre.state(one.nonce)).not.toHaveProperty('annulled');
  });

  test('and was answered meanwhile is for the ordinary annulment', async () => {
    const centre = new Centre();
    const one = fact();
    const { answer } = await centre.outbox.add(one);
    await answer;
    await pass(250);
    expect(await centre.outbox.withdraw(one.nonce, 'nhầm')).toBe('answered');
    expect(centre.state(one.nonce)).toMatchObject({ state: 'sent' });
  });

  test.each([1, 2, 3, 4, 5, 6])('is never sent half, in random histories (seed %i)', async (seed) => {
    random = seeded(seed);
    const centre = new Centre();
    const taken = new Set<string>();
    const all: string[] = [];
    for (let round = 0; round < 80; round++) {
      centre.line = (['up', 'down', 'deaf'] as const)[Math.floor(random() * 3)] ?? 'up';
      const one = fact();
      all.push(one.nonce);
      const adding = centre.outbox.add(one);
      if (random() < 0.5) await adding;
      const target = all.at(-1 - Math.floor(random() * 3)) ?? one.nonce;
      if (random() < 0.5 && (await centre.outbox.withdraw(target, 'nhầm')) !== 'answered') taken.add(target);
      if (random() < 0.5) await pass(500);
    }
    centre.line = 'up';
    centre.outbox.wake();
    await pass(60_000);
    for (const entry of await centre.store.all()) {
      const { nonce, state, annulled } = entry;
      expect(centre.stored.has(nonce), 'sent, or kept aside unsent').toBe(state === 'sent');
      expect(annulled !== undefined, 'taken back').toBe(taken.has(nonce));
      expect(centre.annulled.has(nonce), 'annulled at the centre').toBe(state === 'sent' && taken.has(nonce));
    }
    expect(taken.size).toBeGreaterThan(5);
  });
});
