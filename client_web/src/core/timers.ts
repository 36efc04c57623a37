/** Time as core code sees it, so that tests own it. */

export interface Timers {
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** Runs `run` once after `ms`; the answer cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** The browser's own. `now` counts from the same origin in a page and in its worker. */
export const systemTimers: Timers = {
  now: () => performance.timeOrigin + performance.now(),
  after: (ms, run) => {
    const id = setTimeout(run, ms);
    return () => clearTimeout(id);
  },
};
