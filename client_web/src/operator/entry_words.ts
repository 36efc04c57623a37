/** An entry and an answer in words. */
import type { Verdict } from '../core/check_ins';
import type { Entry } from '../core/outbox';
import type { PersonView } from '../core/wire_check_ins';
import { t, words } from './words';

/** The one sentence of an answer. */
export function sentence({ word, at_ms, point_name }: Verdict): string {
  const key = `scan.word_${word}`;
  if (word.startsWith('already') && at_ms === undefined) return t('scan.word_already_plain');
  if (words.has(key)) return t(key, { time: words.time(at_ms ?? 0), point: point_name ?? '' });
  return refusal(word.replace('refused_', ''));
}

/** Why an entry was refused. */
export function refusal(reason: string): string {
  const key = `scan.word_refused_${reason}`;
  return words.has(key) ? t(key) : t('scan.word_refused', { reason });
}

/** "Chi ủy viên · Xã Đại Đồng" */
export function about({ title, unit_name }: PersonView): string {
  return [title, unit_name].filter(Boolean).join(' · ');
}

/** Who it is, as far as this device knows. */
export function nameOf({ person, item }: Entry): string {
  if (person?.full_name) return person.full_name;
  if (item.who.type === 'unlisted') return item.who.name;
  return item.who.type === 'attendee' ? t('scan.code', { code: item.who.code }) : t('scan.unknown_badge');
}

export function stateOf({ state, result, annulled, withdraw, annul_refused: kept }: Entry): string {
  if (state === 'withdrawn') return t('scan.state_withdrawn', { reason: annulled ?? '' });
  if (withdraw !== undefined) return t('scan.state_withdraw', { reason: withdraw });
  if (kept) return t('scan.state_annul_refused');
  if (annulled !== undefined) return t('scan.state_annulled', { reason: annulled });
  if (state === 'refused') return refusal(result?.reason ?? '');
  return t(result?.result === 'duplicate' ? 'scan.state_duplicate' : `scan.state_${state}`);
}

/** What was odd, in words; a flag of a newer server is passed over. */
export function flagWords(flags: readonly string[]): string[] {
  return flags.map((flag) => `scan.flag_${flag}`).filter((key) => words.has(key)).map((key) => t(key as 'scan.flag_late'));
}

/** The entries as a spreadsheet: for the day when a device must be given up before its queue is sent. */
export function asCsv(entries: Entry[]): string {
  const head = ['time', 'kind', 'who', 'unit', 'code', 'state'] as const;
  const rows = entries.map((entry) => {
    const { who, kind, at_ms } = entry.item;
    const code = who.type === 'badge' ? who.token : who.type === 'attendee' ? who.code : '';
    const unit = entry.person?.unit_name ?? (who.type === 'unlisted' ? (who.unit ?? '') : '');
    const time = `${words.date(at_ms)} ${words.timeWithSeconds(at_ms)}`;
    return [time, t(kind === 'check_in' ? 'scan.in' : 'scan.out'), nameOf(entry), unit, code, stateOf(entry)];
  });
  const lines = [head.map((name) => t(`scan.column_${name}`)), ...rows];
  return `\ufeff${lines.map((cells) => cells.map(cell).join(',')).join('\r\n')}\r\n`;
}

/** Quoted; what a spreadsheet would take for a formula is text. */
function cell(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${plain.replaceAll('"', '""')}"`;
}
