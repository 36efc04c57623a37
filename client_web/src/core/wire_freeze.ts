/** What closing freezes and what revisions change (wire/minutes.py). Times are ms since the epoch, UTC. */
import type { MinutesFigures } from './wire_review';

/** A device that has not sent everything, or of which nobody can say that it has (`known` false). */
export interface UnsentQueue {
  point: string;
  point_name: string;
  unit_name: string;
  contact_name: string;
  contact_phone: string;
  device: string;
  known: boolean;
  waiting: number | null;
  oldest_ms: number | null;
  told_ms: number | null;
}

export interface UnsentQueues {
  as_of_ms: number;
  points: number;
  waiting: number;
  unknown: number;
  items: UnsentQueue[];
}

export interface UnsentAtFreezing {
  point: string;
  known: boolean;
  waiting: number | null;
  told_ms: number | null;
}

/** `by`: an account or a device; left out for whoever did it at the door themselves. */
export interface RevisionEvent {
  kind: 'check_in' | 'check_out' | 'spot_check' | 'annul' | 'match' | 'paper' | 'excuse';
  source: 'door' | 'badge' | 'manual' | 'paper' | 'import';
  at_ms: number;
  server_ms: number;
  point_name: string;
  by?: string;
  reason?: string;
}

/** A place in the figures: a status, guest or unlisted; '' where no figure counts them. */
export type Standing = '' | 'present' | 'late' | 'substituted' | 'excused' | 'unexcused' | 'guest' | 'unlisted';

export interface RevisionChange {
  code: string;
  full_name: string;
  title: string;
  unit: string;
  unit_name: string;
  before: Standing;
  after: Standing;
  events: RevisionEvent[];
}

export interface UnitChange {
  unit: string;
  name: string;
  before: MinutesFigures;
  after: MinutesFigures;
}

export interface RevisionChanges {
  revision: number;
  at_ms: number;
  made_by: string;
  reason: string;
  figures: MinutesFigures;
  previous: MinutesFigures | null;
  units: UnitChange[];
  items: RevisionChange[];
  next: string | null;
}
