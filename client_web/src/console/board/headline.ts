/** The board's headline: one sentence with the consequence, chosen from what is true now. Pure. */
import type { SessionState } from '../../core/wire';
import type { Tile } from './arrange';

/** A dictionary key without its area, its figures, and how loud it is. */
export interface Headline {
  key: string;
  params: Record<string, number>;
  mood: 'calm' | 'watch' | 'alarm';
}

/** What a coordinator must know first. In a break and after the end silence alarms nobody. */
export function headlineOf(state: SessionState, tiles: readonly Tile[]): Headline {
  const points = tiles.length;
  const present = sum(tiles, 'present');
  const invited = sum(tiles, 'invited');
  if (points === 0) return { key: 'no_points', params: {}, mood: 'calm' };
  if (state === 'draft') return { key: 'draft', params: { points, invited }, mood: 'calm' };
  if (state === 'ended' || state === 'closed') {
    return { key: state, params: { present, invited }, mood: 'calm' };
  }
  const calm = state === 'break' ? 'watch' : 'alarm';
  const lost = tiles.filter((tile) => tile.link === 'lost');
  if (lost.length > 0) {
    const people = sum(lost, 'present');
    return { key: people ? 'lost' : 'lost_empty', params: { points: lost.length, people }, mood: calm };
  }
  return withoutLoss(tiles);
}

function withoutLoss(tiles: readonly Tile[]): Headline {
  const count = (link: string): number => tiles.filter((tile) => tile.link === link).length;
  const all = tiles.length;
  for (const [link, key] of [
    ['unknown', 'unknown'],
    ['suspect', 'suspect'],
    ['degraded', 'degraded'],
  ] as const) {
    const points = count(link);
    if (points > 0) return { key, params: { points, all }, mood: 'watch' };
  }
  const expected = count('expected');
  if (expected === all) return { key: 'none_yet', params: { all }, mood: 'calm' };
  if (expected > 0) return { key: 'expected', params: { points: expected, all }, mood: 'calm' };
  const gone = count('left') + count('away');
  if (gone > 0) return { key: 'gone', params: { points: gone, all }, mood: 'calm' };
  return { key: 'well', params: { all }, mood: 'calm' };
}

function sum(tiles: readonly Tile[], figure: 'present' | 'invited'): number {
  return tiles.reduce((total, tile) => total + tile.row[figure], 0);
}
