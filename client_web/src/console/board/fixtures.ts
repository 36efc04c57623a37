/** Points and rows for tests of the board. */
import type { LinkState, LiveRow, SessionPointView } from '../../core/wire';
import { tilesOf, type Tile } from './arrange';

export function view(point: string, group: string, more: Partial<SessionPointView> = {}): SessionPointView {
  return {
    point,
    name: `Điểm cầu ${point}`,
    unit: `${group}-U`,
    unit_name: `Xã ${group}`,
    group,
    group_name: `Huyện ${group}`,
    mode: 'online',
    cluster: '',
    carrier: '',
    contact_name: '',
    contact_phone: '',
    capacity: 0,
    invited: 0,
    ...more,
  };
}

export function row(point: string, link: LinkState, more: Partial<LiveRow> = {}): LiveRow {
  return {
    point,
    link,
    since_ms: 0,
    present: 0,
    invited: 0,
    rtt_band: 0,
    signal: 'unknown',
    signal_ms: null,
    headcount: null,
    needs: '',
    unlisted: 0,
    ...more,
  };
}

/** Tiles from lines like `P1 A lost 40`: point, group, state, people present (of 50). */
export function tiles(...lines: string[]): Tile[] {
  const parts = lines.map((line) => line.split(' ') as [string, string, LinkState, string?]);
  const views = parts.map(([point, group]) => view(point, group));
  const rows = parts.map(([point, , link, present]) => row(point, link, { present: Number(present ?? 0), invited: 50 }));
  return tilesOf(views, new Map(rows.map((one) => [one.point, one])));
}
