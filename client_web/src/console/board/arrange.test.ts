import { describe, expect, test } from 'vitest';

import { cardsOf as arranged, countsOf, filtered, homesOf, orderOf, sameOrder, SINGLES, tilesOf } from './arrange';
import type { Card, Order, Tile } from './arrange';
import { row, tiles, view } from './fixtures';

const drawn = (cards: Card[]) => cards.map((card) => `${card.code}: ${card.tiles.map((tile) => tile.code).join(' ')}`);
const cardsOf = (all: Tile[], byUnit = false, held: Order | null = null, before: Card[] = []) =>
  arranged(all, homesOf(all, byUnit), held, before);

describe('cards', () => {
  test('the unit with most lost halls stands first, its lost halls first in it, the rest keep their places', () => {
    const all = tiles('A1 A online', 'A2 A degraded', 'B1 B online', 'B2 B lost', 'C1 C lost', 'C2 C lost', 'D1 D expected');
    expect(drawn(cardsOf(all, false))).toEqual(['C: C1 C2', 'B: B2 B1', 'A: A2 A1', 'D: D1']);
  });

  test('nothing moves under the pointer: a hall that falls changes in place', () => {
    const held = orderOf(cardsOf(tiles('A1 A online', 'A2 A online', 'B1 B online'), false));
    const now = cardsOf(tiles('A1 A online', 'A2 A lost', 'B1 B lost'), false, held);
    expect(drawn(now)).toEqual(['A: A1 A2', 'B: B1']);
    expect(now.map((card) => card.lost)).toEqual([1, 1]);
  });

  test('a hall added while the order is held comes last and is not forgotten', () => {
    const held = orderOf(cardsOf(tiles('B1 B online'), false));
    expect(drawn(cardsOf(tiles('A1 A online', 'B1 B online', 'B2 B lost'), false, held))).toEqual(['B: B1 B2', 'A: A1']);
  });

  test('the reader is told that the order would change', () => {
    const one = orderOf(cardsOf(tiles('A1 A online', 'B1 B online'), false));
    const other = orderOf(cardsOf(tiles('A1 A online', 'B1 B lost'), false));
    expect(sameOrder(one, one)).toBe(true);
    expect(sameOrder(one, other)).toBe(false);
  });

  test('a card adds up its people and who keeps in touch', () => {
    const [card] = cardsOf(tiles('A1 A online 40', 'A2 A away 10', 'A3 A lost 30', 'A4 A expected'), false);
    expect(card).toMatchObject({ present: 80, invited: 200, speaking: 2, lost: 1, name: 'Huyện A' });
  });

  test('one hall that changes redraws its own card only', () => {
    const views = [view('A1', 'A'), view('B1', 'B')];
    const rows = new Map([row('A1', 'online'), row('B1', 'online')].map((one) => [one.point, one]));
    const before = cardsOf(tilesOf(views, rows), false);
    rows.set('B1', row('B1', 'online', { present: 1 }));
    const after = cardsOf(tilesOf(views, rows), false, null, before);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    expect(after[1]?.present).toBe(1);
  });

  test('units with a single hall share one card, but the centre keeps its own', () => {
    const views = [view('C', 'CITY', { mode: 'center' }), ...['A', 'B', 'D', 'E'].map((name) => view(`${name}1`, name))];
    const all = tilesOf([...views, view('F1', 'F'), view('F2', 'F')], new Map(
      ['C', 'A1', 'B1', 'D1', 'E1', 'F1', 'F2'].map((point) => [point, row(point, 'online')]),
    ));
    expect(drawn(cardsOf(all))).toEqual(['CITY: C', ': A1 B1 D1 E1', 'F: F1 F2']);
    expect(cardsOf(all)[1]).toMatchObject({ code: SINGLES, name: '' });
    expect(drawn(cardsOf(all.slice(0, 4)))).toEqual(['CITY: C', 'A: A1', 'B: B1', 'D: D1']);
  });

  test('a search does not take a unit out of its card', () => {
    const all = tiles('A1 A online', 'A2 A online', 'B1 B online', 'C1 C online', 'D1 D online', 'E1 E online');
    const found = filtered(all, { show: '', text: 'A2' });
    expect(drawn(arranged(found, homesOf(all, false)))).toEqual(['A: A2']);
  });

  test('inside one unit the cards are the units of the points themselves', () => {
    expect(drawn(cardsOf(tiles('A1 A online', 'A2 A online'), true))).toEqual(['A-U: A1 A2']);
  });
});

describe('filters', () => {
  const all = tiles('A1 A lost', 'A2 A suspect', 'B1 B online', 'B2 B expected');
  const codes = (show: string, text = '') => filtered(all, { show, text }).map((tile) => tile.code);

  test('one state, all that needs attention, or everything', () => {
    expect(codes('lost')).toEqual(['A1']);
    expect(codes('trouble')).toEqual(['A1', 'A2']);
    expect(codes('')).toHaveLength(4);
  });

  test('names of points and units are found without diacritics, every word counts', () => {
    expect(codes('', 'huyen b')).toEqual(['B1', 'B2']);
    expect(codes('', 'diem cau b2')).toEqual(['B2']);
    expect(codes('', 'khong co')).toEqual([]);
  });

  test('a code is found as it is written', () => {
    const one = tilesOf([view('HN-0001', 'HN')], new Map([['HN-0001', row('HN-0001', 'online')]]));
    expect(filtered(one, { show: '', text: 'HN-0001' })).toHaveLength(1);
  });
});

test('a hall that follows by television is not counted as missing', () => {
  const views = [view('A1', 'A', { mode: 'tv' }), view('A2', 'A')];
  const rows = new Map([row('A1', 'expected'), row('A2', 'expected')].map((one) => [one.point, one]));
  expect(countsOf(tilesOf(views, rows))).toMatchObject({ tv: 1, expected: 1, trouble: 0 });
});
