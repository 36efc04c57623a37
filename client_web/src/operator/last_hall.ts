/** What the centre last told this device of its hall, to go on with when the page opens without a network. */
import { erase, keep, recall } from '../core/kept';
import type { LinkView } from '../core/point_link';
import type { SessionBrief } from '../core/wire';

/** Figures and titles only: nothing about any person. */
export interface LastHall {
  point: string;
  session: SessionBrief | null;
  /** The session whose figures were frozen, until the next comes. */
  closed?: SessionBrief | null;
  present: number;
  invited: number;
  unlisted: number;
}

let written = '';

export async function lastHall(point: string): Promise<LastHall | null> {
  const kept = await recall<LastHall>('hall');
  return kept?.point === point ? kept : null;
}

export function rememberHall({ point, session, present, invited, unlisted }: LinkView, closed: SessionBrief | null): void {
  if (!point) return;
  const hall: LastHall = { point: point.point, session, closed, present, invited, unlisted };
  const text = JSON.stringify(hall);
  if (text === written) return;
  written = text;
  void keep('hall', hall);
}

export function forgetHall(): Promise<void> {
  written = '';
  return erase('hall');
}
