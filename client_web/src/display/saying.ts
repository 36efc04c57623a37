/** What the screen says about the line, and what it says where there is no code to show. */
import type { DoorView } from '../core/door_feed';
import type { Shown } from '../core/door_code';
import type { LinkView } from '../core/point_link';
import type { SessionBrief } from '../core/wire';
import type { Saying } from '../operator/saying';
import { t, words } from '../operator/words';

export interface Message {
  headline: string;
  text: string;
}

/**
 * The sentence that stands where the code would; null: the code is shown.
 *
 * @param last the session that was here last
 */
export function instead(
  view: LinkView,
  door: DoorView,
  shown: Shown | null,
  last: SessionBrief | null,
): Message | null {
  const { session } = view;
  if (!view.welcomes) return said('loading');
  if (!session) return said(last?.state === 'closed' ? 'closed' : 'none');
  const when = { time: words.time(session.starts_ms), date: words.date(session.starts_ms) };
  if (session.state === 'draft') return { headline: t('display.draft'), text: t('display.draft_text', when) };
  if (session.state === 'closed') return said('closed');
  if (door.name === 'refused') return { headline: door.problem.title, text: t('display.loading_text') };
  if (door.name !== 'ready') return said('loading');
  if (shown) return null;
  return said(door.codes.door.key !== null && !door.codes.endless ? 'no_crypto' : 'out_of_codes');
}

function said(what: 'loading' | 'none' | 'closed' | 'no_crypto' | 'out_of_codes'): Message {
  return { headline: t(`display.${what}`), text: t(`display.${what}_text`) };
}

/** The line in words; while it is down, with how long the code goes on. */
export function lineSentence(view: LinkView, line: Saying, door: DoorView, nowMs: number, serverMs: number): string {
  if (view.line !== 'lost' || view.lostSince === null || door.name !== 'ready') return line.headline;
  const duration = words.duration(nowMs - view.lostSince);
  if (door.codes.endless) return t('display.lost_endless', { duration });
  const leftMs = door.codes.knownUntilMs - serverMs;
  return leftMs > 0 ? t('display.lost_listed', { duration, left: words.duration(leftMs) }) : line.headline;
}
