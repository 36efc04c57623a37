/**
 * A WebSocket that comes back: hello → identify → frames, and after an end a jittered wait, unless the close
 * code is final. Knows no page: sockets, time and chance are passed in.
 */
import { backoffMs, decodeFrame, mayReconnect, type ServerFrame } from './protocol';
import type { Timers } from './timers';
import type { Hello } from './wire';

/** The part of WebSocket that is used here. */
export interface Socket {
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/**
 * Where the connection stands.
 *
 * `ready`: the server answered our identify. `since` is on the timers' clock: of the moment the last ready time
 * ended, or of the start. `closed`: final; `code` says why, 1000 when we left ourselves.
 */
export type Phase =
  | { name: 'connecting'; since: number }
  | { name: 'ready' }
  | { name: 'closed'; code: number };

export interface ConnectionOptions {
  open: () => Socket;
  timers: Timers;
  /** A number in [0, 1). */
  random: () => number;
  /** What to answer to the server's hello. */
  identify: (hello: Hello) => object;
  /** Every frame after hello. */
  onFrame: (frame: Exclude<ServerFrame, Hello>) => void;
  onPhase: (phase: Phase) => void;
  /** Without any frame for this many beats the socket is given up as dead. Null: silence is normal here. */
  silentBeats: number | null;
}

/** No hello, or no answer to identify, within this: the socket leads nowhere. */
const OPENING_MS = 15_000;

/** A line that was ready for less than this did not work: the next wait goes on growing. */
const STEADY_MS = 10_000;

/** An attempt that is younger than this may well succeed yet. */
const HURRY_MS = 3000;

export class Connection {
  private socket: Socket | null = null;
  private attempt = 0;
  private heartbeatMs = 0;
  private readyAt = 0;
  private openedAt = 0;
  private phase: Phase;
  private cancelWait = (): void => {};
  private cancelWatch = (): void => {};

  constructor(private readonly options: ConnectionOptions) {
    this.phase = { name: 'connecting', since: options.timers.now() };
  }

  /** Connects, and keeps at it. */
  start(): void {
    this.move({ name: 'connecting', since: this.options.timers.now() });
    this.attempt = 0;
    this.connect();
  }

  /** Ends for good; `last` is sent first when the line is up. */
  stop(last?: object): void {
    if (last) this.send(last);
    this.drop(1000);
    this.move({ name: 'closed', code: 1000 });
  }

  /** Sends one frame; false when the line is not ready (nothing is kept for later). */
  send(frame: object): boolean {
    if (this.phase.name !== 'ready' || !this.socket) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** The network came back: wait no longer. A line that is up, and an attempt just begun, are left alone. */
  hurry(): void {
    const trying = this.socket !== null && this.options.timers.now() - this.openedAt < HURRY_MS;
    if (this.phase.name === 'connecting' && !trying) this.reconnect();
  }

  /** Begins anew at once: what we hold does not join what we got. */
  reconnect(): void {
    if (this.phase.name === 'closed') return;
    this.drop(1000);
    this.move(this.offline());
    this.attempt = 0;
    this.connect();
  }

  private connect(): void {
    this.cancelWait();
    const socket = this.options.open();
    this.socket = socket;
    this.openedAt = this.options.timers.now();
    socket.onmessage = ({ data }) => {
      if (this.socket === socket && typeof data === 'string') this.receive(data);
    };
    socket.onclose = ({ code }) => {
      if (this.socket === socket) this.ended(code);
    };
    this.watch(OPENING_MS);
  }

  private receive(text: string): void {
    const frame = decodeFrame(text);
    if (frame?.type === 'hello') {
      this.heartbeatMs = frame.heartbeat_ms;
      this.socket?.send(JSON.stringify(this.options.identify(frame)));
      return;
    }
    if (this.phase.name !== 'ready') {
      if (!frame) return;
      this.readyAt = this.options.timers.now();
      this.move({ name: 'ready' });
    }
    const beats = this.options.silentBeats;
    if (beats === null) this.cancelWatch();
    else this.watch(beats * this.heartbeatMs);
    if (frame) this.options.onFrame(frame);
  }

  /** Gives the socket up when nothing is heard for `ms`; its own close event may take minutes. */
  private watch(ms: number): void {
    this.cancelWatch();
    this.cancelWatch = this.options.timers.after(ms, () => this.ended(1006));
  }

  private ended(code: number): void {
    this.drop(1000);
    if (!mayReconnect(code)) {
      this.move({ name: 'closed', code });
      return;
    }
    if (this.phase.name === 'ready' && this.options.timers.now() - this.readyAt >= STEADY_MS) this.attempt = 0;
    this.move(this.offline());
    const waitMs = backoffMs(this.attempt++, this.options.random());
    this.cancelWait = this.options.timers.after(waitMs, () => this.connect());
  }

  /** `connecting`, with `since` kept from the first failure on. */
  private offline(): Phase {
    return this.phase.name === 'connecting' ? this.phase : { name: 'connecting', since: this.options.timers.now() };
  }

  private drop(code: number): void {
    this.cancelWait();
    this.cancelWatch();
    const socket = this.socket;
    this.socket = null;
    socket?.close(code);
  }

  private move(phase: Phase): void {
    if (phase === this.phase) return;
    this.phase = phase;
    this.options.onPhase(phase);
  }
}
