/** What stands at the top of papers; the same as `wire/paper_headings.py`. */

export interface Organization {
  name: string;
  superior: string;
  place: string;
  motto: string;
  signer: string;
}

/** `target_rate`: percent of the summoned that each unit is to reach; null: none is set. */
export interface SessionHeading {
  document_number: string;
  document_date: string;
  place: string;
  target_rate: number | null;
}
