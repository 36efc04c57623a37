import { expect, test } from 'vitest';

import { nearest } from './arrows';

// Two cards side by side, each two tiles wide; the left has two lines, the right three.
const boxes = [
  [0, 0],
  [20, 0],
  [0, 20],
  [100, 0],
  [120, 0],
  [100, 20],
  [120, 20],
  [100, 40],
].map(([left = 0, top = 0]) => ({ left, top, width: 18, height: 18 }));

test.each([
  [0, 'ArrowRight', 1],
  [2, 'ArrowRight', 3],
  [0, 'ArrowLeft', 0],
  [7, 'ArrowRight', 7],
  [0, 'ArrowDown', 2],
  [1, 'ArrowDown', 2],
  [4, 'ArrowDown', 6],
  [6, 'ArrowDown', 7],
  [7, 'ArrowDown', 7],
  [5, 'ArrowUp', 3],
  [0, 'ArrowUp', 0],
])('from tile %i %s leads to %i', (at, key, to) => {
  expect(nearest(boxes, at, key)).toBe(to);
});
