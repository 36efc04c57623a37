/** Bodies and answers of `/api/v1` as types (wire/api.py); the sockets' are in wire_live. Times are ms since the epoch, UTC. */
import type { ImportPreview } from './wire_imports';

export * from './wire_live';

export type SessionState = 'draft' | 'open' | 'live' | 'break' | 'ended' | 'closed';
export type PointMode = 'center' | 'online' | 'tv';
export type Role = 'admin' | 'organizer' | 'clerk' | 'inspector';
export type DeviceKind = 'operator' | 'display';
export type AttendanceStatus = 'present' | 'late' | 'substituted' | 'excused' | 'unmarked' | 'unexcused';
export type Flag =
  | 'wrong_point'
  | 'not_invited'
  | 'late'
  | 'offline'
  | 'clock_skew'
  | 'shared_device'
  | 'unlisted'
  | 'substitute'
  | 'unknown_badge'
  | 'revoked_badge'
  | 'before_opening'
  | 'after_closing';

// --- answers of the API -----------------------------------------------------------------------------------

/** One thing wrong in an imported file: the row as the spreadsheet counts, the column by its header. */
export interface ImportFinding {
  row: number;
  column: string;
  reason: string;
  value?: string;
  /** Its name, where the workbook has several. */
  sheet?: string;
}

/** RFC 9457. `code` is stable; `title` is a sentence in the reader's language. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  params?: Record<string, string | number>;
  findings?: ImportFinding[];
}

/** A page of a list; `next` goes into `after`, null at the end. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface GrantView {
  role: Role;
  unit: string | null;
}

/** Who I am. */
export interface Me {
  kind: 'account' | 'device';
  name: string;
  grants: GrantView[];
  point: string | null;
  device_kind: DeviceKind | null;
}

export interface AccountView {
  name: string;
  grants: GrantView[];
  disabled: boolean;
}

export interface Unit {
  code: string;
  name: string;
  parent: string | null;
  level: string;
}

export interface Point {
  code: string;
  name: string;
  unit: string;
  capacity: number;
  mode: PointMode;
  contact_name: string;
  contact_phone: string;
  cluster: string;
  carrier: string;
  note: string;
}

export interface Attendee {
  code: string;
  full_name: string;
  title: string;
  unit: string;
  point: string | null;
  phone: string;
}

/** What an import did, or would do when `dry_run`. */
export interface ImportResult {
  rows: number;
  created: number;
  updated: number;
  unchanged: number;
  dry_run: boolean;
  rejected?: number;
  preview?: ImportPreview | null;
}

/** Long work: `done` of `total` rows. `files`: what it made, as `/jobs/{id}/file.pdf?part=1` and so on. */
export interface Job {
  id: string;
  kind: string;
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  done: number;
  total: number;
  result: ImportResult | null;
  problem: Problem | null;
  files?: { name: string; items: number }[];
}

/** A session as read; `allowed` are the states it may move to now. */
export interface SessionView {
  code: string;
  title: string;
  starts_ms: number;
  ends_ms: number;
  state: SessionState;
  state_ms: number;
  conference: string;
  program: string;
  unit: string | null;
  rehearsal: boolean;
  /** Operators' devices may hold the list of their own hall in clear. */
  readable_roster: boolean;
  points: number;
  invited: number;
  present: number;
  /** People on no list whom nobody has matched yet. */
  unlisted: number;
  allowed: SessionState[];
}

export interface Changed {
  added: number;
  removed: number;
  total: number;
}

/** A session's point with what a board tile needs besides its live row. */
export interface SessionPointView {
  point: string;
  name: string;
  unit: string;
  unit_name: string;
  group: string;
  group_name: string;
  mode: PointMode;
  cluster: string;
  carrier: string;
  contact_name: string;
  contact_phone: string;
  capacity: number;
  invited: number;
}

/** A single-use pairing code and the link an operator opens. */
export interface Pairing {
  code: string;
  expires_ms: number;
  url: string;
}

/** One point's code from the bulk call. */
export interface PointPairing extends Pairing {
  point: string;
  point_name: string;
}

/** This device's bearer token, shown once. */
export interface Paired {
  token: string;
  point: string;
  point_name: string;
  kind: DeviceKind;
}

export interface DeviceView {
  id: number;
  name: string;
  kind: DeviceKind;
  paired_ms: number;
  seen_ms: number | null;
  revoked: boolean;
}

/** One door code and the moment from which it is shown. */
export interface DoorCode {
  code: string;
  from_ms: number;
}

/** What a display needs; where the page may not hold `key` (no HTTPS) it is null, and `codes` are given. */
export interface Door {
  session: string;
  title: string;
  state: SessionState;
  point: string;
  point_name: string;
  door_id: number;
  step_s: number;
  server_ms: number;
  url_prefix: string;
  present: number;
  invited: number;
  key: string | null;
  codes: DoorCode[];
  /** A spot-check that goes on: until then the door shows codes of its own for it. */
  spot?: { id: number; until_ms: number } | null;
}

export interface AttendanceRow {
  code: string;
  full_name: string;
  title: string;
  unit: string;
  unit_name: string;
  point: string | null;
  point_name: string;
  status: AttendanceStatus;
  invited: boolean;
  at_ms: number | null;
  flags: Flag[];
  phone: string;
  /** When they checked out. */
  left_ms: number | null;
  /** The name of who took their place. */
  substitute: string;
  /** The name of the person whose place they took. */
  stands_for: string;
  /** Why somebody who is excused did not come. */
  reason: string;
}

/** Figures of one unit and all below it; `rate` in percent, null when nobody is summoned. */
export interface SummaryRow {
  unit: string;
  name: string;
  parent: string | null;
  depth: number;
  points: number;
  summoned: number;
  present: number;
  late: number;
  unmarked: number;
  unexcused: number;
  guests: number;
  rate: number | null;
  substituted: number;
  excused: number;
  unlisted: number;
  rate_with_substitutes: number | null;
}

export interface Summary {
  session: string;
  state: SessionState;
  as_of_ms: number;
  rows: SummaryRow[];
}

