import { beforeEach, expect, test } from 'vitest';

import { ServerClock } from './clock';
import { FakeTimers } from './fakes';

let timers: FakeTimers;
let clock: ServerClock;

beforeEach(() => {
  timers = new FakeTimers();
  clock = new ServerClock(timers);
});

/** What the clock says too much, at a moment when the server's clock shows `serverMs`. */
const error = (serverMs: number): number => (clock.now() ?? NaN) - serverMs;

test('nothing is guessed before the server was heard', () => {
  expect(clock.known).toBe(false);
  expect(clock.now()).toBeNull();
});

test('time goes on without the server', () => {
  clock.heard(50_000, 0);
  timers.advance(3_600_000);
  expect(error(3_650_000)).toBe(0);
});

test('half of the round trip is added', () => {
  clock.heard(50_000, 80);
  expect(error(50_040)).toBe(0);
});

test('a quick answer corrects a slow one, not the other way round', () => {
  clock.heard(50_000, 900);
  clock.heard(50_000, 20);
  expect(error(50_010)).toBe(0);
  clock.heard(49_800, 600);
  expect(error(50_010)).toBe(0);
});

test('a machine that slept believes the server again at once', () => {
  clock.heard(50_000, 20);
  clock.heard(50_000 + 7_200_000, 300);
  expect(error(7_250_150)).toBe(0);
});

test('an old measurement gives way to a newer one that is nearly as good', () => {
  clock.heard(50_000, 20);
  timers.advance(900_000);
  clock.heard(950_050, 60);
  expect(error(950_080)).toBe(0);
});
