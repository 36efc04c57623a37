/**
 * What staff review and correct: the log's events, lists for review, badges, frozen figures
 * (wire/check_ins.py, wire/badges.py, wire/minutes.py). What has its default value may be missing.
 */
import type { UnsentAtFreezing } from './wire_freeze';
import type { Flag } from './wire';
import type { CheckInView, PersonView } from './wire_check_ins';

export type EventKind = 'check_in' | 'check_out' | 'spot_check' | 'annul' | 'match' | 'paper' | 'excuse';
export type Source = 'door' | 'badge' | 'manual' | 'paper' | 'import';

/** One event of the log. `at_ms`: when it happened, as best known; `device_ms`: as the device said; `server_ms`: received. */
export interface EventView {
  nonce: string;
  kind: EventKind;
  source: Source;
  point: string;
  point_name: string;
  at_ms: number;
  device_ms: number;
  server_ms: number;
  by?: string;
  person?: PersonView | null;
  stands_for?: PersonView | null;
  offset_ms?: number | null;
  offline?: boolean;
  counted?: boolean;
  held?: boolean;
  annulled?: boolean;
  flags?: Flag[];
  of_nonce?: string | null;
  reason?: string;
}

/** A person on no list. `matched`: who a clerk says they are; `nonce`: of the entry that counts. */
export interface UnlistedView {
  id: number;
  name: string;
  unit_text: string;
  point: string;
  point_name: string;
  at_ms: number;
  nonce?: string | null;
  stands_for_text?: string;
  unknown_badge?: boolean;
  flags?: Flag[];
  matched?: PersonView | null;
}

/** Who an unlisted person is: `attendee` of the list, or a new person of `unit`. */
export interface MatchRequest {
  attendee?: string;
  unit?: string;
  full_name?: string;
  title?: string;
  stands_for?: string;
  reason?: string;
  nonce?: string;
}

/** duplicate: that person was counted already, at `check_in`. */
export interface Matched {
  nonce: string;
  result: 'accepted' | 'duplicate';
  person: PersonView;
  held?: boolean;
  replayed?: boolean;
  check_in?: CheckInView | null;
}

/** One person with entries in more than one hall, the entry that counts first. */
export interface TwoHalls {
  person: PersonView;
  entries: EventView[];
}

export type AnomalyKind = 'one_phone' | 'distant_networks' | 'impossible_pace';

/** `count`: of people, networks or arrivals, by kind. */
export interface AnomalyView {
  id: number;
  kind: AnomalyKind;
  first_ms: number;
  last_ms: number;
  count: number;
  point?: string | null;
  point_name?: string;
  people?: PersonView[];
  reviewed_ms?: number | null;
  reviewed_by?: string;
  note?: string;
}

/** A person's badge; `url` is what its QR says, `issue` counts from 1. */
export interface BadgeView {
  attendee: string;
  full_name: string;
  unit: string;
  unit_name: string;
  url: string;
  issue: number;
  made_ms: number;
}

/** How many were made now, and how many people in question have one. */
export interface BadgesIssued {
  made: number;
  total: number;
}

/** What was frozen. */
export interface MinutesFigures {
  points: number;
  summoned: number;
  present: number;
  late: number;
  substituted: number;
  excused: number;
  unexcused: number;
  guests: number;
  unlisted: number;
  waiting: number;
}

/** One revision; `previous`: the figures before it; `intact: false`: not what the server's key signed. */
export interface MinutesView {
  revision: number;
  at_ms: number;
  made_by: string;
  figures: MinutesFigures;
  reason?: string;
  sha256?: string;
  previous?: MinutesFigures | null;
  intact?: boolean;
  /** Queues that were not sent when it was made, or of which nobody could say. */
  unsent?: UnsentAtFreezing[];
}

/** The newest first; `waiting`: entries for the next revision; `fingerprint`: of the key that signs. */
export interface MinutesList {
  items: MinutesView[];
  waiting: number;
  fingerprint: string;
}
