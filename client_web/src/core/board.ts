/** What a board knows: `snapshot + deltas`, kept equal to a fresh snapshot (I7). */
import type { Delta, LiveRow, LiveTotals, Resume, SessionState, Snapshot } from './wire';

/** What a frame did: `gap` means that it does not join what is held, and a snapshot must be asked for. */
export type Applied =
  | { kind: 'snapshot' }
  | { kind: 'delta'; changed: readonly LiveRow[]; gone: readonly string[] }
  | { kind: 'waiting' }
  | { kind: 'gap' };

const NO_TOTALS: LiveTotals = { points: 0, present: 0, invited: 0, silent_present: 0, links: {}, unlisted: 0 };

export class Board {
  /** Point code → its row. Replaced by a snapshot, changed in place by a delta. */
  rows = new Map<string, LiveRow>();
  totals = NO_TOTALS;
  state: SessionState = 'draft';
  /** The server's time of what is shown. */
  serverMs = 0;
  private held: Resume | null = null;
  private parts: Snapshot[] = [];

  /** What to resume from; null asks for a snapshot. */
  get resume(): Resume | null {
    return this.held;
  }

  apply(frame: Snapshot | Delta): Applied {
    return frame.type === 'snapshot' ? this.applySnapshot(frame) : this.applyDelta(frame);
  }

  /** Keeps what is shown, but asks for a snapshot next time; half a snapshot is thrown away. */
  forget(): void {
    this.held = null;
    this.parts = [];
  }

  private applySnapshot(part: Snapshot): Applied {
    const first = this.parts[0];
    if (part.part === 1) this.parts = [];
    else if (!first || first.seq !== part.seq || part.part !== this.parts.length + 1) return this.gap();
    this.parts.push(part);
    if (this.parts.length < part.parts) return { kind: 'waiting' };
    this.rows = new Map(this.parts.flatMap(({ points }) => points).map((row) => [row.point, row]));
    this.parts = [];
    this.held = { epoch: part.epoch, seq: part.seq };
    this.take(part);
    return { kind: 'snapshot' };
  }

  /** Rows are whole, so a delta that begins before what is held only repeats some of it. */
  private applyDelta(delta: Delta): Applied {
    if (!this.held || this.parts.length || delta.from_seq > this.held.seq) return this.gap();
    if (delta.seq < this.held.seq) return { kind: 'waiting' };
    for (const code of delta.gone) this.rows.delete(code);
    for (const row of delta.points) this.rows.set(row.point, row);
    this.held = { epoch: this.held.epoch, seq: delta.seq };
    this.take(delta);
    return { kind: 'delta', changed: delta.points, gone: delta.gone };
  }

  private gap(): Applied {
    this.forget();
    return { kind: 'gap' };
  }

  private take(frame: Snapshot | Delta): void {
    this.totals = frame.totals;
    this.state = frame.state;
    this.serverMs = frame.server_ms;
  }
}
