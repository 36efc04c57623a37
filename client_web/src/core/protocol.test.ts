import { expect, test } from 'vitest';

import { backoffMs, mayReconnect } from './protocol';

test('31,000 points that lost the server together come back spread over the wait', () => {
  expect(backoffMs(0, 0)).toBe(0);
  expect(backoffMs(0, 0.5)).toBe(250);
  expect(backoffMs(3, 0.5)).toBe(2000);
});

test('a hall that was cut off for hours still tries at least every 20 seconds', () => {
  expect(backoffMs(5, 1)).toBe(16_000);
  expect(backoffMs(6, 1)).toBe(20_000);
  expect(backoffMs(5000, 1)).toBe(20_000);
});

test.each([
  [1006, true],
  [3000, true],
  [3499, true],
  [3500, false],
  [3999, false],
  [4000, true],
  [4499, true],
  [4500, false],
  [4999, false],
])('close code %i reconnects: %s', (code, expected) => {
  expect(mayReconnect(code)).toBe(expected);
});
