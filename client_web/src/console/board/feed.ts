/** The latest changes of link states, told as a person would tell them. Pure. */
import type { LinkState, LiveRow, SessionPointView } from '../../core/wire';

/** One line: a point, or several points of one unit that changed together. `gap_ms`: how long it was lost. */
export interface Entry {
  id: number;
  at_ms: number;
  to: LinkState;
  /** A dictionary key without its area. */
  key: 'became' | 'first' | 'back' | 'steady';
  points: string[];
  name: string;
  people: number;
  gap_ms: number;
}

const ENTRIES_MAX = 60;
/**
 * Points of one unit that change within this time are one event, not a list. Halls that are cut off together are
 * noticed up to one beat (10 s) apart.
 */
const TOGETHER_MS = 15_000;
/**
 * A short silence that ends by itself is not worth a line, nor is a page that was hidden for a moment. After a
 * restart of the server every point is unknown: the headline says so once.
 */
const QUIET: ReadonlySet<LinkState> = new Set<LinkState>(['suspect', 'away', 'expected', 'excused', 'unknown']);

let nextId = 1;

/** `entries`, newest first, with what `changed` says against `before`. */
export function withChanges(
  entries: readonly Entry[],
  before: ReadonlyMap<string, LiveRow>,
  changed: readonly LiveRow[],
  views: ReadonlyMap<string, SessionPointView>,
): readonly Entry[] {
  let told = entries;
  for (const row of changed) {
    const was = before.get(row.point);
    const view = views.get(row.point);
    if (was && view && was.link !== row.link && telling(was.link, row.link)) {
      told = withOne(told, was, row, view);
    }
  }
  return told.length > ENTRIES_MAX ? told.slice(0, ENTRIES_MAX) : told;
}

/** What a board that has just been opened tells: the troubles that are there, since when each. */
export function firstEntries(
  rows: Iterable<LiveRow>,
  views: ReadonlyMap<string, SessionPointView>,
): readonly Entry[] {
  const troubled = [...rows].filter(({ link }) => link === 'lost' || link === 'degraded');
  troubled.sort((a, b) => a.since_ms - b.since_ms);
  const before = new Map(troubled.map((row) => [row.point, { ...row, link: 'online' as const }]));
  return withChanges([], before, troubled, views);
}

function telling(from: LinkState, to: LinkState): boolean {
  if (QUIET.has(to)) return false;
  return to !== 'online' || from === 'expected' || from === 'degraded' || from === 'lost';
}

function withOne(
  entries: readonly Entry[],
  was: LiveRow,
  row: LiveRow,
  view: SessionPointView,
): readonly Entry[] {
  const key = keyOf(was.link, row.link);
  const together = entries.findIndex(
    (entry) =>
      entry.to === row.link &&
      entry.key === key &&
      entry.name === view.group_name &&
      row.since_ms - entry.at_ms <= TOGETHER_MS,
  );
  const joined = together >= 0 ? entries[together] : undefined;
  const entry: Entry = {
    id: joined?.id ?? nextId++,
    at_ms: joined?.at_ms ?? row.since_ms,
    to: row.link,
    key,
    points: [row.point, ...(joined?.points ?? [])],
    name: view.group_name,
    people: row.present + (joined?.people ?? 0),
    gap_ms: key === 'back' ? Math.max(row.since_ms - was.since_ms, joined?.gap_ms ?? 0) : 0,
  };
  return [entry, ...entries.filter((_, at) => at !== together)];
}

function keyOf(from: LinkState, to: LinkState): Entry['key'] {
  if (to !== 'online') return 'became';
  if (from === 'expected') return 'first';
  return from === 'lost' ? 'back' : 'steady';
}
