import { expect, test } from 'vitest';

import { fieldOf, momentOf, nextHour } from './times';

test('a start that is opened and saved again does not move', () => {
  const start = new Date(2025, 10, 21, 19, 30).getTime();
  expect(fieldOf(start)).toBe('2025-11-21T19:30');
  expect(momentOf(fieldOf(start))).toBe(start);
});

test('half a date is no date', () => {
  expect(momentOf('')).toBeNull();
  expect(momentOf('2025-11-21')).toBeNull();
});

test('a new session is suggested for the next full hour, also across midnight', () => {
  expect(fieldOf(nextHour(new Date(2025, 10, 21, 23, 59).getTime()))).toBe('2025-11-22T00:00');
});
