/** Searches a hall's list as people type: every word begins some word of the name, or the code begins so. */
import { fold } from '../core/fold';
import type { RosterEntry } from '../core/wire_check_ins';

export function findPeople(roster: readonly RosterEntry[], typed: string): RosterEntry[] {
  const wanted = fold(typed).split(' ').filter(Boolean);
  if (!wanted.length) return [];
  const code = typed.trim().toUpperCase();
  return roster.filter(
    ({ full_name, code: own }) =>
      own.startsWith(code) || readings(full_name).some((name) => begins(name.split(' '), wanted)),
  );
}

/** H'Hen Niê folds to "hhen nie"; whoever calls her types "hen nie". */
function readings(name: string): string[] {
  return [fold(name), fold(name.replace(/['’‘ʼ`´]/g, ' '))];
}

/** Each wanted word begins a word of its own. */
function begins(words: string[], wanted: string[]): boolean {
  const left = [...words];
  return wanted.every((word) => {
    const at = left.findIndex((other) => other.startsWith(word));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}
