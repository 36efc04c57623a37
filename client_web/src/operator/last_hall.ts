/** What the centre last told this device of its hall, to go on with when the page opens without a network. */
import type { LinkView } from '../core/point_link';
import type { SessionBrief } from '../core/wire';

const KEY = 'diemcau_hall';

/** Figures and titles only: nothing about any person. */
export interface LastHall {
  point: string;
  session: SessionBrief | null;
  present: number;
  invited: number;
}

export function lastHall(point: string): LastHall | null {
  try {
    const saved = JSON.parse(localStorage.getItem(KEY) ?? 'null') as LastHall | null;
    return saved?.point === point ? saved : null;
  } catch {
    return null;
  }
}

export function rememberHall({ point, session, present, invited }: LinkView): void {
  if (!point) return;
  try {
    localStorage.setItem(KEY, JSON.stringify({ point: point.point, session, present, invited }));
  } catch {
    // the page goes on; only a reload without a network would not know the session
  }
}

export function forgetHall(): void {
  localStorage.removeItem(KEY);
}
