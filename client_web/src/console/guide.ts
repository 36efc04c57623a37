/** The steps of a first conference, each ticked off by what is there. Pure. */
import type { SessionView } from '../core/wire';

export type StepName = 'units' | 'points' | 'people' | 'session' | 'pair' | 'check_in';

export interface Step {
  name: StepName;
  done: boolean;
  /** The first step that is not done. */
  now: boolean;
  href: string;
}

export interface Known {
  units: boolean;
  points: boolean;
  people: boolean;
  /** The newest session. */
  session: SessionView | null;
  /** Whether a device of one of its points has ever spoken. */
  paired: boolean;
}

export function stepsOf({ units, points, people, session, paired }: Known): Step[] {
  const ready = session !== null && session.points > 0 && session.invited > 0 && session.state !== 'draft';
  const at = session ? `/s/session/${encodeURIComponent(session.code)}` : '/?new=1';
  const steps: [StepName, boolean, string][] = [
    ['units', units, '/s/units?new=1'],
    ['points', points, '/s/points?new=1'],
    ['people', people, '/s/people?new=1'],
    ['session', ready, at],
    ['pair', paired, at],
    ['check_in', (session?.present ?? 0) > 0, session ? `${at}/board` : at],
  ];
  const next = steps.findIndex(([, done]) => !done);
  return steps.map(([name, done, href], place) => ({ name, done, href, now: place === next }));
}
