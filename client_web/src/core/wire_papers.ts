/** Sheets copied from paper (wire/papers.py). */
import type { CheckInResult } from './wire_check_ins';

export interface PaperPerson {
  code: string;
  stands_for?: string;
}

export interface PaperUnlisted {
  name: string;
  unit: string;
  stands_for: string;
}

/** A sheet; what its lines are called follows from `nonce`, so sending it again repeats nothing. */
export interface PaperNew {
  nonce: string;
  point: string;
  reason: string;
  device_ms: number;
  at_ms: number;
  people: PaperPerson[];
  unlisted: PaperUnlisted[];
}

/** What has its default value may be missing. */
export interface PaperView {
  nonce: string;
  point: string;
  point_name: string;
  reason: string;
  made_ms: number;
  made_by: string;
  people: number;
  counted: number;
  undone_ms?: number | null;
  photo?: string | null;
}

/** A result a line: first the people by code, then those on no list. */
export interface PaperEntered {
  paper: PaperView;
  items: CheckInResult[];
}
