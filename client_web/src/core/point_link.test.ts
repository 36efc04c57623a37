import { beforeEach, describe, expect, test } from 'vitest';

import { FakeNetwork, FakeTimers } from './fakes';
import { NO_VIEW, PointLink, type LinkView } from './point_link';
import { CLOSE } from './protocol';

const SERVER_MS = 1_770_000_000_000;
const HELLO = { type: 'hello', v: 1, heartbeat_ms: 10_000, server_ms: SERVER_MS, epoch: 'e' };
const SESSION = { code: 'S1', title: 'Buổi sáng', state: 'open', starts_ms: 1, ends_ms: 2 };
const WELCOME = { type: 'welcome', sid: 's', point: 'P1', point_name: 'Hội trường', session: SESSION, present: 3, invited: 58 };

let timers: FakeTimers;
let network: FakeNetwork;
let view: LinkView;
let link: PointLink;

/** Chance is one half: the first beat comes after half an interval, waits are half as long as they can be. */
beforeEach(() => {
  timers = new FakeTimers();
  network = new FakeNetwork();
  view = NO_VIEW;
  link = new PointLink({
    open: network.open,
    timers,
    random: () => 0.5,
    token: 'dcd_token',
    boot: 'b1',
    onView: (next) => (view = next),
  });
  link.start();
});

function greet(): void {
  network.last.says(HELLO);
  network.last.says(WELCOME);
}

const beats = (): Record<string, unknown>[] => network.last.sent.filter(({ type }) => type === 'beat');

/** Lets `ms` pass and answers the newest beat, unless it was answered before. */
function answer(ms: number): void {
  timers.advance(ms);
  const beat = beats().at(-1);
  network.last.says({ type: 'beat_ack', seq: beat?.['seq'], server_ms: SERVER_MS + 7000 });
}

test('a hall is shown with its session and figures as soon as it is welcomed', () => {
  greet();
  expect(network.last.sent[0]).toEqual({ type: 'identify', v: 1, token: 'dcd_token', boot: 'b1' });
  expect(view).toMatchObject({ line: 'online', session: SESSION, present: 3, invited: 58, unlisted: 0, welcomes: 1 });
  expect(view.point).toEqual({ point: 'P1', point_name: 'Hội trường' });
  network.last.says({ type: 'count', present: 4, invited: 58, unlisted: 2 });
  network.last.says({ type: 'session', session: { ...SESSION, state: 'live' } });
  expect(view).toMatchObject({ present: 4, unlisted: 2, session: { state: 'live' } });
});

describe('beats', () => {
  test('tell what waits on this device, once that is known: before, nothing rather than zero', () => {
    greet();
    timers.advance(5000);
    expect(beats()[0]).toMatchObject({ queued: null, queued_oldest_ms: null });
    link.setQueue({ queued: 3, queued_oldest_ms: SERVER_MS });
    answer(20);
    timers.advance(10_000);
    expect(beats()[1]).toMatchObject({ queued: 3, queued_oldest_ms: SERVER_MS });
  });

  test('begin at a random moment of the first interval, then come every interval', () => {
    greet();
    timers.advance(4999);
    expect(beats()).toHaveLength(0);
    timers.advance(1);
    expect(beats()).toHaveLength(1);
    answer(40);
    timers.advance(9959);
    expect(beats()).toHaveLength(1);
    timers.advance(1);
    expect(beats()).toHaveLength(2);
  });

  test('carry the round trip of the one before, and the server’s own time', () => {
    greet();
    timers.advance(5000);
    const queue = { queued: null, queued_oldest_ms: null };
    expect(beats()[0]).toEqual({ type: 'beat', seq: 1, sent_ms: SERVER_MS + 5000, rtt_ms: null, hidden: false, ...queue });
    answer(42);
    timers.advance(10_000);
    expect(beats()[1]).toMatchObject({ seq: 2, rtt_ms: 42 });
    expect(view.rttMs).toBe(42);
  });

  test('say at once that the page is hidden, and go on', () => {
    greet();
    link.setHidden(true);
    expect(beats()).toMatchObject([{ hidden: true }]);
    timers.advance(10_000);
    expect(beats()).toHaveLength(2);
  });

  test('stop with the line and start anew with the next', () => {
    greet();
    timers.advance(5000);
    network.last.ends();
    timers.advance(250);
    greet();
    timers.advance(4999);
    expect(beats()).toHaveLength(0);
    timers.advance(1);
    expect(beats()).toHaveLength(1);
  });
});

describe('what the operator is told', () => {
  test('a slow answer is a faltering line; it is well again after half a clean minute', () => {
    greet();
    timers.advance(5000);
    answer(1001);
    expect(view.line).toBe('degraded');
    for (let second = 0; second < 29; second++) {
      answer(1000);
    }
    expect(view.line).toBe('degraded');
    timers.advance(1000);
    expect(view.line).toBe('online');
  });

  test('an answer that does not come is trouble before the line is given up', () => {
    greet();
    timers.advance(5000 + 4999);
    expect(view.line).toBe('online');
    timers.advance(1);
    expect(view.line).toBe('degraded');
    timers.advance(10_000);
    expect(view.line).toBe('lost');
  });

  test('a lost line keeps the hall and its figures on the page, and counts from the loss', () => {
    greet();
    timers.advance(1000);
    const lostAt = timers.now();
    network.last.ends();
    expect(view).toMatchObject({ line: 'lost', lostSince: lostAt, present: 3, point: { point: 'P1' }, rttMs: null });
    timers.advance(250);
    network.last.ends();
    expect(view.lostSince).toBe(lostAt);
    timers.advance(500);
    greet();
    expect(view).toMatchObject({ line: 'online', lostSince: null, welcomes: 2 });
  });

  test('a line that never came up is not called lost', () => {
    network.last.ends();
    expect(view.line).toBe('connecting');
  });

  test('a revoked device is told so', () => {
    greet();
    network.last.ends(CLOSE.REVOKED);
    expect(view).toMatchObject({ line: 'closed', closeCode: CLOSE.REVOKED });
  });
});

test('the network that came back is used at once, and a line that holds is asked', () => {
  greet();
  link.wake();
  expect(beats()).toHaveLength(1);
  network.last.ends();
  link.wake();
  expect(network.sockets).toHaveLength(2);
});

test('leaving is said, and is not a loss', () => {
  greet();
  link.away();
  link.leave();
  expect(network.last.sent.slice(-2)).toEqual([{ type: 'away' }, { type: 'leave' }]);
  expect(view.line).toBe('closed');
});

test('an answer to a beat of an earlier line measures nothing', () => {
  greet();
  timers.advance(5000);
  network.last.ends();
  timers.advance(250);
  greet();
  network.last.says({ type: 'beat_ack', seq: 1, server_ms: SERVER_MS });
  expect(view.rttMs).toBeNull();
});
