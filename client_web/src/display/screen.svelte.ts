/** The screen itself: filled by the page, not going dark, and what it showed last. */
import type { SessionBrief } from '../core/wire';

export const screen = {
  /** iPhones cannot. */
  canFill: document.fullscreenEnabled,
  get full(): boolean {
    return full;
  },
};

let full = $state(document.fullscreenElement !== null);
document.addEventListener('fullscreenchange', () => (full = document.fullscreenElement !== null));

export function toggleFullScreen(): void {
  if (!screen.canFill) return;
  void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
}

/** Keeps the screen lit while the page is in front, where the browser can (HTTPS only); the answer ends it. */
export function keepAwake(): () => void {
  let lock: WakeLockSentinel | null = null;
  const ask = async (): Promise<void> => {
    if (document.hidden || !('wakeLock' in navigator)) return;
    lock = await navigator.wakeLock.request('screen').catch(() => null); // refused on a low battery
  };
  const again = (): void => void ask();
  again();
  document.addEventListener('visibilitychange', again);
  return () => {
    document.removeEventListener('visibilitychange', again);
    void lock?.release();
  };
}

const SESSION = 'diemcau_display_session';

/** The session that this screen showed last, also after the page was loaded anew. */
export function keptSession(): SessionBrief | null {
  try {
    return JSON.parse(sessionStorage.getItem(SESSION) ?? 'null') as SessionBrief | null;
  } catch {
    return null;
  }
}

export function keepSession(session: SessionBrief): void {
  try {
    sessionStorage.setItem(SESSION, JSON.stringify(session));
  } catch {
    // Where the browser keeps nothing, a page that is loaded anew knows less.
  }
}
