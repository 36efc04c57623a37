/** Headcounts and quick reports (wire/headcounts.py, wire/quick_reports.py). Names and heads are never added together. */

/** What was said of a hall: by its own device, or to the centre on the telephone (`told_by`). */
export interface HeadcountView {
  point: string;
  number: number;
  source: 'operator' | 'center';
  told_by: string;
  made_by: string;
  at_ms: number;
  server_ms: number;
}

export interface HeadcountNew {
  point: string;
  number: number;
  by?: string;
  at_ms?: number;
  nonce: string;
}

export interface OwnHeadcount {
  server_ms: number;
  headcount: HeadcountView | null;
}

export interface PointHeadcount {
  point: string;
  name: string;
  unit_name: string;
  mode: 'center' | 'online' | 'tv';
  present: number;
  unlisted: number;
  reported: boolean;
  contact_name: string;
  contact_phone: string;
  headcount: HeadcountView | null;
}

export interface HeadcountList {
  server_ms: number;
  points: number;
  reported: number;
  items: PointHeadcount[];
}

/** The halls of one level; the centre's are a row of their own. */
export interface QuickReportRow {
  center: boolean;
  level: string;
  points: number;
  reported: number;
  checked_in: number;
  unlisted: number;
  headcount: number;
  delegates: number;
}

export interface QuickReportPoint {
  point: string;
  name: string;
  unit_name: string;
  reported: boolean;
}

/** A snapshot as of `at_ms`, or what the next one would say. */
export interface QuickReport {
  number: number;
  at_ms: number;
  made_by: string;
  session: string;
  title: string;
  conference: string;
  rows: QuickReportRow[];
  total: QuickReportRow;
  points: QuickReportPoint[];
}

export interface QuickReportBrief {
  number: number;
  at_ms: number;
  made_by: string;
  total: QuickReportRow;
}

export interface QuickReportList {
  items: QuickReportBrief[];
}
