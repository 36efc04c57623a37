/** Asking the server for units, points and attendees: a page, a few to pick from, or all of them. */
import type { Answer } from '../core/api';
import { path, type Query } from '../core/api';
import type { Attendee, Changed, Page, Point, SessionView, Unit } from '../core/wire';
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
  if (unit) return api.put(to, { unit });
  const units = await every(askUnits);
  if (!units.ok) return units;
  const known = new Set(units.data.map(({ code }) => code));
  const changed: Changed = { added: 0, removed: 0, total: 0 };
  for (const { code, parent } of units.data) {
    if (parent !== null && known.has(parent)) continue;
    const answer = await api.put<Changed>(to, { unit: code });
    if (!answer.ok) return answer;
    changed.added += answer.data.added;
    changed.total = answer.data.total;
  }
  return { ok: true, data: changed };
}
