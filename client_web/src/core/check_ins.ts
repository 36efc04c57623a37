/** From a scan to an answer: what is stored and sent, and what the person at the door is told, at once and later. */
import type { Entry, Delivery, Outbox, OutboxView } from './outbox';
import { newNonce } from './nonce';
import { readScan, scanKey, type Scan } from './scan';
import type { Problem } from './wire';
import type {
  CheckInBatch,
  CheckInItem,
  CheckInKind,
  CheckInResult,
  CheckInResults,
  PersonView,
  Who,
} from './wire_check_ins';

// --- sending ------------------------------------------------------------------------------------------------

/** Statuses by which a server or a proxy says "not now", whatever their body. */
const NOT_NOW = new Set([408, 425, 429]);
const RETRY_AFTER_MS_MAX = 120_000;

export interface SenderOptions {
  token: () => string;
  language?: string;
  fetch?: typeof fetch;
}

/** Sends a batch; never throws. Only what is surely our server's word counts as an answer. */
export function createSender({ token, language, fetch: send = globalThis.fetch.bind(globalThis) }: SenderOptions) {
  return async (session: string, batch: CheckInBatch, timeoutMs: number): Promise<Delivery> => {
    const headers: Record<string, string> = {
      Accept: 'application/json',
      Authorization: `Bearer ${token()}`,
      'Content-Type': 'application/json',
    };
    if (language) headers['Accept-Language'] = language;
    try {
      const response = await send(`/api/v1/sessions/${encodeURIComponent(session)}/check-ins`, {
        method: 'POST',
        headers,
        body: JSON.stringify(batch),
        signal: AbortSignal.timeout(timeoutMs),
        credentials: 'omit',
        cache: 'no-store',
      });
      return read(response, (await response.json()) as unknown);
    } catch {
      return { kind: 'unavailable', why: 'network' };
    }
  };
}

function read(response: Response, body: unknown): Delivery {
  if (response.ok) {
    return isResults(body)
      ? { kind: 'answered', results: body.items, serverMs: body.server_ms }
      : { kind: 'unavailable', why: 'network' }; // a hotel's own page in the place of the server
  }
  if (!isProblem(body)) return { kind: 'unavailable', why: 'network' };
  if (response.status === 401) return { kind: 'unavailable', why: 'token' };
  if (isLater(response.status)) return { kind: 'unavailable', why: 'busy', retryAfterMs: retryAfterMs(response) };
  return { kind: 'rejected', problem: body };
}

function isLater(status: number): boolean {
  return status >= 500 || NOT_NOW.has(status);
}

/** Whether asking again would be answered the same. */
export function isDefinite({ status }: Problem): boolean {
  return status !== 401 && !isLater(status);
}

function isResults(body: unknown): body is CheckInResults {
  return typeof body === 'object' && body !== null && 'items' in body && Array.isArray(body.items);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string';
}

function retryAfterMs(response: Response): number {
  const seconds = Number(response.headers.get('Retry-After') ?? 0);
  return seconds > 0 ? Math.min(RETRY_AFTER_MS_MAX, seconds * 1000) : 0;
}

// --- what is said ---------------------------------------------------------------------------------------------

/**
 * reading: stored, the server was asked. good: recorded. again: was recorded already. saved: stored, waits for a
 * line. bad: nothing was recorded.
 */
export type Tone = 'reading' | 'good' | 'again' | 'saved' | 'bad';

/** One answer to one scan. `word` is a key `scan.word_…`. */
export interface Verdict {
  tone: Tone;
  word: string;
  person: PersonView | null;
  kind: CheckInKind;
  nonce: string | null;
  /** Of the entry that counts, where it is another one. */
  at_ms?: number;
  point_name?: string;
  flags?: readonly string[];
}

/** What the server's result means to the person at the door. */
export function verdictOf(entry: Pick<Entry, 'nonce' | 'item' | 'person'>, result: CheckInResult): Verdict {
  const named = result.check_in?.person;
  const person = named?.full_name ? named : entry.person;
  const said = { person, kind: entry.item.kind, nonce: entry.nonce, flags: result.flags ?? [] };
  const earlier = result.check_in ? { at_ms: result.check_in.at_ms, point_name: result.check_in.point_name } : {};
  if (result.result === 'refused') return { ...said, tone: 'bad', word: `refused_${result.reason || 'malformed'}` };
  if (result.result === 'duplicate') {
    const elsewhere = result.reason === 'already_elsewhere';
    return { ...said, ...earlier, tone: 'again', word: elsewhere ? 'already_elsewhere' : 'already' };
  }
  if (result.held) return { ...said, tone: 'good', word: 'held' };
  return { ...said, tone: 'good', word: entry.item.kind === 'check_out' ? 'recorded_out' : 'recorded' };
}

// --- the desk -------------------------------------------------------------------------------------------------

export interface Place {
  session: string;
  point: string;
}

/** What is known of a badge without the server: `unknown` means that the hall's list does not hold it. */
export type Known = PersonView | 'unknown' | 'no list';

export interface DeskOptions {
  outbox: Pick<Outbox, 'add'>;
  /** Names a badge or a code from what this device holds. */
  find: (who: Exclude<Who, { type: 'unlisted' }>) => Promise<Known>;
  nowMs: () => number;
  onVerdict: (verdict: Verdict) => void;
}

export interface Extra {
  person?: PersonView;
  source?: CheckInItem['source'];
  reason?: string;
  stands_for?: string;
}

export class Desk {
  /** Where and what is recorded; null: nothing can be. */
  place: Place | null = null;
  kind: CheckInKind = 'check_in';
  lineDown = false;
  view: Pick<OutboxView, 'recent'> = { recent: [] };

  constructor(private readonly options: DeskOptions) {}

  /** A camera, a scanner or a hand gave this text. */
  async scanned(text: string, rewritten = false): Promise<void> {
    const scan: Scan = rewritten ? { kind: 'garbled' } : readScan(text);
    if ('who' in scan) await this.record(scan.who);
    else this.say({ tone: 'bad', word: `not_${scan.kind}`, person: null, nonce: null });
  }

  /** Stores one fact and says so; says more when the server answers in time. */
  async record(who: Who, extra: Extra = {}): Promise<void> {
    const { place, kind } = this;
    if (!place) return this.say({ tone: 'bad', word: 'no_session', person: null, nonce: null });
    const { person: given, ...fields } = extra;
    const known = given ?? (who.type === 'unlisted' ? asTyped(who) : await this.options.find(who));
    const person = typeof known === 'string' ? null : known;
    const key = scanKey(who);
    const earlier = this.earlier(key, place.session, kind);
    const nonce = newNonce();
    const source = fields.source ?? (who.type === 'badge' ? 'badge' : 'manual');
    const item = { nonce, point: place.point, who, at_ms: this.options.nowMs(), kind, offline: false, ...fields, source };
    const { answer } = await this.options.outbox.add({ nonce, session: place.session, item, key, person });
    const local = { person: person ?? earlier?.person ?? null, nonce, kind };
    if (earlier) this.say({ ...local, tone: 'again', word: 'already_device', at_ms: earlier.item.at_ms });
    else this.say({ ...local, tone: this.lineDown ? 'saved' : 'reading', word: this.lineDown ? savedWord(known) : 'reading' });
    if (earlier || this.lineDown) return;
    const result = await answer;
    if (result) this.say(verdictOf({ nonce, item, person }, result));
    else this.say({ ...local, tone: 'saved', word: savedWord(known) });
  }

  /** The same person's last entry on this device that still stands, unless they went in or out since. */
  private earlier(key: string, session: string, kind: CheckInKind): Entry | undefined {
    const last = this.view.recent.find(
      (entry) =>
        entry.key === key &&
        entry.session === session &&
        entry.state !== 'refused' &&
        entry.annulled === undefined &&
        entry.withdraw === undefined,
    );
    return last?.item.kind === kind ? last : undefined;
  }

  private say(verdict: Omit<Verdict, 'kind'> & { kind?: CheckInKind }): void {
    this.options.onVerdict({ kind: this.kind, ...verdict });
  }
}

function savedWord(known: Known): string {
  return known === 'unknown' ? 'saved_unknown' : 'saved';
}

function asTyped({ name, unit }: Who & { type: 'unlisted' }): PersonView {
  return { full_name: name, unit_name: unit ?? '' };
}
