/** What was counted without a network: kept through a reload, and gone when it got through. */
import { expect, test } from 'vitest';

import { headcountKey, keepHeadcount, keptHeadcount } from './headcount_unsent';

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

const KEY = headcountKey('S1', 'DD');
const COUNTED = { point: 'DD', number: 61, at_ms: 1, nonce: '019c1c6f-9280-7000-8000-00000000cafe' };

test('a number outlives the page under its own nonce, and leaves nothing when it got through', () => {
  const storage = keeper();
  keepHeadcount(storage, KEY, COUNTED);
  expect(keptHeadcount(storage, KEY)).toEqual(COUNTED);
  expect(keptHeadcount(storage, headcountKey('S2', 'DD'))).toBeNull();
  keepHeadcount(storage, KEY, null);
  expect(storage.length).toBe(0);
});

test.each(['{', 'null', '[]', '3', '{"number":"61"}', '{"number":61}'])('%s counts as nothing', (broken) => {
  const storage = keeper();
  storage.setItem(KEY, broken);
  expect(keptHeadcount(storage, KEY)).toBeNull();
});
