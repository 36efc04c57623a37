import { expect, test } from 'vitest';

import { codeAfter, codeFrom, isCode } from './codes';

test.each([
  ['Hội trường xã Đại Đồng', 'HOI-TRUONG-XA-DAI-DONG'],
  ["Buôn H'Hen Niê", 'BUON-HHEN-NIE'],
  ['Điểm cầu trung tâm - Thành ủy Hà Nội', 'DIEM-CAU-TRUNG-TAM-THANH'],
  ['', ''],
  ['—', ''],
])('a newcomer who types "%s" gets a code that the server takes: %s', (name, code) => {
  expect(codeFrom(name)).toBe(code);
  expect(code).toMatch(/^[A-Z0-9._-]*$/);
});

test('a second hall of the same name does not collide with the first', () => {
  expect(codeFrom('Xã Tân Lập', new Set(['XA-TAN-LAP', 'XA-TAN-LAP-2']))).toBe('XA-TAN-LAP-3');
});

test('people are numbered on from those who are there', () => {
  expect(codeAfter('DB', new Set())).toBe('DB-001');
  expect(codeAfter('DB', new Set(['DB-001', 'DB-003']))).toBe('DB-004');
});

test('a code that the server would refuse is known before it is sent', () => {
  expect(['DC1', 'h-1_a.b', 'a'.repeat(40)].every(isCode)).toBe(true);
  expect(['', 'mã', 'DB 03', 'DB03!', 'a'.repeat(41)].some(isCode)).toBe(false);
});
