import { expect, test } from 'vitest';

import { csvOf } from './csv';

test('Vietnamese letters, commas and quotes survive the spreadsheet', () => {
  expect(csvOf([['Mã', 'Họ và tên'], ['A1', 'Nguyễn "Ánh", Thị']])).toBe('\uFEFFMã,Họ và tên\r\nA1,"Nguyễn ""Ánh"", Thị"\r\n');
});

test.each(['=1+1', '+84', '-2', '@SUM', '\t=1', '＝1', '＋1', '－1', '＠a', '  =1'])('%j is shown and not run', (text) => {
  expect(csvOf([[text]])).toBe(`\uFEFF'${text}\r\n`);
});

test('a line break inside a cell stays inside it', () => {
  expect(csvOf([['\r=1']])).toBe(`\uFEFF"'\r=1"\r\n`);
});
