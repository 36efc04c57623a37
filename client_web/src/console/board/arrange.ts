/**
 * From points and live rows to the cards and tiles of the board. Pure.
 *
 * Trouble stands first; everything else keeps the place in which the server lists it, so that the eye learns
 * where each unit is. While a pointer rests on the board the order is held: states change in place.
 */
import { fold } from '../../core/fold';
import type { LinkState, LiveRow, SessionPointView } from '../../core/wire';

/** One point with what is known of it now. A point whose row has not come yet counts as expected. */
export interface Tile {
  code: string;
  view: SessionPointView;
  row: LiveRow;
  link: Shown;
}

/** A unit's points as one card (`SINGLES`: of several units). `speaking` of `tiles` keep in touch; `lost` are out of contact. */
export interface Card {
  code: string;
  name: string;
  tiles: Tile[];
  speaking: number;
  lost: number;
  present: number;
  invited: number;
}

/** A link state, or `tv`: a hall that follows by television has no link to watch. */
export type Shown = LinkState | 'tv';

export interface Filter {
  /** Only points in this state; '' for all. `trouble` is every state that asks for attention. */
  show: string;
  /** Words to find in names and codes of points and units, without diacritics. */
  text: string;
}

/** The card that holds the points of all units which have only one: its code, and its empty name. */
export const SINGLES = '';
/** Fewer units with one point than this keep a card each. */
const SINGLES_MIN = 4;

/** The order of cards and of tiles in them, kept while a pointer rests on the board. */
export interface Order {
  cards: string[];
  tiles: string[];
}

const RANK: Record<Shown, number> = {
  lost: 0,
  suspect: 1,
  degraded: 2,
  unknown: 3,
  expected: 4,
  left: 5,
  away: 6,
  excused: 7,
  tv: 8,
  online: 8,
};

/** States in which a hall's device keeps in touch. */
const SPEAKING: ReadonlySet<Shown> = new Set<Shown>(['online', 'degraded', 'away', 'tv']);

/** States that ask a coordinator for something. */
const TROUBLE: ReadonlySet<Shown> = new Set<Shown>(['lost', 'suspect', 'degraded', 'unknown']);

export function shown(view: SessionPointView, row: LiveRow): Shown {
  return view.mode === 'tv' && row.link === 'expected' ? 'tv' : row.link;
}

/** The tile of every point, in the server's order. */
export function tilesOf(
  views: readonly SessionPointView[],
  rows: ReadonlyMap<string, LiveRow>,
): Tile[] {
  const tiles: Tile[] = [];
  for (const view of views) {
    const row = rows.get(view.point);
    if (row) tiles.push({ code: view.point, view, row, link: shown(view, row) });
  }
  return tiles;
}

/** How many points are in each state; filters do not change these figures. */
export function countsOf(tiles: readonly Tile[]): Record<Shown | 'trouble', number> {
  const counts = {
    lost: 0,
    suspect: 0,
    degraded: 0,
    unknown: 0,
    expected: 0,
    left: 0,
    away: 0,
    excused: 0,
    tv: 0,
    online: 0,
    trouble: 0,
  };
  for (const { link } of tiles) {
    counts[link] += 1;
    if (TROUBLE.has(link)) counts.trouble += 1;
  }
  return counts;
}

/** Those tiles that the filter lets through. */
export function filtered(tiles: readonly Tile[], { show, text }: Filter): Tile[] {
  const words = fold(text).split(' ').filter(Boolean);
  return tiles.filter((tile) => {
    if (show === 'trouble' ? !TROUBLE.has(tile.link) : show && tile.link !== show) return false;
    if (words.length === 0) return true;
    const found = findable(tile.view);
    return words.every((word) => found.includes(word));
  });
}

const folded = new WeakMap<SessionPointView, string>();

/** What a search looks at, folded once per point. */
function findable(view: SessionPointView): string {
  let text = folded.get(view);
  if (text === undefined) {
    const { name, point, unit_name, group_name, contact_name, contact_phone } = view;
    text = fold([name, point, unit_name, group_name, contact_name, contact_phone].join(' '));
    text += ` ${view.point.toLowerCase()}`;
    folded.set(view, text);
  }
  return text;
}

/**
 * The card of each point: its group below the reader's scope or, inside one unit (`byUnit`), its own unit.
 * Many units with a single point would be a wall of cards with one tile each: they share one.
 */
export function homesOf(tiles: readonly Tile[], byUnit: boolean): ReadonlyMap<string, string> {
  const home = ({ view }: Tile): string => (byUnit ? view.unit : view.group);
  const sizes = new Map<string, number>();
  for (const tile of tiles) sizes.set(home(tile), (sizes.get(home(tile)) ?? 0) + 1);
  const single = (tile: Tile): boolean => sizes.get(home(tile)) === 1 && tile.view.mode !== 'center';
  const share = tiles.filter(single).length >= SINGLES_MIN;
  return new Map(tiles.map((tile) => [tile.code, share && single(tile) ? SINGLES : home(tile)]));
}

/**
 * Cards in the order to show them.
 *
 * @param homes the card of each point (`homesOf` all points, so that a filter does not change it)
 * @param held the order to keep, while a pointer rests on the board; what is new goes to the end
 * @param before the cards shown now: a card in which nothing changed is handed back as it is, so that
 *   only what changed is drawn again
 */
export function cardsOf(
  tiles: readonly Tile[],
  homes: ReadonlyMap<string, string>,
  held: Order | null = null,
  before: readonly Card[] = [],
): Card[] {
  const ranked = held ? byPlace(tiles, held.tiles) : byTrouble(tiles);
  const cards = new Map<string, Card>();
  for (const code of held ? held.cards : tiles.map(({ code }) => homes.get(code) ?? SINGLES)) {
    if (!cards.has(code)) cards.set(code, emptyCard(code));
  }
  for (const tile of ranked) addTo(cards, tile, homes.get(tile.code) ?? SINGLES);
  const filled = [...cards.values()].filter((card) => card.tiles.length > 0);
  const ordered = held ? filled : filled.sort((a, b) => b.lost - a.lost);
  const known = new Map(before.map((card) => [card.code, card]));
  return ordered.map((card) => unchanged(known.get(card.code), card) ?? card);
}

/** The order that `cards` stand in. */
export function orderOf(cards: readonly Card[]): Order {
  return {
    cards: cards.map((card) => card.code),
    tiles: cards.flatMap((card) => card.tiles.map((tile) => tile.code)),
  };
}

export function sameOrder(one: Order, other: Order): boolean {
  return same(one.cards, other.cards) && same(one.tiles, other.tiles);
}

function emptyCard(code: string): Card {
  return { code, name: '', tiles: [], speaking: 0, lost: 0, present: 0, invited: 0 };
}

function addTo(cards: Map<string, Card>, tile: Tile, code: string): void {
  const { group, group_name, unit_name } = tile.view;
  const card = cards.get(code) ?? emptyCard(code);
  cards.set(code, card);
  if (code !== SINGLES) card.name = code === group ? group_name : unit_name;
  card.tiles.push(tile);
  card.present += tile.row.present;
  card.invited += tile.row.invited;
  if (SPEAKING.has(tile.link)) card.speaking += 1;
  if (tile.link === 'lost') card.lost += 1;
}

function byTrouble(tiles: readonly Tile[]): Tile[] {
  return [...tiles].sort((a, b) => RANK[a.link] - RANK[b.link]);
}

function byPlace(tiles: readonly Tile[], codes: readonly string[]): Tile[] {
  const places = new Map(codes.map((code, place) => [code, place]));
  const placeOf = (tile: Tile): number => places.get(tile.code) ?? codes.length;
  return [...tiles].sort((a, b) => placeOf(a) - placeOf(b));
}

function unchanged(before: Card | undefined, card: Card): Card | null {
  if (!before || before.tiles.length !== card.tiles.length || before.name !== card.name) return null;
  return before.tiles.every((tile, at) => {
    const now = card.tiles[at];
    return now && tile.row === now.row && tile.view === now.view;
  })
    ? before
    : null;
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((value, at) => value === other[at]);
}
