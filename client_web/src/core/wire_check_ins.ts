/** Check-ins by devices and staff, and what a hall's device holds of its list (wire/check_ins.py, wire/badges.py). */

export type CheckInKind = 'check_in' | 'check_out';

/** Who it is about: a badge's token (26 characters), a code of the list, or a person on no list as typed. */
export type Who =
  | { type: 'badge'; token: string }
  | { type: 'attendee'; code: string }
  | { type: 'unlisted'; name: string; unit?: string; stands_for?: string };

/** One fact that this device recorded. `nonce`: a UUIDv7, the same in every attempt to send it. */
export interface CheckInItem {
  nonce: string;
  point: string;
  who: Who;
  at_ms: number;
  kind: CheckInKind;
  offline: boolean;
  source?: 'badge' | 'manual';
  reason?: string;
  /** Attendee code of the summoned person whose place they take. */
  stands_for?: string;
}

export interface CheckInBatch {
  device_ms: number;
  items: CheckInItem[];
}

/** `code` null or missing: on no list. */
export interface PersonView {
  full_name: string;
  code?: string | null;
  title?: string;
  unit?: string | null;
  unit_name?: string;
}

/** The entry that counts. */
export interface CheckInView {
  point: string;
  point_name: string;
  at_ms: number;
  person?: PersonView | null;
  number?: number | null;
}

/** What became of one item; what has its default value may be missing. */
export interface CheckInResult {
  nonce: string;
  result: 'accepted' | 'duplicate' | 'refused';
  reason?: string;
  field?: string;
  flags?: string[];
  counted?: boolean;
  held?: boolean;
  replayed?: boolean;
  check_in?: CheckInView | null;
}

/** In the order of the batch. */
export interface CheckInResults {
  server_ms: number;
  offset_ms: number;
  items: CheckInResult[];
}

export interface AnnulRequest {
  reason: string;
  nonce?: string;
}

export interface Annulled {
  nonce: string;
  annuls: string;
  held?: boolean;
  replayed?: boolean;
  promoted?: CheckInView | null;
}

/** A person of the hall's own list; `number` as on the printed list. */
export interface RosterEntry {
  number: number;
  code: string;
  full_name: string;
  title?: string;
  unit_name?: string;
  present_ms?: number | null;
}

export interface Roster {
  session: string;
  point: string;
  items: RosterEntry[];
}

/** `[hash, sealed]`: base64 of SHA-256(token)[:8], and what only the token opens. */
export type SealedEntry = [hash: string, sealed: string];

/** What a sealed entry says. */
export interface BundlePerson {
  code: string;
  full_name: string;
  title: string;
  unit_name: string;
  number: number;
}

/** The hall's list, each person sealed under their badge; `roster` in clear only where the session allows it. */
export interface Bundle {
  session: string;
  point: string;
  made_ms: number;
  salt: string;
  entries: SealedEntry[];
  roster?: RosterEntry[] | null;
}
