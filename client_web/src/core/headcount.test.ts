/** A number of people as somebody types it in a hurry. */
import { expect, test } from 'vitest';

import { peopleIn } from './headcount';

test.each([
  ['61', 61],
  [' 0 ', 0],
  ['2.247', 2247],
  ['2,247', 2247],
  ['1 000 000', 1_000_000],
])('%s is read', (text, number) => {
  expect(peopleIn(text)).toBe(number);
});

test.each(['', '-1', '1.5', '6 1', '61 người', '1000001', '٣'])('%s is none', (text) => {
  expect(peopleIn(text)).toBeNull();
});
