/** Imports on record, and taking one back (wire/import_runs.py). */

/** A list that was taken over. The figures count rows. */
export interface ImportRun {
  id: number;
  what: 'units' | 'points' | 'attendees';
  mode: 'add' | 'replace';
  file: string;
  made_ms: number;
  made_by: string;
  unit: string | null;
  state: 'staging' | 'done' | 'undoing' | 'undone';
  added: number;
  changed: number;
  unchanged: number;
  removed: number;
  undone_ms: number | null;
  undone_by: string;
}

/** What taking an import back did; `kept`: the first of the `kept_total` rows that stay as they are. */
export interface ImportUndone {
  undone: number;
  kept_total: number;
  kept: { code: string; reason: 'changed' | 'in_use' | 'taken' | 'gone' | 'forbidden' }[];
}
