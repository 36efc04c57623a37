import { expect, test } from 'vitest';

import type { LinkState } from '../../core/wire';
import { firstEntries, withChanges, type Entry } from './feed';
import { row, view } from './fixtures';

const VIEWS = new Map([view('A1', 'A'), view('A2', 'A'), view('B1', 'B')].map((one) => [one.point, one]));

/** Applies changes like `A1 online lost 40 5000`: point, from, to, people, at (since 1000 before). */
function told(entries: readonly Entry[], ...changes: string[]): readonly Entry[] {
  const parts = changes.map((change) => change.split(' ') as [string, LinkState, LinkState, string, string]);
  const before = new Map(parts.map(([point, from]) => [point, row(point, from, { since_ms: 1000 })]));
  const after = parts.map(([point, , to, people, at]) => row(point, to, { present: Number(people), since_ms: Number(at) }));
  return withChanges(entries, before, after, VIEWS);
}

test('halls of one unit that fall together are one event, not a list', () => {
  const entries = told([], 'A1 suspect lost 40 60000', 'A2 suspect lost 12 60400', 'B1 suspect lost 3 60500');
  expect(entries.map(({ name, points, people }) => [name, points.length, people])).toEqual([
    ['Huyện B', 1, 3],
    ['Huyện A', 2, 52],
  ]);
});

test('one that falls minutes later is its own event', () => {
  const entries = told(told([], 'A1 suspect lost 40 60000'), 'A2 suspect lost 12 180000');
  expect(entries).toHaveLength(2);
  expect(entries[0]?.points).toEqual(['A2']);
});

test('a hall that comes back says for how long it was lost', () => {
  expect(told([], 'A1 lost online 40 131000')[0]).toMatchObject({ key: 'back', gap_ms: 130_000 });
  expect(told([], 'A1 expected online 0 131000')[0]).toMatchObject({ key: 'first', gap_ms: 0 });
  expect(told([], 'A1 degraded online 0 131000')[0]).toMatchObject({ key: 'steady', gap_ms: 0 });
});

test('a silence that ends by itself and a page that was hidden are not worth a line', () => {
  expect(told([], 'A1 online suspect 0 2000', 'A2 suspect online 0 2000', 'B1 online away 0 2000')).toEqual([]);
});

test('a restart of the server is told by the headline, not by a line for every hall', () => {
  expect(told([], 'A1 online unknown 0 2000', 'A2 unknown online 0 2000', 'B1 unknown lost 3 2000')).toHaveLength(1);
});

test('people who come in are no event of the link', () => {
  expect(told([], 'A1 online online 41 1000')).toEqual([]);
});

test('hours of events do not fill the memory', () => {
  let entries: readonly Entry[] = [];
  for (let minute = 1; minute <= 100; minute += 1) entries = told(entries, `A1 suspect lost 1 ${minute * 60_000}`);
  expect(entries).toHaveLength(60);
  expect(entries[0]?.at_ms).toBe(6_000_000);
});

test('a coordinator who opens the board late still reads who has been lost since when', () => {
  const rows = [row('B1', 'degraded', { since_ms: 90_000 }), row('A2', 'online'), row('A1', 'lost', { since_ms: 60_000, present: 40 })];
  expect(firstEntries(rows, VIEWS).map(({ at_ms, to, people, points }) => [at_ms, to, people, points])).toEqual([
    [90_000, 'degraded', 0, ['B1']],
    [60_000, 'lost', 40, ['A1']],
  ]);
});
