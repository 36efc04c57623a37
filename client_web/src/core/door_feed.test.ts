import { beforeEach, describe, expect, test } from 'vitest';

import type { Answer } from './api';
import { DoorCodes } from './door_code';
import { DoorFeed, type DoorView } from './door_feed';
import { FakeTimers } from './fakes';
import type { Door } from './wire';

const KEY = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
const DOOR: Door = {
  session: 'S1',
  title: 'Buổi sáng',
  state: 'open',
  point: 'P1',
  point_name: 'Hội trường',
  door_id: 1,
  step_s: 15,
  server_ms: 0,
  url_prefix: 'HTTP://A.VN/C/',
  present: 0,
  invited: 0,
  key: KEY,
  codes: [],
};
const UNREACHABLE: Answer<Door> = { ok: false, network: true };

let timers: FakeTimers;
let view: DoorView;
let asked: string[];
let answer: Answer<Door>;
let feed: DoorFeed;

beforeEach(() => {
  timers = new FakeTimers();
  view = { name: 'none' };
  asked = [];
  answer = { ok: true, data: DOOR };
  feed = new DoorFeed({
    fetch: (session, point) => {
      asked.push(`${session} ${point}`);
      return Promise.resolve(answer);
    },
    timers,
    random: () => 0.5,
    onView: (next) => (view = next),
  });
});

/** Lets everything that waits for an answer or for WebCrypto run. */
const settled = (): Promise<void> => new Promise((done) => setTimeout(done));

/** Two minutes of codes from `from_ms` on. */
const listed = (from_ms: number): Answer<Door> => {
  const codes = Array.from({ length: 8 }, (_, step) => ({ code: 'A', from_ms: from_ms + 15_000 * step }));
  return { ok: true, data: { ...DOOR, key: null, codes } };
};

test('a display gets the door of its session', async () => {
  feed.follow('S1', 'P1');
  expect(view.name).toBe('loading');
  await settled();
  expect(asked).toEqual(['S1 P1']);
  expect(view.name).toBe('ready');
});

test('without a session nothing is asked', async () => {
  feed.follow(null, 'P1');
  await settled();
  expect(asked).toEqual([]);
  expect(view.name).toBe('none');
});

test('a display that reconnects goes on showing its code while it asks again', async () => {
  feed.follow('S1', 'P1');
  await settled();
  answer = UNREACHABLE;
  feed.follow('S1', 'P1');
  await settled();
  expect(asked).toHaveLength(2);
  expect(view.name).toBe('ready');
});

test('another session does not show the code of the one before', async () => {
  feed.follow('S1', 'P1');
  await settled();
  feed.follow('S2', 'P1');
  expect(view.name).toBe('loading');
});

test('an answer for a session that was left behind is not shown', async () => {
  feed.follow('S1', 'P1');
  feed.follow(null, 'P1');
  await settled();
  expect(view.name).toBe('none');
});

test('a server that cannot be reached is asked again after growing waits', async () => {
  answer = UNREACHABLE;
  feed.follow('S1', 'P1');
  await settled();
  timers.advance(499);
  expect(asked).toHaveLength(1);
  timers.advance(1);
  await settled();
  expect(asked).toHaveLength(2);
  answer = { ok: true, data: DOOR };
  timers.advance(1000);
  await settled();
  expect(view.name).toBe('ready');
});

test('a refusal is told in words and asked again later: the session may be changed', async () => {
  const problem = { type: '', title: 'Không tìm thấy điểm cầu P1.', status: 404, code: 'not_found' };
  answer = { ok: false, problem };
  feed.follow('S1', 'P1');
  await settled();
  expect(view).toEqual({ name: 'refused', problem });
  answer = { ok: true, data: DOOR };
  timers.advance(15_000);
  await settled();
  expect(view.name).toBe('ready');
});

describe('a list of codes', () => {
  beforeEach(async () => {
    answer = listed(0);
    feed.follow('S1', 'P1');
    await settled();
    timers.advance(60_000);
  });

  test('is renewed a minute before its end', async () => {
    feed.check(61_999);
    await settled();
    expect(asked).toHaveLength(1);
    answer = listed(60_000);
    feed.check(62_000);
    await settled();
    expect(asked).toHaveLength(2);
    feed.check(62_250);
    expect(asked).toHaveLength(2);
  });

  test('is not asked for four times a second while the network is down', async () => {
    answer = UNREACHABLE;
    for (let tick = 0; tick < 40; tick++) {
      feed.check(70_000 + 250 * tick);
      await settled();
      timers.advance(250);
      await settled();
    }
    expect(asked.length).toBeLessThan(8);
    expect(view.name).toBe('ready');
  });
});

test('a display that hears of a spot-check asks anew, at a moment of its own, and goes on meanwhile', async () => {
  feed.follow('S1', 'P1');
  await settled();
  feed.renew(3000);
  timers.advance(1499);
  expect(asked).toHaveLength(1);
  expect(view.name).toBe('ready');
  answer = { ok: true, data: { ...DOOR, spot: { id: 7, until_ms: 600_000 } } };
  timers.advance(1);
  await settled();
  expect(asked).toHaveLength(2);
  expect(view.name === 'ready' && view.codes.door.spot?.id).toBe(7);
});

describe('during a spot-check', () => {
  const spot = { id: 7, until_ms: 60_000 };
  const spotDoor: Door = { ...DOOR, spot };

  test('the display makes codes of its own for it, and returns by itself', async () => {
    const checked = await DoorCodes.of(spotDoor);
    const plain = await DoorCodes.of(DOOR);
    const during = await checked.at(30_000);
    expect(during?.code).not.toBe((await plain.at(30_000))?.code);
    expect(checked.spotLeftMs(30_000)).toBe(30_000);
    expect((await checked.at(62_000))?.code).toBe((await plain.at(62_000))?.code);
    expect(checked.spotLeftMs(62_000)).toBe(0);
    expect(plain.spotLeftMs(30_000)).toBe(0);
  });

  test('the last code of a check is said to be for it, even in its last seconds', async () => {
    const late: Door = { ...DOOR, spot: { id: 7, until_ms: 50_000 } };
    const checked = await DoorCodes.of(late);
    const plain = await DoorCodes.of(DOOR);
    expect((await checked.at(55_000))?.code).not.toBe((await plain.at(55_000))?.code);
    expect(checked.spotLeftMs(55_000)).toBe(1);
  });
});

test('a display with the key asks for nothing more', async () => {
  feed.follow('S1', 'P1');
  await settled();
  timers.advance(3_600_000);
  feed.check(3_600_000);
  expect(asked).toHaveLength(1);
});
