import { readFileSync } from 'node:fs';

import { beforeEach, describe, expect, test } from 'vitest';

import { createSender, Desk, verdictOf, type Known, type Verdict } from './check_ins';
import type { Delivery, Entry, Outbox } from './outbox';
import type { CheckInBatch, CheckInItem, CheckInResult, CheckInResults, Who } from './wire_check_ins';

const { sent, received } = JSON.parse(
  readFileSync(new URL('../../../tests/contract/check_ins.json', import.meta.url), 'utf8'),
) as { sent: Record<string, CheckInItem>; received: CheckInResults };

const TOKEN = 'ABCDEFGHIJKLMNOPQRSTUVWX2A';
const NOW = 1_770_000_000_000;
const HIEN = { full_name: 'Nguyễn Thị Hiền', unit_name: 'Xã Đại Đồng' };

describe('sending', () => {
  const batch: CheckInBatch = { device_ms: NOW, items: Object.values(sent) };
  const sender = (answer: () => Response | Promise<Response>, seen: { url?: string; init?: RequestInit } = {}) =>
    createSender({
      token: () => 'dcd_x',
      language: 'vi',
      fetch: async (url, init) => (Object.assign(seen, { url, init }), answer()),
    });
  const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
    new Response(JSON.stringify(body), { status, headers });
  const problem = (status: number, headers: Record<string, string> = {}): Response =>
    json({ type: '', title: 'Không', status, code: 'some_code' }, status, headers);

  test('goes to the session, as this device, and reads the results', async () => {
    const seen: { url?: string; init?: RequestInit } = {};
    expect(await sender(() => json(received), seen)('S 1', batch, 1000)).toEqual({
      kind: 'answered',
      results: received.items,
      serverMs: received.server_ms,
    });
    expect(seen.url).toBe('/api/v1/sessions/S%201/check-ins');
    expect(seen.init?.headers).toMatchObject({ Authorization: 'Bearer dcd_x', 'Accept-Language': 'vi' });
    expect(JSON.parse(String(seen.init?.body))).toEqual(batch);
  });

  test.each([
    ['no network', () => Promise.reject(new TypeError('failed')), { kind: 'unavailable', why: 'network' }],
    ["a hotel's page", () => new Response('<html>', { status: 200 }), { kind: 'unavailable', why: 'network' }],
    ["a hotel's JSON", () => json({ login: true }), { kind: 'unavailable', why: 'network' }],
    ["a proxy's own refusal", () => new Response('no', { status: 403 }), { kind: 'unavailable', why: 'network' }],
    ['a device nobody knows', () => problem(401), { kind: 'unavailable', why: 'token' }],
    ['too many', () => problem(429, { 'Retry-After': '7' }), { kind: 'unavailable', why: 'busy', retryAfterMs: 7000 }],
    ['a busy writer', () => problem(503, { 'Retry-After': '2' }), { kind: 'unavailable', why: 'busy', retryAfterMs: 2000 }],
    ['a wait of a day', () => problem(503, { 'Retry-After': '86400' }), { kind: 'unavailable', why: 'busy', retryAfterMs: 120_000 }],
    ['a wait that is a date', () => problem(503, { 'Retry-After': 'Fri' }), { kind: 'unavailable', why: 'busy', retryAfterMs: 0 }],
    ['a bug of ours', () => problem(500), { kind: 'unavailable', why: 'busy', retryAfterMs: 0 }],
  ] as [string, () => Promise<Response>, Delivery][])('%s is no answer: everything stays', async (_name, answer, expected) => {
    expect(await sender(answer)('S1', batch, 1000)).toEqual(expected);
  });

  test('what the server refuses whole is a refusal, with its code', async () => {
    expect(await sender(() => problem(400))('S1', batch, 1000)).toMatchObject({ kind: 'rejected', problem: { code: 'some_code' } });
  });
});

test('what is sent is what the contract shows', () => {
  const item: Required<CheckInItem> = { nonce: '', point: '', who: { type: 'attendee', code: '' }, at_ms: 0, kind: 'check_in', offline: false, source: 'badge', reason: '', stands_for: '' };
  const known = new Set(Object.keys(item));
  for (const example of Object.values(sent)) for (const field of Object.keys(example)) expect(known).toContain(field);
});

test('each result is one sentence', () => {
  const entry = { nonce: 'n', item: sent.badge as CheckInItem, person: HIEN };
  const [accepted, duplicate, held, refused] = received.items as [CheckInResult, CheckInResult, CheckInResult, CheckInResult];
  expect(verdictOf(entry, accepted)).toMatchObject({ tone: 'good', word: 'recorded', flags: ['late'], person: { code: 'A1' } });
  expect(verdictOf(entry, duplicate)).toMatchObject({ tone: 'again', word: 'already_elsewhere', point_name: 'Hội trường trung tâm', at_ms: 1_769_999_000_000 });
  expect(verdictOf(entry, held)).toMatchObject({ tone: 'good', word: 'held', person: HIEN });
  expect(verdictOf(entry, refused)).toMatchObject({ tone: 'bad', word: 'refused_unknown_attendee' });
  const unnamed = { nonce: 'n', result: 'accepted' as const, check_in: { point: 'DD', point_name: '', at_ms: 1, person: { full_name: '' } } };
  expect(verdictOf(entry, unnamed).person).toBe(HIEN);
});

describe('the desk', () => {
  let added: Parameters<Outbox['add']>[0][];
  let answer: CheckInResult | null;
  let known: Known;
  let said: Verdict[];
  let desk: Desk;

  beforeEach(() => {
    [added, answer, known, said] = [[], null, HIEN, []];
    const add: Outbox['add'] = async (entry) => (added.push(entry), { answer: Promise.resolve(answer) });
    desk = new Desk({ outbox: { add }, find: async () => known, nowMs: () => NOW, onVerdict: (verdict) => said.push(verdict) });
    desk.place = { session: 'S1', point: 'DD' };
  });

  const words = (): string[] => said.map(({ tone, word }) => `${tone} ${word}`);

  test('says at once that it was read, and then what the server says', async () => {
    answer = { nonce: '', result: 'accepted' };
    await desk.scanned(`HTTPS://A.VN/B/${TOKEN}`);
    expect(words()).toEqual(['reading reading', 'good recorded']);
    expect(said[0]?.person).toBe(HIEN);
    expect(added[0]?.item).toMatchObject({ point: 'DD', who: { type: 'badge', token: TOKEN }, at_ms: NOW, source: 'badge' });
  });

  test('says that it is saved when no answer comes in time', async () => {
    await desk.scanned(TOKEN);
    expect(words()).toEqual(['reading reading', 'saved saved']);
  });

  test('says it at once when the line is down, also of a badge the list does not hold', async () => {
    desk.lineDown = true;
    await desk.scanned(TOKEN);
    known = 'unknown';
    await desk.scanned(TOKEN);
    known = 'no list';
    await desk.scanned(TOKEN);
    expect(words()).toEqual(['saved saved', 'saved saved_unknown', 'saved saved']);
    expect(added).toHaveLength(3);
  });

  test('knows whom it saw before, and records the fact all the same', async () => {
    await desk.scanned(TOKEN);
    const entry = { ...added[0], state: 'sent', result: null, answered_ms: NOW } as Entry;
    desk.view = { recent: [entry] };
    said.length = 0;
    await desk.scanned(TOKEN);
    expect(words()).toEqual(['again already_device']);
    expect(added).toHaveLength(2);
    for (const other of [{ ...entry, annulled: 'nhầm' }, { ...entry, state: 'refused' as const }, { ...entry, session: 'S0' }]) {
      desk.view = { recent: [other] };
      said.length = 0;
      await desk.scanned(TOKEN);
      expect(words()[0]).toBe('reading reading');
    }
  });

  test('lets people go out and come in again', async () => {
    await desk.scanned(TOKEN);
    desk.view = { recent: [{ ...added[0], state: 'sent', result: null, answered_ms: NOW } as Entry] };
    desk.kind = 'check_out';
    answer = { nonce: '', result: 'accepted' };
    said.length = 0;
    await desk.scanned(TOKEN);
    expect(words()).toEqual(['reading reading', 'good recorded_out']);
  });

  test('records nothing where there is nothing to record', async () => {
    await desk.scanned('HTTPS://A.VN/C/ABCDEFGHIJKLMNOPQRST');
    await desk.scanned('Nguyễn Thị Hiền');
    await desk.scanned(TOKEN, true);
    desk.place = null;
    await desk.scanned(TOKEN);
    expect(words()).toEqual(['bad not_door', 'bad not_other', 'bad not_garbled', 'bad no_session']);
    expect(added).toEqual([]);
  });

  test('writes down who has no badge, and whose place they take', async () => {
    const who: Who = { type: 'unlisted', name: 'Bùi Thị Khách', unit: 'Hội Nông dân' };
    await desk.record(who, { source: 'manual', reason: 'không mang thẻ', stands_for: 'A2' });
    expect(added[0]?.item).toMatchObject({ who, source: 'manual', reason: 'không mang thẻ', stands_for: 'A2' });
    expect(added[0]?.person).toEqual({ full_name: 'Bùi Thị Khách', unit_name: 'Hội Nông dân' });
  });
});
