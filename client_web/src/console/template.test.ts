import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { columnsOf, describedColumns, importable, templateOf, type Imported } from './template';

const headers = JSON.parse(
  readFileSync(new URL('../../../tests/contract/import_headers.json', import.meta.url), 'utf8'),
) as Record<Imported, { vi: string[]; en: string[]; required: string[] }>;
const LISTS = ['units', 'points', 'attendees'] as const;

test.each(LISTS)('the template for %s has the headers that the server knows, in both languages', (what) => {
  expect(columnsOf(what, 'vi')).toEqual(headers[what].vi);
  expect(columnsOf(what, 'en')).toEqual(headers[what].en);
  const starred = describedColumns(what, 'en').split(', ').filter((column) => column.endsWith('*'));
  expect(starred).toEqual(headers[what].required.map((column) => `${column}*`));
});

test.each(LISTS)('the template for %s has a cell for every column', (what) => {
  const text = templateOf(what, 'vi');
  expect(text.startsWith('\uFEFF')).toBe(true);
  const lines = text.slice(1).trimEnd().split('\r\n');
  expect(lines.map((line) => line.split(',').length)).toEqual(lines.map(() => columnsOf(what, 'vi').length));
});

test('a photograph is refused before it is sent', () => {
  expect(['a.csv', 'Danh sách.XLSX', 'a.xlsm', 'a.xls', 'a.jpg', 'csv'].map(importable)).toEqual([true, true, true, false, false, false]);
});
