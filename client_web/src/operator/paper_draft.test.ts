import { expect, test } from 'vitest';

import { draftKey, keepDraft, keptDraft, localMoment, newDraft, sheetOf, type Keeper } from './paper_draft';

function keeper(): Keeper & { kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

const KEY = draftKey('S1', 'P1');

test('a half-filled sheet survives a reload, with its nonce', () => {
  const browser = keeper();
  const draft = { ...newDraft(), ticked: ['A1', 'A2'], reason: 'mất điện' };
  expect(keepDraft(browser, KEY, draft)).toBe(true);
  expect(keptDraft(browser, KEY)).toEqual(draft);
  expect(keptDraft(browser, draftKey('S2', 'P1')).ticked).toEqual([]);
});

test('an empty sheet leaves nothing behind', () => {
  const browser = keeper();
  keepDraft(browser, KEY, { ...newDraft(), ticked: ['A1'] });
  keepDraft(browser, KEY, newDraft());
  expect(browser.kept.size).toBe(0);
});

test('what cannot be read is a new sheet, and a browser that keeps nothing is no error', () => {
  const browser = keeper();
  for (const text of ['', '{', '7', '{"ticked":1}']) {
    browser.kept.set(KEY, text);
    expect(keptDraft(browser, KEY).ticked).toEqual([]);
  }
  const full: Keeper = { ...browser, setItem: () => { throw new Error('full'); } };
  expect(keepDraft(full, KEY, { ...newDraft(), ticked: ['A1'] })).toBe(false);
});

test('a sheet that is sent again says the same', () => {
  const draft = { ...newDraft(), ticked: ['A1'], reason: ' mưa ', at_ms: 5 };
  const first = sheetOf(draft, 'P1', 100);
  expect(first).toMatchObject({ point: 'P1', reason: 'mưa', at_ms: 5, device_ms: 100, people: [{ code: 'A1' }] });
  expect(sheetOf(draft, 'P1', 200)).toEqual({ ...first, device_ms: 200 });
});

test('whose place is taken goes with the person, and a draft from before this was asked can still be read', () => {
  const draft = { ...newDraft(), ticked: ['A1', 'A2'], stands_for: { A2: 'B7' } };
  expect(sheetOf(draft, 'P1', 100).people).toEqual([{ code: 'A1' }, { code: 'A2', stands_for: 'B7' }]);
  const browser = keeper();
  browser.kept.set(KEY, '{"nonce":"n","ticked":["A1"],"unlisted":[],"reason":"","at_ms":null}');
  expect(keptDraft(browser, KEY)).toMatchObject({ ticked: ['A1'], stands_for: {} });
});

test('a moment is written as this clock shows it', () => {
  const at = new Date(2026, 10, 21, 7, 45);
  expect(localMoment(at.getTime())).toBe('2026-11-21T07:45');
});
