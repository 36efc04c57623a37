/** The list of reasons for absences as it is edited: names that people write, codes that nobody needs to see. Pure. */
import { fold } from '../core/fold';
import type { AbsenceReason } from '../core/wire_absences';

const CODE_CHARS_MAX = 30;

/** The lines to keep: those with a name; new ones get a code from it, and a number where that is taken. */
export function newReasons(lines: readonly AbsenceReason[]): AbsenceReason[] {
  const named = lines.map(({ code, name }) => ({ code, name: name.trim() })).filter(({ name }) => name);
  const taken = new Set(named.map(({ code }) => code));
  return named.map(({ code, name }) => {
    if (code) return { code, name };
    const stem = fold(name).replace(/[^a-z0-9]+/g, '-').slice(0, CODE_CHARS_MAX).replace(/^-+|-+$/g, '').toUpperCase() || 'R';
    let made = stem;
    for (let number = 2; taken.has(made); number += 1) made = `${stem}-${number}`;
    taken.add(made);
    return { code: made, name };
  });
}
