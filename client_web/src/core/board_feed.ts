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

export class BoardFeed {
  readonly board = new Board();
  readonly clock: ServerClock;
  private readonly connection: Connection;
  private heardAt: number | null = null;
  private ready = false;

  constructor(private readonly options: BoardFeedOptions) {
    this.clock = new ServerClock(options.timers);
    this.connection = new Connection({
      open: options.open,
      timers: options.timers,
      random: options.random,
      identify: (hello) => this.identify(hello),
      onFrame: (frame) => {
        if (frame.type === 'snapshot' || frame.type === 'delta') this.take(this.board.apply(frame), frame.server_ms);
      },
      onPhase: (phase) => {
        this.ready = phase.name === 'ready';
        options.onPhase(phase);
      },
      silentBeats: null,
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

  /** How old the shown figures are, in ms: 0 while the line is up, null before the first snapshot. */
  staleMs(): number | null {
    if (this.heardAt === null) return null;
    return this.ready ? 0 : this.options.timers.now() - this.heardAt;
  }

  private identify(hello: Hello): BoardIdentify {
    this.clock.heard(hello.server_ms);
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
    if (applied.kind === 'gap') this.connection.reconnect();
    else if (applied.kind !== 'waiting') this.options.onChange(applied);
  }
}
