/** The words of one change. */
import type { SessionPointView } from '../../core/wire';
import { t, words, worded } from '../words';
import type { Entry } from './feed';

/** Whose change it is: a point's name, or a unit's with how many of its points. */
export function nameOf(entry: Entry, views: ReadonlyMap<string, SessionPointView>): string {
  const [only] = entry.points;
  if (entry.points.length > 1) return t('console.feed.many', { name: entry.name, count: entry.points.length });
  return (only && views.get(only)?.name) || entry.name;
}

/** What happened to one of the points, in one line. */
export function toldOfOne(entry: Entry): string {
  return entry.key === 'became' ? t(`link.${entry.to}`) : told(entry);
}

/** What happened, with its consequence, in one line. */
export function told(entry: Entry): string {
  if (entry.key === 'back') return t('console.feed.back', { gap: words.duration(entry.gap_ms) });
  const key = entry.key === 'became' ? entry.to : entry.key;
  return worded(`console.feed.${key}`, { people: entry.people });
}
