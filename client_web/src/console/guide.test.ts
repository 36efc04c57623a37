import { expect, test } from 'vitest';

import type { SessionView } from '../core/wire';
import { stepsOf, type Known } from './guide';

const SESSION: SessionView = {
  code: 'S1',
  title: 'Buổi 1',
  starts_ms: 0,
  ends_ms: 0,
  state: 'open',
  state_ms: 0,
  conference: '',
  program: '',
  unit: null,
  rehearsal: false,
  readable_roster: false,
  points: 3,
  invited: 10,
  present: 0,
  unlisted: 0,
  allowed: [],
};
const NOTHING: Known = { units: false, points: false, people: false, session: null, paired: false };
const next = (known: Partial<Known>) => stepsOf({ ...NOTHING, ...known }).find(({ now }) => now);

test('on an empty database a newcomer is sent to the units first', () => {
  expect(next({})).toMatchObject({ name: 'units', href: '/s/units?new=1' });
});

test('a session without points, people or an open door is not ready yet', () => {
  const lists = { units: true, points: true, people: true };
  expect(next(lists)).toMatchObject({ name: 'session', href: '/?new=1' });
  for (const lack of [{ points: 0 }, { invited: 0 }, { state: 'draft' as const }]) {
    expect(next({ ...lists, session: { ...SESSION, ...lack } })).toMatchObject({ name: 'session', href: '/s/session/S1' });
  }
  expect(next({ ...lists, session: SESSION })).toMatchObject({ name: 'pair' });
});

test('after the first check-in no step is left', () => {
  const known = { units: true, points: true, people: true, session: { ...SESSION, present: 1 }, paired: true };
  expect(stepsOf(known).every(({ done }) => done)).toBe(true);
});
