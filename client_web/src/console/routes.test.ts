import { expect, test } from 'vitest';

import { localPath, pageAt, queryWith, sessionPath } from './routes';

test.each([
  ['/', { name: 'start' }],
  ['/s/sessions', { name: 'start' }],
  ['/setup/AbC_1', { name: 'setup', token: 'AbC_1' }],
  ['/s/login', { name: 'login' }],
  ['/s/units', { name: 'units' }],
  ['/s/people/', { name: 'people' }],
  ['/s/session/S1', { name: 'session', session: 'S1' }],
  ['/s/session/s1/board', { name: 'board', session: 'S1' }],
  ['/s/session/S1/attendance', { name: 'attendance', session: 'S1' }],
  ['/s/session/S1/absences', { name: 'absences', session: 'S1' }],
  ['/s/session/S1/review', { name: 'review', session: 'S1' }],
  ['/s/session/S1/papers', { name: 'papers', session: 'S1' }],
  ['/s/session/S1/bord', { name: 'nowhere' }],
  ['/s/session/S1/board/more', { name: 'nowhere' }],
  ['/s/units/more', { name: 'nowhere' }],
  ['/s/%E0%A4%A', { name: 'nowhere' }],
  ['/setup', { name: 'nowhere' }],
])('a bookmark of %s opens its page', (path, page) => {
  expect(pageAt(path)).toEqual(page);
});

test('an address that was sent to a colleague leads back to the same session', () => {
  expect(pageAt(sessionPath('QT.2025-1', 'board'))).toEqual({ name: 'board', session: 'QT.2025-1' });
});

test('a filter that is off leaves no trace in the address', () => {
  expect(queryWith('?q=ba+vi&show=lost', { show: null })).toBe('?q=ba+vi');
  expect(queryWith('?q=ba', { q: '' })).toBe('');
  expect(queryWith('', { q: 'Phú Xuyên', point: 'HN-0001' })).toBe('?q=Ph%C3%BA+Xuy%C3%AAn&point=HN-0001');
});

test.each([
  ['/s/session/S1/board?show=lost', '/s/session/S1/board?show=lost'],
  [null, '/'],
  ['https://elsewhere.example/', '/'],
  ['//elsewhere.example/', '/'],
  ['/\\elsewhere.example', '/'],
  ['javascript:alert(1)', '/'],
])('signing in goes on to %s only inside this server', (next, path) => {
  expect(localPath(next)).toBe(path);
});
