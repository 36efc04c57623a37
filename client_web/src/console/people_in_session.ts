/** Finding people and halls of one session, to correct what was recorded of them. */
import type { Answer } from '../core/api';
import { path } from '../core/api';
import { fold } from '../core/fold';
import type { AttendanceRow, Page, SessionPointView } from '../core/wire';
import type { PersonView } from '../core/wire_check_ins';
import { askPeople, unitName } from './lists';
import type { Pickable } from './parts/Pick.svelte';
import { api } from './server.svelte';
import { t, words } from './words';

const ROWS = 20;

/** Somebody to choose, with what tells namesakes apart and whether they count already. */
export interface Candidate {
  code: string;
  name: string;
  about: string;
  standing: string;
}

/** "Chủ tịch · Xã Đại Đồng · DB-001" */
export function aboutPerson({ title, unit_name, code }: PersonView): string {
  return [title, unit_name, code].filter(Boolean).join(' · ');
}

/** "có mặt, Hội trường xã, 19:21" */
export function standingOf(row: AttendanceRow): string {
  const status = t(`console.attendance.${row.status}`);
  return row.at_ms === null ? status : [status, row.point_name, words.time(row.at_ms)].filter(Boolean).join(', ');
}

const askHere = (session: string, q: string): Promise<Answer<Page<AttendanceRow>>> =>
  api.get(path('sessions', session, 'attendance'), { q, limit: ROWS });

/** People by name or code: those of the session first, then everybody else on the lists. */
export async function findCandidates(session: string, q: string): Promise<Answer<Candidate[]>> {
  const [here, all] = await Promise.all([askHere(session, q), askPeople({ q, limit: ROWS })]);
  if (!here.ok) return here;
  if (!all.ok) return all;
  const known = new Set(here.data.items.map(({ code }) => code));
  const others = all.data.items.filter(({ code }) => !known.has(code));
  const names = await unitNames(others.map(({ unit }) => unit));
  const found = here.data.items.map((row) => ({
    code: row.code,
    name: row.full_name,
    about: aboutPerson(row),
    standing: standingOf(row),
  }));
  for (const { code, full_name, title, unit } of others) {
    const about = aboutPerson({ full_name, code, title, unit_name: names.get(unit) ?? unit });
    found.push({ code, name: full_name, about, standing: t('console.flag.not_invited') });
  }
  return { ok: true, data: found.slice(0, ROWS) };
}

async function unitNames(codes: readonly string[]): Promise<Map<string, string>> {
  const different = [...new Set(codes)];
  const names = await Promise.all(different.map(unitName));
  return new Map(different.map((code, place) => [code, names[place] ?? code]));
}

/** Summoned people of the session to pick from: whose place somebody takes. */
export function summonedOf(session: string): (q: string) => Promise<Pickable[]> {
  return async (q) => {
    const answer = await askHere(session, q);
    if (!answer.ok) return [];
    return answer.data.items
      .filter(({ invited }) => invited)
      .map((row) => ({ code: row.code, name: row.full_name, note: `${aboutPerson(row)} · ${standingOf(row)}` }));
  };
}

/** The session's halls to pick from. */
export function hallsOf(session: string): (q: string) => Promise<Pickable[]> {
  const asked = api.get<{ items: SessionPointView[] }>(path('sessions', session, 'points'));
  return async (q) => {
    const answer = await asked;
    const all = answer.ok ? answer.data.items : [];
    const typed = fold(q).split(' ').filter(Boolean);
    const matching = all.filter(({ name, point, unit_name }) => {
      const text = fold(`${name} ${point} ${unit_name}`);
      return typed.every((word) => text.includes(word));
    });
    return matching.slice(0, ROWS).map(({ point, name, unit_name }) => ({ code: point, name, note: `${unit_name} · ${point}` }));
  };
}
