import { expect, test } from 'vitest';

import { Delay } from './delay';

test('a laptop whose clock is an hour wrong still says truly how late the board is', () => {
  const delay = new Delay();
  delay.measured(40);
  expect(delay.heard(1_000, 3_600_000)).toBe(20);
  expect(delay.heard(2_300, 3_601_000)).toBe(320);
  expect(delay.heard(3_000, 3_602_000)).toBe(20);
});

test('the shortest round trip counts: a busy moment says nothing of the line', () => {
  const delay = new Delay();
  delay.measured(400);
  delay.measured(60);
  delay.measured(900);
  expect(delay.heard(0, 0)).toBe(30);
});

test('a clock that drifts through a long day is not taken for delay', () => {
  const delay = new Delay();
  let worst = 0;
  for (let minute = 0; minute < 600; minute += 1) {
    worst = Math.max(worst, delay.heard(minute * 60_000 + minute * 3, minute * 60_000));
  }
  expect(worst).toBeLessThan(5);
});
