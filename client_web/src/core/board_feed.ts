/** A board that follows the server: a connection and the state it feeds. */
import { Board, type Applied } from './board';
import { ServerClock } from './clock';
import { Connection, type Phase, type Socket } from './connection';
import type { Timers } from './timers';
import type { BoardIdentify, Hello } from './wire';

export interface BoardFeedOptions {
  open: () => Socket;
  timers: Timers;
  random: () => number;
  session: string;
  /** Only what lies below this unit; null: all that the reader may see. */
  unit: string | null;
  /** The state changed: redraw what is named, or all after a snapshot. */
  onChange: (applied: Applied) => void;
  onPhase: (phase: Phase) => void;
}

/** Nothing heard for this many beats, though we asked: the line is dead. */
const SILENT_BEATS = 2;
/** By then the question after one beat of silence has had time to be answered. */
const STALE_BEATS = 1.5;

export class BoardFeed {
  readonly board = new Board();
  readonly clock: ServerClock;
  private readonly connection: Connection;
  private heardAt: number | null = null;
  private ready = false;
  private heartbeatMs = 10_000;
  private cancelProbe = (): void => {};

  constructor(private readonly options: BoardFeedOptions) {
    this.clock = new ServerClock(options.timers);
    this.connection = new Connection({
      open: options.open,
      timers: options.timers,
      random: options.random,
      identify: (hello) => this.hello(hello),
      onFrame: (frame) => {
        if (frame.type === 'snapshot' || frame.type === 'delta') this.take(this.board.apply(frame), frame.server_ms);
      },
      onPhase: (phase) => {
        this.ready = phase.name === 'ready';
        if (!this.ready) this.cancelProbe();
        options.onPhase(phase);
      },
      silentBeats: SILENT_BEATS,
    });
  }

  start(): void {
    this.connection.start();
  }

  stop(): void {
    this.connection.stop();
  }

  /** The browser says that the network is back. */
  retryNow(): void {
    this.connection.hurry();
  }

  /**
   * How old the shown figures are, in ms: 0 while the line is up and answers (silence of a quiet session is fresh),
   * null before the first snapshot.
   */
  staleMs(): number | null {
    if (this.heardAt === null) return null;
    const ageMs = this.options.timers.now() - this.heardAt;
    return this.ready && ageMs < STALE_BEATS * this.heartbeatMs ? 0 : ageMs;
  }

  private hello(hello: Hello): BoardIdentify {
    this.heartbeatMs = hello.heartbeat_ms;
    this.clock.heard(hello.server_ms);
    return this.identify();
  }

  /** A quiet server and a dead line look the same: to ask again for what is held tells them apart. */
  private probe(): void {
    this.cancelProbe = this.options.timers.after(this.heartbeatMs, () => {
      this.connection.send(this.identify());
      this.probe();
    });
  }

  private identify(): BoardIdentify {
    return {
      type: 'identify',
      session: this.options.session,
      unit: this.options.unit,
      resume: this.board.resume,
    };
  }

  private take(applied: Applied, serverMs: number): void {
    this.heardAt = this.options.timers.now();
    this.clock.heard(serverMs);
    this.cancelProbe();
    this.probe();
    if (applied.kind === 'gap') this.connection.reconnect();
    else if (applied.kind !== 'waiting') this.options.onChange(applied);
  }
}
