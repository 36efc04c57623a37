import { expect, test } from 'vitest';

import { newNonce, uuid7 } from './nonce';

/** The pattern of wire/check_ins.py. */
const NONCE = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('a nonce is what the server takes for one, whatever the random bytes', () => {
  expect(uuid7(1_770_000_000_000, new Uint8Array(10).fill(255))).toBe('019c1c38-a400-7fff-bfff-ffffffffffff');
  expect(uuid7(1_770_000_000_000, new Uint8Array(10))).toBe('019c1c38-a400-7000-8000-000000000000');
});

test('a device whose clock stands at 1970 or before still makes nonces', () => {
  for (const ms of [0, -1, 12.5]) expect(uuid7(ms, new Uint8Array(10))).toMatch(NONCE);
});

test('no two are the same', () => {
  const made = Array.from({ length: 1000 }, newNonce);
  expect(new Set(made).size).toBe(1000);
  for (const nonce of made) expect(nonce).toMatch(NONCE);
});
