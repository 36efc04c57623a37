/** Absences, their reasons, a session's options (wire/absences.py, wire/session_options.py). Defaults may be missing. */
import type { Page } from './wire';

export type AbsenceState = 'requested' | 'approved' | 'refused' | 'withdrawn';

export interface AbsenceReason {
  code: string;
  name: string;
}

/** `requested_by`, `decided_by`: an account, or `badge` for the attendee. `came`, `taken` go before `excused`. */
export interface AbsenceView {
  attendee: string;
  full_name: string;
  unit: string;
  unit_name: string;
  state: AbsenceState;
  reason: string;
  reason_name: string;
  requested_ms: number;
  requested_by: string;
  title?: string;
  point_name?: string;
  text?: string;
  late?: boolean;
  substitute?: string;
  substitute_code?: string | null;
  decided_ms?: number | null;
  decided_by?: string;
  note?: string;
  held?: boolean;
  excused?: boolean;
  came?: boolean;
  taken?: boolean;
}

/** Of the whole list, whatever the filter. */
export type AbsenceCounts = Record<AbsenceState | 'late' | 'held', number>;

export interface AbsencePage extends Page<AbsenceView> {
  counts: AbsenceCounts;
}

/** An absence that staff enter; `state` approved decides it at once. */
export interface AbsenceNew {
  attendee: string;
  reason: string;
  text: string;
  state: 'requested' | 'approved';
  substitute: string | null;
  substitute_name: string;
}

/** `absence_deadline_ms` null: the session's start. */
export interface SessionOptions {
  target_rate: number | null;
  absence_deadline_ms: number | null;
  document_number: string;
  document_date: string;
  place: string;
}
