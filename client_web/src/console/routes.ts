/** The console's addresses: which page a path names, and the path of each page. Pure. */

/** The pages of one session beside its own. */
const VIEWS = ['board', 'preparation', 'attendance', 'absences', 'review', 'papers', 'quick-report', 'spot-checks'] as const;
export type View = (typeof VIEWS)[number];

export type Page =
  | { name: 'start' }
  | { name: 'setup'; token: string }
  | { name: 'login' }
  | { name: 'units' }
  | { name: 'points' }
  | { name: 'people' }
  | { name: 'accounts' }
  | { name: 'session'; session: string }
  | { name: View; session: string }
  | { name: 'nowhere' };

const LISTS = ['units', 'points', 'people', 'accounts', 'login'] as const;

/** The page that `path` names; unknown paths are `nowhere`. */
export function pageAt(path: string): Page {
  const parts = path.split('/').filter(Boolean).map(decoded);
  const [first, second, third, fourth] = parts;
  if (first === undefined) return { name: 'start' };
  if (first === 'setup' && second && parts.length === 2) return { name: 'setup', token: second };
  if (first !== 's') return { name: 'nowhere' };
  if (second === undefined || (second === 'sessions' && parts.length === 2)) return { name: 'start' };
  const list = LISTS.find((name) => name === second);
  if (list && parts.length === 2) return { name: list };
  if (second === 'session' && third) return sessionPage(third.toUpperCase(), fourth, parts.length);
  return { name: 'nowhere' };
}

function sessionPage(session: string, view: string | undefined, depth: number): Page {
  if (view === undefined) return { name: 'session', session };
  const name = VIEWS.find((one) => one === view);
  return name && depth === 4 ? { name, session } : { name: 'nowhere' };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a session's page, or of one of its others. */
export function sessionPath(session: string, view?: View): string {
  return `/s/session/${encodeURIComponent(session)}${view ? `/${view}` : ''}`;
}

/**
 * `query` with some values changed, as a string that begins with `?` (or is empty).
 * A value of null or '' removes the key: an address carries only what differs from the ordinary.
 */
export function queryWith(query: string, changes: Record<string, string | null>): string {
  const params = new URLSearchParams(query);
  for (const [key, value] of Object.entries(changes)) {
    if (value) params.set(key, value);
    else params.delete(key);
  }
  const text = params.toString();
  return text ? `?${text}` : '';
}

/** A path on this server to go to after signing in; anything else (another host, a script) becomes `/`. */
export function localPath(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) ? next : '/';
}
