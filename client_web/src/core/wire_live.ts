/** Frames of both sockets, and the rows of `GET …/live` (wire/live.py). Times are ms since the epoch, UTC. */
import type { SessionState } from './wire';

export type LinkState =
  | 'expected'
  | 'online'
  | 'degraded'
  | 'suspect'
  | 'lost'
  | 'away'
  | 'left'
  | 'excused'
  | 'unknown';
export type SignalState = 'unknown' | 'seen' | 'frozen' | 'no_picture' | 'no_sound';

// --- frames that a device sends ----------------------------------------------------------------------------

export interface Identify {
  type: 'identify';
  v: number;
  token: string;
  /** Made anew whenever the page starts. */
  boot: string;
  session?: string | null;
}

export interface Beat {
  type: 'beat';
  seq: number;
  sent_ms: number;
  rtt_ms?: number | null;
  hidden?: boolean;
  /** Entries that this device has not sent yet, and when the oldest happened; null: it cannot tell. */
  queued?: number | null;
  queued_oldest_ms?: number | null;
}

export interface Away {
  type: 'away';
}

export interface Leave {
  type: 'leave';
}

export type PointFrame = Identify | Beat | Away | Leave;

// --- frames that a device receives -------------------------------------------------------------------------

export interface Hello {
  type: 'hello';
  v: number;
  heartbeat_ms: number;
  server_ms: number;
  epoch: string;
}

export interface SessionBrief {
  code: string;
  title: string;
  state: SessionState;
  starts_ms: number;
  ends_ms: number;
  /** How many spot-checks were begun; when it grows, this hall may be asked something. */
  spot_checks?: number;
}

/** The device is known; `session` null: none is near. */
export interface Welcome {
  type: 'welcome';
  sid: string;
  point: string;
  point_name: string;
  session: SessionBrief | null;
  present: number;
  invited: number;
  unlisted: number;
}

export interface BeatAck {
  type: 'beat_ack';
  seq: number;
  server_ms: number;
}

export interface SessionEvent {
  type: 'session';
  session: SessionBrief;
}

export interface CountEvent {
  type: 'count';
  present: number;
  invited: number;
  unlisted: number;
}

export type ServerPointFrame = Hello | Welcome | BeatAck | SessionEvent | CountEvent;

// --- boards ------------------------------------------------------------------------------------------------

export interface Resume {
  epoch: string;
  seq: number;
}

/** What to watch: a session, or the part of it below `unit`. */
export interface BoardIdentify {
  type: 'identify';
  session: string;
  unit?: string | null;
  token?: string | null;
  resume?: Resume | null;
}

/** One point, now; `rtt_band` 0 unknown, 1 < 100 ms, 2 < 300, 3 < 1000, 4 above; `unlisted` people are counted apart. */
export interface LiveRow {
  point: string;
  link: LinkState;
  since_ms: number;
  present: number;
  invited: number;
  rtt_band: number;
  signal: SignalState;
  signal_ms: number | null;
  headcount: number | null;
  needs: string;
  unlisted: number;
}

/** Figures over all rows of the scope; `links` counts points by state. */
export interface LiveTotals {
  points: number;
  present: number;
  invited: number;
  silent_present: number;
  links: Partial<Record<LinkState, number>>;
  unlisted: number;
}

/** `GET …/live`: the whole scope at once. */
export interface Live {
  epoch: string;
  seq: number;
  server_ms: number;
  state: SessionState;
  totals: LiveTotals;
  points: LiveRow[];
}

/** A part of the scope: `part` of `parts`, all with the same `seq`. */
export interface Snapshot extends Live {
  type: 'snapshot';
  part: number;
  parts: number;
}

/** What changed since `from_seq`; `gone` left the scope. */
export interface Delta extends Omit<Live, 'epoch'> {
  type: 'delta';
  from_seq: number;
  gone: string[];
}

export type ServerBoardFrame = Hello | Snapshot | Delta;
