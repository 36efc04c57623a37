/** Fetches what a display needs, and fetches again before it runs out. */
import type { Answer } from './api';
import { backoffMs } from './protocol';
import { DoorCodes } from './door_code';
import type { Timers } from './timers';
import type { Door, Problem } from './wire';

/** `refused`: the server says no, in words; it is asked again all the same. */
export type DoorView =
  | { name: 'none' }
  | { name: 'loading' }
  | { name: 'ready'; codes: DoorCodes }
  | { name: 'refused'; problem: Problem };

export interface DoorFeedOptions {
  fetch: (session: string, point: string) => Promise<Answer<Door>>;
  timers: Timers;
  random: () => number;
  onView: (view: DoorView) => void;
}

/** A list of codes is renewed this long before its end: half of what the server gives at once. */
const AHEAD_MS = 60_000;
const REFUSED_AGAIN_MS = 15_000;

export class DoorFeed {
  private view: DoorView = { name: 'none' };
  private wanted: { session: string; point: string } | null = null;
  private asking = false;
  private failures = 0;
  private notBefore = 0;
  private cancelAgain = (): void => {};

  constructor(private readonly options: DoorFeedOptions) {}

  /** Shows the door of this session at this point; asks anew each time, for the session may have moved. */
  follow(session: string | null, point: string): void {
    this.cancelAgain();
    const same = this.wanted !== null && this.wanted.session === session && this.wanted.point === point;
    this.wanted = session === null ? null : { session, point };
    if (!this.wanted) this.show({ name: 'none' });
    else if (!same) this.show({ name: 'loading' });
    this.failures = 0;
    void this.ask();
  }

  /** To be called now and then with the server's time: renews codes that run out. */
  check(serverMs: number): void {
    if (this.view.name !== 'ready' || this.view.codes.knownUntilMs - serverMs > AHEAD_MS) return;
    if (!this.asking && this.options.timers.now() >= this.notBefore) void this.ask();
  }

  /** Asks anew within some ms, each display at another moment: thousands hear of a change at once. */
  renew(withinMs: number): void {
    if (this.wanted) this.again(withinMs * this.options.random());
  }

  stop(): void {
    this.wanted = null;
    this.cancelAgain();
  }

  private async ask(): Promise<void> {
    const wanted = this.wanted;
    if (!wanted) return;
    this.asking = true;
    const answer = await this.options.fetch(wanted.session, wanted.point);
    const codes = answer.ok ? await DoorCodes.of(answer.data) : null;
    if (this.wanted !== wanted) return;
    this.asking = false;
    if (codes) {
      this.failures = 0;
      this.notBefore = this.options.timers.now() + REFUSED_AGAIN_MS / 3;
      this.show({ name: 'ready', codes });
    } else if ('problem' in answer) {
      this.show({ name: 'refused', problem: answer.problem });
      this.again(REFUSED_AGAIN_MS);
    } else {
      this.again(backoffMs(++this.failures, this.options.random()));
    }
  }

  private again(waitMs: number): void {
    this.notBefore = this.options.timers.now() + waitMs;
    this.cancelAgain();
    this.cancelAgain = this.options.timers.after(waitMs, () => void this.ask());
  }

  private show(view: DoorView): void {
    this.view = view;
    this.options.onView(view);
  }
}
