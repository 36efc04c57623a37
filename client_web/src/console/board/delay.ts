/** How late frames arrive, from the server's times in them and this device's monotonic clock. Pure. */

/** Clocks of quartz part by up to 50 ms in a quarter of an hour; the best frame is forgotten at that pace. */
const DRIFT = 50 / (15 * 60_000);

/**
 * The two clocks are not set alike, so a single frame says nothing. The fastest frame so far took about half a
 * round trip; every other one took as much longer as it lags behind that one.
 */
export class Delay {
  private best = Infinity;
  private bestAt = 0;
  private roundTrip_ms = 0;

  /** A frame with the server's time has arrived at `now`; how long it was on its way, in ms. */
  heard(now: number, server_ms: number): number {
    const lag = now - server_ms;
    if (lag < this.best + (now - this.bestAt) * DRIFT) {
      this.best = lag;
      this.bestAt = now;
    }
    return lag - this.best + this.roundTrip_ms / 2;
  }

  /** A request and its answer took this long; the shortest counts. */
  measured(roundTrip_ms: number): void {
    this.roundTrip_ms = this.roundTrip_ms ? Math.min(this.roundTrip_ms, roundTrip_ms) : roundTrip_ms;
  }
}
