/** The same examples as the server's tests: tests/contract/*.json. */
import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { CLOSE, decodeFrame, dropsToken, mayReconnect } from './protocol';
import { DoorCodes, importKey, makeCode } from './door_code';
import type { Beat, BoardIdentify, Door, Identify } from './wire';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../tests/contract/${name}`, import.meta.url), 'utf8'));

interface Frames {
  point: { sent: Record<string, object>; received: Record<string, object> };
  board: { sent: Record<string, object>; received: Record<string, object> };
  close_codes: Record<string, number>;
}
const frames = read('frames.json') as Frames;
interface Vector {
  door_id: number;
  key_base64: string;
  at_ms: number;
  code: string;
}
const { vectors, spot_checks } = read('door_codes.json') as {
  vectors: Vector[];
  spot_checks: (Vector & { spot_check_id: number })[];
};

describe('frames of the server', () => {
  const received = { ...frames.point.received, ...frames.board.received };

  test.each(Object.entries(received))('%s is understood as it stands on the wire', (_name, frame) => {
    expect(decodeFrame(JSON.stringify(frame))).toEqual(frame);
  });

  test('a frame of a newer server is passed over, not a crash', () => {
    expect(decodeFrame('{"type":"constructor"}')).toBeNull();
    expect(decodeFrame('{"type":"ask","word":"HOA SEN"}')).toBeNull();
    expect(decodeFrame('"hello"')).toBeNull();
    expect(decodeFrame('not json')).toBeNull();
  });
});

describe('frames of a client', () => {
  test('a page that follows our types is understood by the server', () => {
    const identify: Required<Identify> = { type: 'identify', v: 1, token: '', boot: '', session: null };
    const beat: Required<Beat> = { type: 'beat', seq: 0, sent_ms: 0, rtt_ms: 0, hidden: false, queued: 0, queued_oldest_ms: 0 };
    const board: Required<BoardIdentify> = { type: 'identify', session: '', unit: '', token: null, resume: null };
    const sent = { ...frames.point.sent };
    expect(Object.keys(sent.identify ?? {}).sort()).toEqual(Object.keys(identify).sort());
    expect(Object.keys(sent.beat ?? {}).sort()).toEqual(Object.keys(beat).sort());
    expect(Object.keys(frames.board.sent.identify ?? {}).sort()).toEqual(Object.keys(board).sort());
    expect(Object.keys(sent).sort()).toEqual(['away', 'beat', 'identify', 'leave']);
  });
});

describe('close codes', () => {
  test('a device knows why it was closed', () => {
    expect(CLOSE).toEqual(frames.close_codes);
  });

  test.each(Object.entries(CLOSE))('%s: the number alone tells whether to come back', (_name, code) => {
    expect(mayReconnect(code)).toBe(code < 4500);
  });

  test('only a token that is worth nothing is thrown away', () => {
    expect(Object.values(CLOSE).filter(dropsToken)).toEqual([CLOSE.NOT_SIGNED_IN, CLOSE.REVOKED]);
  });
});

describe('door codes', () => {
  test.each(spot_checks)('door $door_id shows a code of its own for spot-check $spot_check_id', async (vector) => {
    const key = await importKey(vector.key_base64);
    if (!key) throw new Error('no WebCrypto here');
    const step = Math.floor(vector.at_ms / 15_000);
    expect(await makeCode(key, vector.door_id, step, vector.spot_check_id)).toBe(vector.code);
    expect(await makeCode(key, vector.door_id, step)).not.toBe(vector.code);
  });

  test.each(vectors)('door $door_id at $at_ms shows what the server expects', async (vector) => {
    const key = await importKey(vector.key_base64);
    if (!key) throw new Error('no WebCrypto');
    expect(await makeCode(key, vector.door_id, Math.floor(vector.at_ms / 15_000))).toBe(vector.code);
  });

  test('a display with the key and one with a list show the same code at the same moment', async () => {
    const [, vector] = vectors;
    if (!vector) throw new Error('no vector');
    const door: Door = {
      session: 'S',
      title: '',
      state: 'open',
      point: 'P',
      point_name: '',
      door_id: vector.door_id,
      step_s: 15,
      server_ms: vector.at_ms,
      url_prefix: 'HTTPS://A.VN/C/',
      present: 0,
      invited: 0,
      key: vector.key_base64,
      codes: [],
    };
    const withKey = await DoorCodes.of(door);
    const withList = await DoorCodes.of({ ...door, key: null, codes: [{ code: vector.code, from_ms: vector.at_ms }] });
    const serverMs = vector.at_ms + 2000 + 4000;
    expect(await withKey.at(serverMs)).toEqual({ code: vector.code, leftMs: 11_000 });
    expect(await withList.at(serverMs)).toEqual({ code: vector.code, leftMs: 11_000 });
    expect([withKey.endless, withList.endless]).toEqual([true, false]);
  });

  test('a code appears two seconds after its step began: no clock error shows a code of the future', async () => {
    const [, , last, next] = vectors;
    if (!last || !next) throw new Error('no vectors');
    const codes = await DoorCodes.of({ key: next.key_base64, door_id: 1, step_s: 15, codes: [] } as unknown as Door);
    expect((await codes.at(next.at_ms + 1999))?.code).toBe(last.code);
    expect((await codes.at(next.at_ms + 2000))?.code).toBe(next.code);
  });

  test('a list that ran out shows nothing rather than a code that fails at the door', async () => {
    const door = { key: null, step_s: 15, codes: [{ code: 'A', from_ms: 30_000 }] } as unknown as Door;
    const codes = await DoorCodes.of(door);
    expect((await codes.at(46_999))?.code).toBe('A');
    expect(codes.knownUntilMs).toBe(47_000);
    expect(await codes.at(47_000)).toBeNull();
  });
});
