/** Suggesting codes, so that a newcomer need not invent them. Pure. */
import { fold } from '../core/fold';

/** Codes are printed, spoken and typed: short ones survive that. The server takes up to 40 characters. */
const SUGGESTED_CHARS_MAX = 24;

/** Whether the server takes it as a code. */
export function isCode(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,40}$/.test(text);
}

/** A code made from a name, not among `taken`: "Hội trường xã Đại Đồng" → `HOI-TRUONG-XA-DAI-DONG`. */
export function codeFrom(name: string, taken: ReadonlySet<string> = new Set()): string {
  const words = fold(name)
    .split(' ')
    .map((word) => word.replace(/[^a-z0-9]/g, ''))
    .filter(Boolean);
  let code = '';
  for (const word of words) {
    const longer = code ? `${code}-${word}` : word;
    if (longer.length > SUGGESTED_CHARS_MAX) break;
    code = longer;
  }
  code = (code || (words[0] ?? '').slice(0, SUGGESTED_CHARS_MAX)).toUpperCase();
  return code && taken.has(code) ? numbered(code, taken) : code;
}

/** The next code in a row: `DB-007` after `DB-006`. */
export function codeAfter(prefix: string, taken: ReadonlySet<string>): string {
  let number = taken.size + 1;
  const made = (): string => `${prefix}-${String(number).padStart(3, '0')}`;
  while (taken.has(made())) number += 1;
  return made();
}

function numbered(code: string, taken: ReadonlySet<string>): string {
  let number = 2;
  while (taken.has(`${code}-${number}`)) number += 1;
  return `${code}-${number}`;
}
