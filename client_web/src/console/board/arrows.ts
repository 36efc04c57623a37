/** Which tile an arrow key leads to. Pure. */

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/**
 * The index of the tile that `key` leads to from `at`; `at` itself at the edge.
 * Left and right go through all tiles in order; up and down go to the nearest line, to what stands closest there.
 */
export function nearest(boxes: readonly Box[], at: number, key: string): number {
  if (key === 'ArrowLeft') return Math.max(0, at - 1);
  if (key === 'ArrowRight') return Math.min(boxes.length - 1, at + 1);
  const from = boxes[at];
  if (!from) return at;
  const down = key === 'ArrowDown' ? 1 : -1;
  let best = at;
  let bestAway = Infinity;
  boxes.forEach((box, index) => {
    const away = (box.top - from.top) * down;
    if (away <= from.height / 2) return;
    // A step sideways costs more than a step ahead: one stays in the column of cards.
    const distance = away + 3 * Math.abs(box.left - from.left);
    if (distance < bestAway) {
      best = index;
      bestAway = distance;
    }
  });
  return best;
}
