/** One sentence for the state of our line, what to do about it, and the shape that goes with it. */
import type { LinkView } from '../core/point_link';
import { CLOSE } from '../core/protocol';
import type { LinkState } from '../core/wire';
import { t, words } from './words';

export interface Saying {
  icon: LinkState;
  headline: string;
  text: string;
  /** What the person may press, if anything helps. */
  act?: 'take_over' | 'reload';
}

/** Trying for longer than this is no longer "connecting". */
const CONNECTING_MS = 8000;

/**
 * @param nowMs the timers' clock
 */
export function saying(view: LinkView, nowMs: number): Saying {
  const { rttMs, lostSince } = view;
  const forMs = lostSince === null ? 0 : nowMs - lostSince;
  switch (view.line) {
    case 'online':
      return {
        icon: 'online',
        headline: t('link.online'),
        text: rttMs === null ? t('operator.rtt_soon') : t('operator.rtt', { rtt: rttMs }),
      };
    case 'degraded':
      return {
        icon: 'degraded',
        headline: t('link.degraded'),
        text: rttMs === null ? t('operator.slow') : t('operator.slow_rtt', { rtt: rttMs }),
      };
    case 'lost':
      return {
        icon: 'lost',
        headline: t('operator.lost', { duration: words.duration(forMs) }),
        text: t('operator.lost_text'),
      };
    case 'connecting':
      return forMs < CONNECTING_MS
        ? { icon: 'expected', headline: t('operator.connecting'), text: t('operator.connecting_text') }
        : { icon: 'lost', headline: t('operator.unreached'), text: t('operator.unreached_text') };
    case 'closed':
      return ended(view.closeCode);
  }
}

function ended(code: number | null): Saying {
  if (code === CLOSE.REPLACED)
    return { icon: 'left', headline: t('operator.replaced'), text: t('operator.replaced_text'), act: 'take_over' };
  if (code === CLOSE.MALFORMED)
    return { icon: 'lost', headline: t('operator.outdated'), text: t('operator.outdated_text'), act: 'reload' };
  return { icon: 'lost', headline: t('operator.refused'), text: t('operator.refused_text'), act: 'reload' };
}
