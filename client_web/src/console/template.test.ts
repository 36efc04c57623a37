import { expect, test } from 'vitest';

import { columnsOf, importable, templateOf } from './template';

test.each(['units', 'points', 'attendees'] as const)('the template for %s has a cell for every column', (what) => {
  const text = templateOf(what);
  expect(text.startsWith('\uFEFF')).toBe(true);
  const lines = text.slice(1).trimEnd().split('\r\n');
  expect(lines.map((line) => line.split(',').length)).toEqual(lines.map(() => columnsOf(what).length));
});

test('a photograph is refused before it is sent', () => {
  expect(['a.csv', 'Danh sách.XLSX', 'a.xls', 'a.jpg', 'csv'].map(importable)).toEqual([true, true, false, false, false]);
});
