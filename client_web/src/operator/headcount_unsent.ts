/** A headcount that has not got through, kept on this device: a reload must not cost what was counted. */
import type { HeadcountNew } from '../core/wire_quick_reports';
import type { Keeper } from './paper_draft';

export const headcountKey = (session: string, point: string): string => `diemcau_headcount ${session} ${point}`;

/** What was kept under this key; nothing where it cannot be read. */
export function keptHeadcount(keeper: Keeper, key: string): HeadcountNew | null {
  try {
    const found = JSON.parse(keeper.getItem(key) ?? 'null') as Partial<HeadcountNew> | null;
    const whole = typeof found?.number === 'number' && typeof found.nonce === 'string' && typeof found.point === 'string';
    return whole ? (found as HeadcountNew) : null;
  } catch {
    return null;
  }
}

/** Keeps it where the browser lets us; null: it got through, or a newer one took its place. */
export function keepHeadcount(keeper: Keeper, key: string, unsent: HeadcountNew | null): void {
  try {
    if (unsent) keeper.setItem(key, JSON.stringify(unsent));
    else keeper.removeItem(key);
  } catch {
    // the page knows it for as long as it is open
  }
}
