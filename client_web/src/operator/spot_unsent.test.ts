/** What was counted while the line was down: kept through a reload, and gone when it got through. */
import { expect, test } from 'vitest';

import { keepUnsent, keptUnsent, merged, unsentKey } from './spot_unsent';

function keeper(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
    get length() {
      return kept.size;
    },
  } as Storage;
}

const KEY = unsentKey('S1', 'DD');

test('answers outlive the page, and leave nothing when they got through', () => {
  const storage = keeper();
  keepUnsent(storage, KEY, { 7: { headcount: 41, seen: ['A1'] } });
  expect(keptUnsent(storage, KEY)).toEqual({ 7: { headcount: 41, seen: ['A1'] } });
  expect(keptUnsent(storage, unsentKey('S2', 'DD'))).toEqual({});
  keepUnsent(storage, KEY, {});
  expect(storage.length).toBe(0);
});

test('what cannot be read counts as nothing', () => {
  const storage = keeper();
  for (const broken of ['{', 'null', '[]', '3']) {
    storage.setItem(KEY, broken);
    expect(keptUnsent(storage, KEY)).toEqual({});
  }
});

test('the last answer about a person holds', () => {
  const first = merged({}, { seen: ['A1', 'A2'] });
  expect(merged(first, { not_seen: ['A1'] })).toEqual({ seen: ['A2'], not_seen: ['A1'] });
  expect(merged({ headcount: 3 }, { seen: ['A1'] })).toMatchObject({ headcount: 3 });
});
