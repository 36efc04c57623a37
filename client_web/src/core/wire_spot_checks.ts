/** Spot-checks: what the centre asks, what a hall answers (wire/spot_checks.py). */

export type Phase = 'start' | 'middle' | 'end';
export type SpotMode = 'sample' | 'code';

/** Headcounts and named people stand side by side and are never added together. */
export interface SpotFigures {
  points: number;
  answered: number;
  present: number;
  present_answered: number;
  headcount: number;
  asked: number;
  confirmed: number;
  not_confirmed: number;
  scanned: number;
}

export interface SpotCheckView {
  id: number;
  phase: Phase;
  mode: SpotMode;
  started_ms: number;
  ends_ms: number;
  made_by: string;
  figures: SpotFigures;
}

/** One hall in a spot-check; a headcount that is missing was not answered. */
export interface SpotPointView {
  point: string;
  point_name: string;
  unit_name: string;
  present: number;
  asked: number;
  confirmed: number;
  not_confirmed: number;
  scanned: number;
  headcount?: number | null;
  answered_ms?: number | null;
  answered_by?: string;
}

export interface SpotCheckPoints {
  check: SpotCheckView;
  items: SpotPointView[];
}

/** A name drawn by lot; `seen` null: not answered yet. */
export interface SpotPerson {
  code: string;
  full_name: string;
  title: string;
  unit_name: string;
  seen: boolean | null;
}

/** What a hall is asked now. */
export interface SpotTask {
  id: number;
  phase: Phase;
  mode: SpotMode;
  started_ms: number;
  ends_ms: number;
  present: number;
  people: SpotPerson[];
  headcount: number | null;
}

export interface SpotTasks {
  server_ms: number;
  items: SpotTask[];
}

/** An answer, in one piece or several. */
export interface SpotAnswer {
  headcount?: number;
  seen?: string[];
  not_seen?: string[];
}
