/** A sheet that is being copied, kept on this device until it is saved or given up: a reload must not cost 43 ticks. */
import { newNonce } from '../core/nonce';
import type { PaperNew, PaperPerson, PaperUnlisted } from '../core/wire_papers';

/** Codes alone: a device that is lost must not tell whose names were on its hall's list. */
export interface PaperDraft {
  nonce: string;
  ticked: string[];
  /** Whose place a ticked person takes, code by code. */
  stands_for: Record<string, string>;
  unlisted: PaperUnlisted[];
  reason: string;
  /** When the people were there, by this device's clock; null: not chosen. */
  at_ms: number | null;
}

export interface Keeper {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** Where the draft of a hall in a session is kept. */
export const draftKey = (session: string, point: string): string => `diemcau_paper ${session} ${point}`;

export function newDraft(): PaperDraft {
  return { nonce: newNonce(), ticked: [], stands_for: {}, unlisted: [], reason: '', at_ms: null };
}

/** The draft of this key, or a new one where there is none or it cannot be read. */
export function keptDraft(keeper: Keeper, key: string): PaperDraft {
  try {
    const found: unknown = JSON.parse(keeper.getItem(key) ?? 'null');
    return isDraft(found) ? { ...found, stands_for: found.stands_for ?? {} } : newDraft();
  } catch {
    return newDraft();
  }
}

/** Keeps it where the browser lets us; false where it does not. */
export function keepDraft(keeper: Keeper, key: string, draft: PaperDraft): boolean {
  try {
    if (isEmpty(draft)) keeper.removeItem(key);
    else keeper.setItem(key, JSON.stringify(draft));
    return true;
  } catch {
    return false;
  }
}

export function isEmpty({ ticked, unlisted, reason }: PaperDraft): boolean {
  return ticked.length === 0 && unlisted.length === 0 && reason === '';
}

/** What goes to the server. */
export function sheetOf(draft: PaperDraft, point: string, nowMs: number): PaperNew {
  return {
    nonce: draft.nonce,
    point,
    reason: draft.reason.trim(),
    device_ms: nowMs,
    at_ms: draft.at_ms ?? nowMs,
    people: draft.ticked.map((code) => personOf(code, draft.stands_for[code])),
    unlisted: draft.unlisted,
  };
}

function personOf(code: string, summoned: string | undefined): PaperPerson {
  return summoned === undefined ? { code } : { code, stands_for: summoned };
}

/** `2026-11-21T07:45`, as the browser's own field writes a moment. */
export function localMoment(ms: number): string {
  const shifted = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

function isDraft(found: unknown): found is PaperDraft {
  return (
    typeof found === 'object' &&
    found !== null &&
    'nonce' in found &&
    'ticked' in found &&
    Array.isArray(found.ticked) &&
    'unlisted' in found &&
    Array.isArray(found.unlisted)
  );
}
