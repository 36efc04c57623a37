/** A device's link to the centre: beats, round trips, and what the server says of the hall and its session. */
import { ServerClock } from './clock';
import { Connection, type Phase, type Socket } from './connection';
import { PROTOCOL_VERSION, type ServerFrame } from './protocol';
import type { Timers } from './timers';
import type { Hello, SessionBrief, Welcome } from './wire';

/** How the line is, from where we stand: our own socket's truth, not the board's. */
export type LineState = 'connecting' | 'online' | 'degraded' | 'lost' | 'closed';

export interface LinkView {
  line: LineState;
  /** When the line was lost, on the timers' clock. */
  lostSince: number | null;
  /** Why the server closed for good. */
  closeCode: number | null;
  /** The last measured round trip. */
  rttMs: number | null;
  /** The hall, once known: kept while the line is down. */
  point: Pick<Welcome, 'point' | 'point_name'> | null;
  session: SessionBrief | null;
  present: number;
  invited: number;
  /** People on no list, counted apart. */
  unlisted: number;
  /** Server time minus the timers' clock; null before any was heard. */
  offsetMs: number | null;
  /** Counts the welcomes: what was fetched before may be out of date. */
  welcomes: number;
}

/** Entries that wait on this device, and when the oldest happened by its clock; null: not known yet. */
export interface QueueDepth {
  queued: number | null;
  queued_oldest_ms: number | null;
}

export interface PointLinkOptions {
  open: () => Socket;
  timers: Timers;
  random: () => number;
  token: string;
  boot: string;
  onView: (view: LinkView) => void;
}

/** DESIGN.md §5: degraded at once above this round trip or when a beat goes unanswered, well after 30 s clean. */
const RTT_MAX_MS = 1000;
const CLEAN_MS = 30_000;
/** An answer that takes longer than this is shown as trouble before the socket is given up. */
const ANSWER_MS = 5000;
/** Two beats unanswered: a new socket is up again before the server's 30 s have passed. */
const SILENT_BEATS = 2;

export const NO_VIEW: LinkView = {
  line: 'connecting',
  lostSince: null,
  closeCode: null,
  rttMs: null,
  point: null,
  session: null,
  present: 0,
  invited: 0,
  unlisted: 0,
  offsetMs: null,
  welcomes: 0,
};

export class PointLink {
  private view: LinkView = NO_VIEW;
  private readonly clock: ServerClock;
  private readonly connection: Connection;
  private heartbeatMs = 10_000;
  private hidden = false;
  private queue: QueueDepth = { queued: null, queued_oldest_ms: null };
  private seq = 0;
  private readonly sentAt = new Map<number, number>();
  private troubleAt = -Infinity;
  private cancelBeat = (): void => {};
  private cancelAnswer = (): void => {};
  private cancelClean = (): void => {};

  constructor(private readonly options: PointLinkOptions) {
    this.clock = new ServerClock(options.timers);
    this.connection = new Connection({
      open: options.open,
      timers: options.timers,
      random: options.random,
      identify: (hello) => this.identify(hello),
      onFrame: (frame) => this.take(frame),
      onPhase: (phase) => this.moved(phase),
      silentBeats: SILENT_BEATS,
    });
  }

  start(): void {
    this.connection.start();
  }

  /** Says goodbye and ends: the hall has left, it is not lost. */
  leave(): void {
    this.connection.stop({ type: 'leave' });
  }

  /** The page is about to sleep: the silence that follows is not a loss. */
  away(): void {
    this.hidden = true; // a beat that says otherwise would call the point back before anybody returned
    this.connection.send({ type: 'away' });
  }

  /** Whether the page is out of sight; the server is told at once, by a beat. */
  setHidden(hidden: boolean): void {
    this.hidden = hidden;
    this.wake();
  }

  /** What this device has not sent yet: told with every beat. */
  setQueue(queue: QueueDepth): void {
    this.queue = queue;
  }

  /** The network came back, or somebody looks: try now, or find out whether the line still holds. */
  wake(): void {
    this.connection.hurry();
    this.beat();
  }

  private identify(hello: Hello): object {
    this.heartbeatMs = hello.heartbeat_ms;
    this.heardTime(hello.server_ms);
    const { token, boot } = this.options;
    return { type: 'identify', v: PROTOCOL_VERSION, token, boot };
  }

  private take(frame: Exclude<ServerFrame, Hello>): void {
    switch (frame.type) {
      case 'welcome': {
        const { point, point_name, session, present, invited, unlisted } = frame;
        this.show({ point: { point, point_name }, session, present, invited, unlisted, welcomes: this.view.welcomes + 1 });
        this.cancelBeat = this.options.timers.after(this.options.random() * this.heartbeatMs, () => this.beat());
        break;
      }
      case 'beat_ack':
        this.answered(frame.seq, frame.server_ms);
        break;
      case 'session':
        this.show({ session: frame.session });
        break;
      case 'count':
        this.show({ present: frame.present, invited: frame.invited, unlisted: frame.unlisted });
        break;
    }
  }

  private beat(): void {
    this.cancelBeat();
    const now = this.options.timers.now();
    const sent_ms = Math.round(this.clock.now() ?? 0);
    const rtt_ms = this.view.rttMs;
    if (!this.connection.send({ type: 'beat', seq: ++this.seq, sent_ms, rtt_ms, hidden: this.hidden, ...this.queue })) return;
    this.sentAt.set(this.seq, now);
    this.cancelAnswer();
    this.cancelAnswer = this.options.timers.after(ANSWER_MS, () => this.trouble());
    this.cancelBeat = this.options.timers.after(this.heartbeatMs, () => this.beat());
  }

  private answered(seq: number, serverMs: number): void {
    const sentAt = this.sentAt.get(seq);
    if (sentAt === undefined) return;
    for (const earlier of this.sentAt.keys()) if (earlier <= seq) this.sentAt.delete(earlier);
    if (this.sentAt.size === 0) this.cancelAnswer();
    const rttMs = this.options.timers.now() - sentAt;
    this.heardTime(serverMs, rttMs);
    this.show({ rttMs: Math.round(rttMs) });
    if (rttMs > RTT_MAX_MS) this.trouble();
  }

  /** The line falters; it counts as well again after a clean while. */
  private trouble(): void {
    this.troubleAt = this.options.timers.now();
    this.cancelClean();
    this.cancelClean = this.options.timers.after(CLEAN_MS, () => this.show({ line: this.liveLine() }));
    this.show({ line: this.liveLine() });
  }

  private liveLine(): LineState {
    if (this.view.line !== 'online' && this.view.line !== 'degraded') return this.view.line;
    return this.options.timers.now() - this.troubleAt < CLEAN_MS ? 'degraded' : 'online';
  }

  private moved(phase: Phase): void {
    this.cancelBeat();
    this.cancelAnswer();
    this.sentAt.clear();
    if (phase.name === 'ready') {
      this.view = { ...this.view, line: 'online' };
      this.show({ line: this.liveLine(), lostSince: null, closeCode: null });
    } else if (phase.name === 'closed') {
      this.show({ line: 'closed', closeCode: phase.code, rttMs: null });
    } else if (this.view.welcomes) {
      this.show({ line: 'lost', lostSince: phase.since, rttMs: null });
    } else {
      this.show({ line: 'connecting', lostSince: phase.since });
    }
  }

  private heardTime(serverMs: number, rttMs?: number): void {
    this.clock.heard(serverMs, rttMs);
    const serverNow = this.clock.now();
    if (serverNow !== null) this.show({ offsetMs: serverNow - this.options.timers.now() });
  }

  private show(change: Partial<LinkView>): void {
    this.view = { ...this.view, ...change };
    this.options.onView(this.view);
  }
}
