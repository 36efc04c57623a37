/**
 * The durable queue of a hall's check-ins (DESIGN.md §6): every fact is stored with its nonce before it is first
 * sent, is sent again until the server gives a definite answer for it, and leaves the queue only then.
 *
 * Knows no page: storage, sending, time, chance and the lock between pages are passed in. Sending twice is
 * harmless (the server knows a nonce again), so every doubt is resolved by sending.
 */
import { byTime, isDefinite, isOver, isToAnnul, settled, withdrawn, type Entry } from './entry';
import { backoffMs } from './protocol';
import type { Timers } from './timers';
import type { Problem } from './wire';
import type { CheckInBatch, CheckInResult } from './wire_check_ins';

export type { Entry } from './entry';

export interface OutboxStore {
  /** False where what is stored dies with the page. */
  readonly durable: boolean;
  all(): Promise<Entry[]>;
  add(entry: Entry): Promise<void>;
  /** Reads and writes each entry in one transaction; `null` removes it. Entries that are gone are passed over. */
  change(nonces: string[], change: (entry: Entry) => Entry | null): Promise<void>;
}

/** What came of one request. `unavailable`: no answer of the server about these items, whatever came instead. */
export type Delivery =
  | { kind: 'answered'; results: CheckInResult[]; serverMs: number }
  | { kind: 'rejected'; problem: Problem }
  | { kind: 'unavailable'; why: Trouble; retryAfterMs?: number };

/** What became of taking an answered entry back. */
export type Retraction = 'done' | 'refused' | 'unavailable';

/** Why nothing gets through. `token`: the server does not know this device any more. */
export type Trouble = 'network' | 'busy' | 'token';

export interface OutboxView {
  durable: boolean;
  /** Not yet answered, the oldest first. */
  waiting: Entry[];
  /** Kept aside until a person decides. */
  refused: Entry[];
  /** All that this device still knows, the newest first. */
  recent: Entry[];
  trouble: Trouble | null;
  sending: boolean;
}

export interface OutboxOptions {
  store: OutboxStore;
  send: (session: string, batch: CheckInBatch, timeoutMs: number) => Promise<Delivery>;
  /** Takes back what the server has. */
  annul: (session: string, nonce: string, reason: string) => Promise<Retraction>;
  timers: Timers;
  random: () => number;
  /** This device's wall clock, ms since the epoch: goes to the server with each batch. */
  nowMs: () => number;
  /** Runs one sender at a time among all pages of this device. */
  exclusive: <T>(run: () => Promise<T>) => Promise<T>;
  onView: (view: OutboxView) => void;
  /** Tells the other pages that the store changed. */
  onChange?: () => void;
}

export const BATCH_ITEMS = 100;
/** Without an answer for this long the person at the door is told "saved": from then on it is an offline fact. */
export const LIVE_MS = 4000;
/** A full batch is 25 KB: on the worst line that still works, 10 kbit/s, it takes 20 s. */
const BATCH_TIMEOUT_MS = 30_000;
/** Answered entries that this device remembers, for its list and for "scanned here before". */
const SENT_KEPT = 500;
/** Refusals of a whole request that splitting it cannot cure. */
const WHOLE = new Set(['not_found', 'forbidden']);

export const NO_OUTBOX: OutboxView = { durable: true, waiting: [], refused: [], recent: [], trouble: null, sending: false };

export class Outbox {
  private lineDown = false;
  private cut = false;
  private running = false;
  private again = false;
  /** Something happened while an attempt was under way: if that one fails, another may succeed at once. */
  private woken = false;
  private stopped = false;
  private failures = 0;
  /** The server asked for quiet until then, on the timers' clock. */
  private quietUntil = 0;
  private trouble: Trouble | null = null;
  private cancelWait = (): void => {};
  private readonly listeners = new Map<string, (result: CheckInResult | null) => void>();

  constructor(private readonly options: OutboxOptions) {}

  /** Goes on with what an earlier page left. */
  start(): void {
    void this.refresh();
    this.wake();
  }

  stop(): void {
    this.stopped = true;
    this.cancelWait();
  }

  /**
   * What is known of the line: while it is down, new entries are offline facts from the start.
   *
   * @param cut the device has no network at all: nothing is tried, so nothing may have been sent
   */
  line(up: boolean, cut = false): void {
    const cameBack = (up && this.lineDown) || (this.cut && !cut);
    this.lineDown = !up;
    this.cut = cut;
    if (cameBack) this.wake();
  }

  /** Tries now. */
  wake(): void {
    this.cancelWait();
    this.woken = this.running;
    void this.run();
  }

  /**
   * Stores a fact, then sends it.
   *
   * @returns once it is stored; `answer` is the server's result, or null when it waits for a line
   */
  async add(entry: Omit<Entry, 'state' | 'result' | 'answered_ms'>): Promise<{ answer: Promise<CheckInResult | null> }> {
    const item = { ...entry.item, offline: entry.item.offline || this.lineDown };
    await this.options.store.add({ ...entry, item, state: 'waiting', result: null, answered_ms: null });
    const answer = item.offline ? Promise.resolve(null) : this.answerOf(entry.nonce);
    await this.changed();
    if (this.options.timers.now() >= this.quietUntil) this.wake();
    return { answer };
  }

  /** Sends a refused entry once more: as a fact, for the person has gone through the door. */
  async retry(nonce: string): Promise<void> {
    await this.options.store.change([nonce], (entry) =>
      entry.state === 'refused'
        ? { ...entry, state: 'waiting', item: { ...entry.item, offline: true }, result: null }
        : entry,
    );
    await this.changed();
    this.wake();
  }

  /** Removes a refused entry by a person's hand; nothing else can be removed. */
  async drop(nonce: string): Promise<void> {
    await this.options.store.change([nonce], (entry) => (entry.state === 'refused' ? null : entry));
    await this.changed();
  }

  /**
   * Takes a waiting entry back. What was never sent is kept aside and never will be; what may have been sent is
   * delivered first, so that the server knows which entry it is to annul.
   *
   * @returns `answered` when the server has answered meanwhile, and it is an ordinary annulment
   */
  async withdraw(nonce: string, reason: string): Promise<'withdrawn' | 'asked' | 'answered'> {
    let became = 'answered' as 'withdrawn' | 'asked' | 'answered';
    await this.options.store.change([nonce], (entry) => {
      if (entry.state !== 'waiting') return entry;
      became = entry.tried ? 'asked' : 'withdrawn';
      return entry.tried ? { ...entry, withdraw: reason } : withdrawn(entry, reason);
    });
    if (became === 'withdrawn') this.settle(nonce, null);
    await this.changed();
    return became;
  }

  /** Remembers that an answered entry was taken back. */
  async annulled(nonce: string, reason: string): Promise<void> {
    await this.options.store.change([nonce], (entry) => ({ ...entry, annulled: reason }));
    await this.changed();
  }

  /** Forgets the answered entries (and whom they name); what waits or was refused stays. */
  async forget(session?: string): Promise<void> {
    const sent = (await this.options.store.all()).filter((entry) => isOver(entry) && entry.session !== session);
    await this.options.store.change(sent.map(({ nonce }) => nonce), () => null);
    await this.changed();
  }

  /** Reads the store anew: another page changed it. */
  async refresh(): Promise<void> {
    const entries = (await this.options.store.all()).sort(byTime);
    for (const { nonce, state, result } of entries) if (state !== 'waiting') this.settle(nonce, result);
    this.options.onView({
      durable: this.options.store.durable,
      waiting: entries.filter(({ state }) => state === 'waiting'),
      refused: entries.filter(({ state }) => state === 'refused'),
      recent: entries.reverse(),
      trouble: this.trouble,
      sending: this.running,
    });
  }

  private answerOf(nonce: string): Promise<CheckInResult | null> {
    return new Promise((resolve) => {
      this.listeners.set(nonce, resolve);
      this.options.timers.after(LIVE_MS, () => this.settle(nonce, null));
    });
  }

  private settle(nonce: string, result: CheckInResult | null): void {
    this.listeners.get(nonce)?.(result);
    this.listeners.delete(nonce);
  }

  private async changed(): Promise<void> {
    await this.refresh();
    this.options.onChange?.();
  }

  /** Sends until nothing waits or nothing gets through. */
  private async run(): Promise<void> {
    this.again = true;
    if (this.running || this.stopped) return;
    this.running = true;
    let delivered = true;
    while (this.again && (delivered || this.mayTryNow()) && !this.stopped) {
      this.again = this.woken = false;
      delivered = await this.options.exclusive(() => this.round()).catch(() => false);
    }
    this.running = false;
    if (this.stopped) return;
    if (!delivered) this.tryLater();
    void this.refresh();
  }

  private mayTryNow(): boolean {
    return this.woken && this.options.timers.now() >= this.quietUntil;
  }

  /** Waits with jitter, or for as long as the server asks. */
  private tryLater(): void {
    const { timers, random } = this.options;
    const waitMs = Math.max(0, this.quietUntil - timers.now()) + backoffMs(++this.failures, random());
    this.cancelWait();
    this.cancelWait = timers.after(waitMs, () => void this.run());
  }

  /** One batch, read from the store under the lock. */
  private async round(): Promise<boolean> {
    const all = (await this.options.store.all()).sort(byTime);
    const waiting = all.filter(({ state }) => state === 'waiting');
    const retracted = all.find(isToAnnul);
    if ((!waiting.length && !retracted) || this.stopped) return true;
    if (this.cut) {
      this.trouble = 'network';
      return false;
    }
    this.again = true;
    const batch = await this.batchOf(waiting);
    const delivered = batch.length ? await this.deliver(batch) : !retracted || (await this.retract(retracted));
    if (delivered) this.failures = 0;
    await this.changed();
    return delivered;
  }

  /** Who stands at the door now comes first; then the oldest session's facts, as offline ones. */
  private async batchOf(waiting: Entry[]): Promise<Entry[]> {
    const live = waiting.filter((entry) => this.isLive(entry));
    const from = live.length ? live : waiting;
    const batch = from.filter(({ session }) => session === from[0]?.session).slice(0, BATCH_ITEMS);
    return this.tried(live.length ? batch : await this.asOffline(batch));
  }

  /** Marks durably that these are being sent; without those that a person took back this very moment. */
  private async tried(batch: Entry[]): Promise<Entry[]> {
    const unmarked = batch.filter(({ tried }) => !tried).map(({ nonce }) => nonce);
    const gone = new Set<string>();
    const mark = (entry: Entry): Entry => {
      if (entry.state === 'waiting') return { ...entry, tried: true };
      gone.add(entry.nonce);
      return entry;
    };
    if (unmarked.length) await this.options.store.change(unmarked, mark);
    return batch.filter(({ nonce }) => !gone.has(nonce));
  }

  /** Annuls one entry that was to be taken back while nobody knew whether the server had it. */
  private async retract({ session, nonce, withdraw = '' }: Entry): Promise<boolean> {
    const became = await this.options.annul(session, nonce, withdraw);
    if (became === 'unavailable') return false;
    await this.options.store.change([nonce], ({ withdraw: reason = withdraw, ...entry }) =>
      became === 'done' ? { ...entry, annulled: reason } : { ...entry, annul_refused: true },
    );
    return true;
  }

  private isLive({ item }: Entry): boolean {
    return !item.offline && Math.abs(this.options.nowMs() - item.at_ms) < LIVE_MS;
  }

  /** Marks facts as offline ones, durably: an earlier attempt may have been the live one. */
  private async asOffline(batch: Entry[]): Promise<Entry[]> {
    const mark = (entry: Entry): Entry => ({ ...entry, item: { ...entry.item, offline: true } });
    const unmarked = batch.filter(({ item }) => !item.offline).map(({ nonce }) => nonce);
    if (unmarked.length) await this.options.store.change(unmarked, mark);
    return batch.map(mark);
  }

  private async deliver(batch: Entry[]): Promise<boolean> {
    const session = batch[0]?.session ?? '';
    const timeoutMs = batch.some(({ item }) => !item.offline) ? LIVE_MS : BATCH_TIMEOUT_MS;
    const items = batch.map(({ item }) => item);
    const delivery = await this.options.send(session, { device_ms: this.options.nowMs(), items }, timeoutMs);
    switch (delivery.kind) {
      case 'answered':
        return this.answered(batch, delivery.results, delivery.serverMs);
      case 'rejected':
        return this.rejected(batch, delivery.problem);
      case 'unavailable':
        return this.unavailable(batch, delivery.why, delivery.retryAfterMs);
    }
  }

  private async answered(batch: Entry[], results: CheckInResult[], serverMs: number): Promise<boolean> {
    this.trouble = null;
    const found = new Map<string, CheckInResult>();
    batch.forEach(({ nonce }, at) => {
      // An item that could not be read is answered without its nonce, in its place.
      const unnamed = results.length === batch.length && !results[at]?.nonce ? results[at] : undefined;
      const result = results.find((other) => other.nonce === nonce) ?? unnamed;
      if (result && isDefinite(result)) found.set(nonce, result);
    });
    await this.options.store.change([...found.keys()], (entry) => settled(entry, found.get(entry.nonce), serverMs));
    for (const [nonce, result] of found) this.settle(nonce, result);
    await this.prune();
    return found.size > 0 || this.unavailable(batch, 'busy');
  }

  private async rejected(batch: Entry[], problem: Problem): Promise<boolean> {
    this.trouble = null;
    if (batch.length > 1 && !WHOLE.has(problem.code)) {
      const half = batch.length >> 1;
      return (await this.deliver(batch.slice(0, half))) && this.deliver(batch.slice(half));
    }
    const results = batch.map(({ nonce }): CheckInResult => ({ nonce, result: 'refused', reason: problem.code }));
    return this.answered(batch, results, this.options.nowMs());
  }

  /** Keeps everything. Who stands at the door was told "saved": from now on these are offline facts. */
  private async unavailable(batch: Entry[], why: Trouble, retryAfterMs = 0): Promise<boolean> {
    this.trouble = why;
    this.quietUntil = this.options.timers.now() + retryAfterMs;
    await this.asOffline(batch);
    for (const { nonce } of batch) this.settle(nonce, null);
    return false;
  }

  private async prune(): Promise<void> {
    const sent = (await this.options.store.all()).filter(isOver).sort(byTime);
    const old = sent.slice(0, Math.max(0, sent.length - SENT_KEPT)).map(({ nonce }) => nonce);
    if (old.length) await this.options.store.change(old, () => null);
  }
}

/**
 * How many people of the hall's list this device recorded whom the centre does not know of yet: whom the list does
 * not name may turn out to be nobody's guest, and is not promised as present.
 */
export function waitingPeople({ waiting, recent }: OutboxView, session: string): number {
  const listed = (entry: Entry): boolean =>
    entry.session === session &&
    entry.item.kind === 'check_in' &&
    entry.item.who.type !== 'unlisted' &&
    entry.withdraw === undefined &&
    entry.person !== null;
  const keys = (entries: Entry[]): string[] => entries.filter(listed).map(({ key }) => key);
  const known = new Set(keys(recent.filter(({ state, annulled }) => state === 'sent' && annulled === undefined)));
  return new Set(keys(waiting).filter((key) => !known.has(key))).size;
}
