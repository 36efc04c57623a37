import { expect, test } from 'vitest';

import { tiles } from './fixtures';
import { headlineOf } from './headline';

test('the coordinator reads first how many halls are lost and how many people sit in them', () => {
  expect(headlineOf('live', tiles('A1 A lost 40', 'A2 A lost 12', 'A3 A online 30', 'A4 A unknown 5'))).toEqual({
    key: 'lost',
    params: { points: 2, people: 52 },
    mood: 'alarm',
  });
});

test('a lost hall where nobody has checked in is said to be empty', () => {
  expect(headlineOf('open', tiles('A1 A lost'))).toMatchObject({ key: 'lost_empty', params: { points: 1 } });
});

test('in a break silence is reported but alarms nobody', () => {
  expect(headlineOf('break', tiles('A1 A lost 40')).mood).toBe('watch');
});

test('after the end the figures matter, not the links', () => {
  expect(headlineOf('ended', tiles('A1 A lost 40', 'A2 A left 50'))).toEqual({
    key: 'ended',
    params: { present: 90, invited: 100 },
    mood: 'calm',
  });
});

test('after a restart of the server nothing is called lost', () => {
  expect(headlineOf('live', tiles('A1 A unknown 40', 'A2 A suspect'))).toMatchObject({ key: 'unknown', mood: 'watch' });
});

test.each([
  [['A1 A suspect', 'A2 A degraded'], 'suspect'],
  [['A1 A degraded', 'A2 A online'], 'degraded'],
  [['A1 A expected', 'A2 A expected'], 'none_yet'],
  [['A1 A expected', 'A2 A online'], 'expected'],
  [['A1 A left', 'A2 A online'], 'gone'],
  [['A1 A online', 'A2 A online'], 'well'],
  [[], 'no_points'],
])('%j is told as "%s"', (lines, key) => {
  expect(headlineOf('live', tiles(...lines)).key).toBe(key);
});

test('before the opening silence is the ordinary case', () => {
  expect(headlineOf('draft', tiles('A1 A expected')).key).toBe('draft');
});
