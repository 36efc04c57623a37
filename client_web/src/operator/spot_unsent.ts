/** Answers to spot-checks that have not got through, kept on this device: a reload must not cost what was counted. */
import type { SpotAnswer } from '../core/wire_spot_checks';
import type { Keeper } from './paper_draft';

/** By spot-check; codes and figures only, no name. */
export type Unsent = Record<number, SpotAnswer>;

export const unsentKey = (session: string, point: string): string => `diemcau_spot ${session} ${point}`;

/** What was kept under this key; nothing where it cannot be read. */
export function keptUnsent(keeper: Keeper, key: string): Unsent {
  try {
    const found: unknown = JSON.parse(keeper.getItem(key) ?? '{}');
    return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Unsent) : {};
  } catch {
    return {};
  }
}

/** Keeps them where the browser lets us; nothing is left behind when all got through. */
export function keepUnsent(keeper: Keeper, key: string, unsent: Unsent): void {
  try {
    if (Object.keys(unsent).length) keeper.setItem(key, JSON.stringify(unsent));
    else keeper.removeItem(key);
  } catch {
    // the page knows them for as long as it is open
  }
}

/** One person has one answer: the last. */
export function merged(before: SpotAnswer, more: SpotAnswer): SpotAnswer {
  const news = [...(more.seen ?? []), ...(more.not_seen ?? [])];
  const kept = (codes: string[] = []): string[] => codes.filter((code) => !news.includes(code));
  return {
    ...before,
    ...more,
    seen: [...kept(before.seen), ...(more.seen ?? [])],
    not_seen: [...kept(before.not_seen), ...(more.not_seen ?? [])],
  };
}
