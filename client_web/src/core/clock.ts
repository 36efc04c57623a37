/** The server's time on this device's monotonic clock: a wrong or corrected wall clock changes nothing. */
import type { Timers } from './timers';

/** A measurement grows worse with age: quartz drifts by up to 50 ms in a quarter of an hour. */
const DRIFT = 50 / (15 * 60_000);

export class ServerClock {
  private offsetMs: number | null = null;
  private errorMs = Infinity;
  private measuredAt = 0;

  constructor(private readonly timers: Timers) {}

  /** Whether any time was heard. */
  get known(): boolean {
    return this.offsetMs !== null;
  }

  /**
   * Takes a server time that has just arrived. The better of two measurements wins; an unknown round trip counts
   * as a second. Half of the round trip is added: the answer was on its way for about that long.
   */
  heard(serverMs: number, roundTripMs?: number): void {
    const now = this.timers.now();
    const errorMs = (roundTripMs ?? 1000) / 2;
    const grownMs = this.errorMs + (now - this.measuredAt) * DRIFT;
    const offsetMs = serverMs + (roundTripMs ?? 0) / 2 - now;
    const contradicts = this.offsetMs !== null && Math.abs(offsetMs - this.offsetMs) > errorMs + grownMs;
    if (errorMs > grownMs && !contradicts) return;
    this.offsetMs = offsetMs;
    this.errorMs = errorMs;
    this.measuredAt = now;
  }

  /** The server's time, ms since the epoch; null before any was heard. */
  now(): number | null {
    return this.offsetMs === null ? null : this.timers.now() + this.offsetMs;
  }
}
