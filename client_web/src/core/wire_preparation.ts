/** Preparation of a session by unit, contacts, upload links and personal links (wire/preparation.py). */

export type Missing = 'list' | 'contact' | 'device' | 'rehearsal';

/** A unit with all below it; `missing` is what it owes itself. */
export interface PreparationRow {
  unit: string;
  name: string;
  level: string;
  units: number;
  ready: number;
  lists: number;
  contacts: number;
  people: number;
  summoned: number;
  points: number;
  paired: number;
  rehearsed: number;
  list_ms: number | null;
  missing: Missing[];
  contact_name: string;
  contact_phone: string;
  takes_part: boolean;
  below: boolean;
}

export interface PreparationPage {
  total: PreparationRow;
  items: PreparationRow[];
  path: [string, string][];
  next: string | null;
}

export interface UnitContact {
  name: string;
  phone: string;
  note: string;
}

/** `url` is told this once. */
export interface UploadLinkMade {
  id: number;
  unit: string;
  unit_name: string;
  url: string;
  expires_ms: number;
}

export interface UploadLinkView {
  id: number;
  unit: string;
  unit_name: string;
  state: 'good' | 'expired' | 'revoked';
  made_ms: number;
  made_by: string;
  expires_ms: number;
  used_ms: number | null;
  people: number | null;
}

export interface PersonalLinks {
  items: { code: string; full_name: string; unit: string; unit_name: string; url: string }[];
  text: string;
  without: number;
}
