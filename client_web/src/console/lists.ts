/** Asking the server for units, points and attendees: a page, a few to pick from, or all of them. */
import type { Answer } from '../core/api';
import { path, type Query } from '../core/api';
import type { Attendee, Changed, Page, Point, SessionView, Unit } from '../core/wire';
import type { BadgesIssued, BadgeView } from '../core/wire_review';
import type { Pickable } from './parts/Pick.svelte';
import { api } from './server.svelte';

const PICKABLE_ROWS = 30;
const ROWS_MAX = 1000;

export const askUnits = (query: Query): Promise<Answer<Page<Unit>>> => api.get('/units', query);
export const askPoints = (query: Query): Promise<Answer<Page<Point>>> => api.get('/points', query);
export const askPeople = (query: Query): Promise<Answer<Page<Attendee>>> => api.get('/attendees', query);
export const askSessions = (query: Query): Promise<Answer<Page<SessionView>>> => api.get('/sessions', query);

/** Units to pick from; empty when the server cannot be asked. */
export async function findUnits(q: string): Promise<Pickable[]> {
  const answer = await askUnits({ q, limit: PICKABLE_ROWS });
  return answer.ok ? answer.data.items.map(({ code, name, level }) => ({ code, name, note: noted(code, level) })) : [];
}

/** Points to pick from. */
export async function findPoints(q: string): Promise<Pickable[]> {
  const answer = await askPoints({ q, limit: PICKABLE_ROWS });
  return answer.ok ? answer.data.items.map(({ code, name, unit }) => ({ code, name, note: noted(code, unit) })) : [];
}

function noted(code: string, more: string): string {
  return more ? `${code} · ${more}` : code;
}

/** The name of a unit, its code when the server does not say. */
export async function unitName(code: string): Promise<string> {
  const answer = await api.get<Unit>(path('units', code));
  return answer.ok ? answer.data.name : code;
}

export async function pointName(code: string): Promise<string> {
  const answer = await api.get<Point>(path('points', code));
  return answer.ok ? answer.data.name : code;
}

/** Every row of a list, page after page. */
async function every<T>(ask: (query: Query) => Promise<Answer<Page<T>>>): Promise<Answer<T[]>> {
  const rows: T[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const answer: Answer<Page<T>> = await ask({ limit: ROWS_MAX, after });
    if (!answer.ok) return answer;
    rows.push(...answer.data.items);
    after = answer.data.next;
  }
  return { ok: true, data: rows };
}

/** Makes the points of `unit` and all below it the session's points; '' takes every point. */
export async function choosePoints(session: string, unit: string): Promise<Answer<Changed>> {
  const to = path('sessions', session, 'points');
  if (unit) return api.put(to, { unit });
  const all = await every(askPoints);
  return all.ok ? api.put(to, { points: all.data.map(({ code }) => code) }) : all;
}

/** Invites everybody of `unit` and all below it; '' invites everybody. */
export async function invite(session: string, unit: string): Promise<Answer<Changed>> {
  const to = path('sessions', session, 'invitations');
  const changed: Changed = { added: 0, removed: 0, total: 0 };
  return ofEachTop(unit, changed, async (code) => {
    const answer = await api.put<Changed>(to, { unit: code });
    if (answer.ok) Object.assign(changed, { added: changed.added + answer.data.added, total: answer.data.total });
    return answer;
  });
}

/** Gives a badge to everybody of `unit` and all below it who has none; '' takes everybody. */
export async function issueBadges(unit: string): Promise<Answer<BadgesIssued>> {
  const issued: BadgesIssued = { made: 0, total: 0 };
  return ofEachTop(unit, issued, async (code) => {
    const answer = await api.post<BadgesIssued>('/badges', { unit: code });
    if (answer.ok) Object.assign(issued, { made: issued.made + answer.data.made, total: issued.total + answer.data.total });
    return answer;
  });
}

/** Every badge of `unit` and all below it. */
export const everyBadge = (unit: string): Promise<Answer<BadgeView[]>> =>
  every((query) => api.get<Page<BadgeView>>('/badges', { ...query, unit }));

/** Does something for `unit`, or for each unit that stands at the top of the reader's; `sum` when all went well. */
async function ofEachTop<T>(unit: string, sum: T, act: (code: string) => Promise<Answer<unknown>>): Promise<Answer<T>> {
  const tops = unit ? { ok: true as const, data: [unit] } : await topUnits();
  if (!tops.ok) return tops;
  for (const code of tops.data) {
    const answer = await act(code);
    if (!answer.ok) return answer;
  }
  return { ok: true, data: sum };
}

async function topUnits(): Promise<Answer<string[]>> {
  const units = await every(askUnits);
  if (!units.ok) return units;
  const known = new Set(units.data.map(({ code }) => code));
  return { ok: true, data: units.data.filter(({ parent }) => parent === null || !known.has(parent)).map(({ code }) => code) };
}
