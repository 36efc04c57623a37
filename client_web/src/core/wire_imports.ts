/** What a trial of an import tells: mirrors `diemcau.wire.imports`. */
import type { ImportFinding } from './wire';

export interface ImportColumn {
  index: number;
  header: string;
  field: string;
  samples: string[];
}

/** `header_row` 0: no row of column names was recognized; then `top` holds the first rows. */
export interface ImportSheet {
  name: string;
  header_row: number;
  rows: number;
  columns: ImportColumn[];
  top: string[][];
}

export interface UnitQuestion {
  key: string;
  name: string;
  reason: 'unknown' | 'ambiguous' | 'missing';
  row: number;
  rows: number;
  candidates: { code: string; name: string; above: string }[];
}

export interface ImportRow {
  row: number;
  state: 'new' | 'changed' | 'unchanged' | 'rejected';
  values: Record<string, string>;
  sheet: string;
}

export interface ImportPreview {
  fields: string[];
  sheets: ImportSheet[];
  rows: ImportRow[];
  questions: UnitQuestion[];
  skipped: Record<string, number>;
  notes: string[];
  findings: ImportFinding[];
  findings_total: number;
}

/** What somebody says about a sheet; columns count from 1, null: the field is not there. */
export interface SheetChoice {
  columns: Record<string, number | null>;
  header_row?: number;
}
