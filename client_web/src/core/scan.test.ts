import { describe, expect, test } from 'vitest';

import { HeldInView, KeyBurst, readScan, scanKey } from './scan';

const TOKEN = 'ABCDEFGHIJKLMNOPQRSTUVWX2A';
const BADGE = { kind: 'badge', who: { type: 'badge', token: TOKEN } };

describe('a badge is read', () => {
  test.each([
    ['from its QR', `HTTPS://DIEMDANH.EXAMPLE.VN/B/${TOKEN}`],
    ['from a link a messenger lengthened', `https://a.vn/b/${TOKEN.toLowerCase()}?fbclid=x#y`],
    ['as it is printed below the QR', 'abcdef ghijkl-mnopqr stuvwx 2a'],
    ['with the misread digits of base32', `  ${TOKEN.replace('O', '0').replace('I', '1').replace('B', '8')} `],
  ])('%s', (_name, text) => expect(readScan(text)).toEqual(BADGE));
});

test.each([
  ['a code of the list, in any case', 'db-0001', { kind: 'code', who: { type: 'attendee', code: 'DB-0001' } }],
  ['a badge with spare bits set is none', `${TOKEN.slice(0, 25)}B`, { kind: 'code', who: { type: 'attendee', code: `${TOKEN.slice(0, 25)}B` } }],
  ['the code of the hall', 'HTTPS://A.VN/C/ABCDEFGHIJKLMNOPQRST', { kind: 'door' }],
  ['an identity card', '001200012345|123456789|Nguyễn Văn A|01011990|Nam|Hà Nội|', { kind: 'other' }],
  ['a name', 'Nguyễn Thị Hiền', { kind: 'other' }],
  ['a wireless network', 'WIFI:T:WPA;S:hoi-truong;P:123;;', { kind: 'other' }],
  ['nothing', '  ', { kind: 'other' }],
  ['a book', 'A'.repeat(401), { kind: 'other' }],
])('%s', (_name, text, expected) => expect(readScan(text)).toEqual(expected));

test('what this device remembers of a badge does not hold the badge', () => {
  const key = scanKey({ type: 'badge', token: TOKEN });
  expect(key).not.toContain(TOKEN.slice(0, 8));
  expect(key).toBe(scanKey({ type: 'badge', token: TOKEN }));
  const others = Array.from({ length: 2000 }, (_, n) => scanKey({ type: 'badge', token: `${TOKEN}${n}` }));
  expect(new Set([...others, key]).size).toBe(2001);
});

test('a badge held in view is one scan, and one more after it went away', () => {
  const held = new HeldInView(3000);
  expect([0, 120, 2900, 5800].map((at) => held.isNew('a', at))).toEqual([true, false, false, false]);
  expect(held.isNew('a', 8800)).toBe(true);
});

test('two badges in one picture are two scans, not a flood', () => {
  const held = new HeldInView(3000);
  const fresh = [0, 120, 240, 360].flatMap((at) => ['a', 'b'].filter((text) => held.isNew(text, at)));
  expect(fresh).toEqual(['a', 'b']);
});

describe('a keyboard scanner', () => {
  const type = (burst: KeyBurst, keys: string[], gapMs: number): unknown => {
    let at = 1000;
    let found: unknown = null;
    for (const key of keys) found = burst.take(key, (at += gapMs));
    return found;
  };
  const keys = [...TOKEN].flatMap((key) => ['Shift', key]);

  test('is heard wherever the cursor stands', () => {
    expect(type(new KeyBurst(), [...keys, 'Enter'], 4)).toEqual({ text: TOKEN, rewritten: false });
  });

  test('is not a person who types a name and presses Enter', () => {
    expect(type(new KeyBurst(), [...'nguyen thi hien', 'Enter'], 90)).toBeNull();
    expect(type(new KeyBurst(), ['o', 'k', 'Enter'], 5)).toBeNull();
  });

  test('is told from what was typed before it', () => {
    const burst = new KeyBurst();
    type(burst, [...'Ngu'], 100);
    let at = 5000;
    for (const key of keys) burst.take(key, (at += 5));
    expect(burst.take('Enter', at + 5)).toEqual({ text: TOKEN, rewritten: false });
  });

  test('is noticed when a Vietnamese input method rewrites it', () => {
    expect(type(new KeyBurst(), [...'HTTPS', 'Backspace', 'Â', 'B', 'C', 'Enter'], 4)).toMatchObject({ rewritten: true });
  });
});
