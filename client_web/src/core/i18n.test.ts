import { describe, expect, test } from 'vitest';

import en from '../../../server/diemcau/i18n/en/common.json';
import vi from '../../../server/diemcau/i18n/vi/common.json';
import { chooseLanguage, createWords } from './i18n';

const vietnamese = createWords('vi', { vi, en }, 'Asia/Ho_Chi_Minh');
const english = createWords('en', { vi, en }, 'Asia/Ho_Chi_Minh');

test('figures are written as the reader writes them', () => {
  expect(vietnamese.number(48_913)).toBe('48.913');
  expect(english.number(48_913)).toBe('48,913');
  expect(vietnamese.percent(941, 1000)).toBe('94,1%');
  expect(english.percent(941, 1000)).toBe('94.1%');
  expect(vietnamese.rate(100)).toBe('100,0%');
});

test('a rate over nobody is no rate', () => {
  expect(vietnamese.percent(0, 0)).toBe('–');
  expect(vietnamese.rate(null)).toBe('–');
});

test('times and dates are those of the hall, on a day of 24 hours', () => {
  const at = Date.UTC(2026, 1, 5, 17, 21, 7); // after midnight in Hanoi
  for (const words of [vietnamese, english]) {
    expect(words.time(at)).toBe('00:21');
    expect(words.timeWithSeconds(at)).toBe('00:21:07');
    expect(words.date(at)).toBe('06/02/2026');
  }
});

describe('durations are words', () => {
  test.each([
    [-5, '0 giây', '0 seconds'],
    [1999, '1 giây', '1 second'],
    [59_999, '59 giây', '59 seconds'],
    [60_000, '1 phút', '1 minute'],
    [11 * 60_000 + 59_000, '11 phút', '11 minutes'],
    [3_600_000, '1 giờ', '1 hour'],
    [2 * 3_600_000 + 5 * 60_000, '2 giờ 5 phút', '2 hours 5 minutes'],
    [3 * 86_400_000 + 1, '3 ngày', '3 days'],
  ])('%i ms', (ms, inVietnamese, inEnglish) => {
    expect([vietnamese.duration(ms), english.duration(ms)]).toEqual([inVietnamese, inEnglish]);
  });
});

test('numbers inside a text are written like those outside', () => {
  expect(vietnamese.t('common.present_of', { present: 48_913, invited: 52_000 })).toBe('48.913 có mặt / 52.000 triệu tập');
});

test('a text never shows an empty place where a parameter was forgotten', () => {
  expect(vietnamese.t('common.of_invited')).toBe('/ {invited} triệu tập');
});

test('keys that the server sends are known or not, never an error', () => {
  expect(vietnamese.has('link.lost')).toBe(true);
  expect(vietnamese.has('toString')).toBe(false);
});

describe('the language', () => {
  test.each([
    ['what was chosen', 'a=1; diemcau_language=en; b=2', ['vi-VN'], 'en'],
    ['the browser’s first known', '', ['fr-FR', 'en-GB', 'vi'], 'en'],
    ['Vietnamese without either', '', ['fr', 'de'], 'vi'],
    ['not a cookie of another name', 'not_diemcau_language=en', [], 'vi'],
    ['not an unknown choice', 'diemcau_language=xx', ['vi'], 'vi'],
  ])('is %s', (_name, cookies, preferred, language) => {
    expect(chooseLanguage(cookies, preferred)).toBe(language);
  });
});
