/** The screen itself: filled by the page, and not going dark. */

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
