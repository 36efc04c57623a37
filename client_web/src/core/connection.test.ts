import { beforeEach, describe, expect, test } from 'vitest';

import { Connection, type Phase } from './connection';
import { FakeNetwork, FakeTimers } from './fakes';
import { CLOSE } from './protocol';

const HELLO = { type: 'hello', v: 1, heartbeat_ms: 10_000, server_ms: 1, epoch: 'e' };
const WELCOME = { type: 'welcome', sid: 's', point: 'P', point_name: 'Hội trường', session: null };

let timers: FakeTimers;
let network: FakeNetwork;
let phases: Phase[];
let frames: object[];
let connection: Connection;

/** Chance is 1 here, so that each wait is as long as it can be. */
function make(silentBeats: number | null = 2): Connection {
  return new Connection({
    open: network.open,
    timers,
    random: () => 1,
    identify: () => ({ type: 'identify' }),
    onFrame: (frame) => frames.push(frame),
    onPhase: (phase) => phases.push(phase),
    silentBeats,
  });
}

function greet(): void {
  network.last.says(HELLO);
  network.last.says(WELCOME);
}

beforeEach(() => {
  timers = new FakeTimers();
  network = new FakeNetwork();
  phases = [];
  frames = [];
  connection = make();
  connection.start();
});

const names = (): string[] => phases.map(({ name }) => name);

test('a page says who it is only after the server greeted, and is ready after its answer', () => {
  expect(network.last.sent).toEqual([]);
  network.last.says(HELLO);
  expect(network.last.sent).toEqual([{ type: 'identify' }]);
  expect(names()).toEqual(['connecting']);
  network.last.says(WELCOME);
  expect(names()).toEqual(['connecting', 'ready']);
  expect(frames).toEqual([{ ...WELCOME, present: 0, invited: 0, unlisted: 0 }]);
});

test('nothing is sent on a line that is not ready, and the sender learns it', () => {
  expect(connection.send({ type: 'beat' })).toBe(false);
  greet();
  expect(connection.send({ type: 'beat' })).toBe(true);
});

test('waits double from half a second to twenty while the server stays away', () => {
  const waits: number[] = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    const [opened, since] = [network.sockets.length, timers.now()];
    network.last.ends();
    while (network.sockets.length === opened) timers.advance(100);
    waits.push(timers.now() - since);
  }
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
});

test('a server that welcomes and drops at once is not hammered', () => {
  for (let round = 0; round < 4; round++) {
    greet();
    network.last.ends(CLOSE.RESTART);
    timers.advance(8000);
  }
  greet();
  network.last.ends(CLOSE.RESTART);
  const opened = network.sockets.length;
  timers.advance(7999);
  expect(network.sockets).toHaveLength(opened);
});

test('after a good while the next wait is short again', () => {
  network.last.ends();
  timers.advance(500);
  network.last.ends();
  timers.advance(1000);
  greet();
  timers.advance(10_000);
  network.last.ends();
  const opened = network.sockets.length;
  timers.advance(500);
  expect(network.sockets).toHaveLength(opened + 1);
});

test.each([
  ['RESTART', CLOSE.RESTART, true],
  ['REBIND', CLOSE.REBIND, true],
  ['SLOW_READER', CLOSE.SLOW_READER, true],
  ['a broken line', 1006, true],
  ['REVOKED', CLOSE.REVOKED, false],
  ['NOT_SIGNED_IN', CLOSE.NOT_SIGNED_IN, false],
  ['REPLACED', CLOSE.REPLACED, false],
])('%s (%i): comes back: %s', (_name, code, comesBack) => {
  greet();
  network.last.ends(code);
  timers.advance(60_000);
  expect(network.sockets.length > 1).toBe(comesBack);
  expect(phases.at(-1)).toEqual(comesBack ? expect.objectContaining({ name: 'connecting' }) : { name: 'closed', code });
});

test('an outage is counted from its beginning, however many attempts fail', () => {
  greet();
  timers.advance(1000);
  const lostAt = timers.now();
  network.last.ends();
  timers.advance(500);
  network.last.ends();
  timers.advance(1000);
  expect(phases.filter(({ name }) => name === 'connecting').at(-1)).toEqual({ name: 'connecting', since: lostAt });
});

describe('a socket that seems open but is dead', () => {
  test('is given up when two beats bring no frame', () => {
    greet();
    timers.advance(19_999);
    expect(names().at(-1)).toBe('ready');
    timers.advance(1);
    expect(names().at(-1)).toBe('connecting');
    expect(network.sockets[0]?.closedWith).toBe(1000);
  });

  test('is given up when the server never greets', () => {
    timers.advance(15_000 + 500);
    expect(network.sockets).toHaveLength(2);
  });

  test('says nothing more: a late frame of it changes nothing', () => {
    greet();
    timers.advance(21_000);
    const before = frames.length;
    network.sockets[0]?.says(WELCOME);
    network.sockets[0]?.ends(CLOSE.REVOKED);
    expect(frames).toHaveLength(before);
    expect(names().at(-1)).toBe('connecting');
  });

  test('is no concern where silence is normal', () => {
    connection.stop();
    connection = make(null);
    connection.start();
    greet();
    timers.advance(3_600_000);
    expect(names().at(-1)).toBe('ready');
  });
});

describe('a network that came back', () => {
  test('is tried at once', () => {
    network.last.ends();
    connection.hurry();
    expect(network.sockets).toHaveLength(2);
    timers.advance(600);
    expect(network.sockets).toHaveLength(2);
  });

  test('does not cut off an attempt just begun, but one that has hung for long', () => {
    connection.hurry();
    expect(network.sockets).toHaveLength(1);
    timers.advance(3000);
    connection.hurry();
    expect(network.sockets).toHaveLength(2);
  });

  test('does not touch a line that holds', () => {
    greet();
    timers.advance(5000);
    connection.hurry();
    expect(network.sockets).toHaveLength(1);
  });
});

test('goodbye is the last word and final', () => {
  greet();
  connection.stop({ type: 'leave' });
  expect(network.last.sent.at(-1)).toEqual({ type: 'leave' });
  connection.reconnect();
  timers.advance(60_000);
  expect(network.sockets).toHaveLength(1);
  expect(phases.at(-1)).toEqual({ name: 'closed', code: 1000 });
});
