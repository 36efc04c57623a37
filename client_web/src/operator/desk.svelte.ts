/** The hall's desk as state that Svelte follows: the queue, the last answer, and the list this device may hold. */
import { createApi, path, type Answer } from '../core/api';
import { findPerson, mayOpen, parseBadge } from '../core/bundle';
import { createSender, Desk, isDefinite, type Extra, type Known, type Verdict } from '../core/check_ins';
import { erase, keep, recall } from '../core/kept';
import { NO_OUTBOX, Outbox, type Entry, type OutboxView, type Retraction } from '../core/outbox';
import { openStore } from '../core/outbox_store';
import { systemTimers } from '../core/timers';
import type { SessionBrief } from '../core/wire';
import type { Annulled, Bundle, CheckInKind, Roster, RosterEntry, Who } from '../core/wire_check_ins';
import type { Device } from '../ui/device';
import { signal } from './signals';
import { words } from './words';

/** People are added to the list until the last minute. */
const BUNDLE_AGAIN_MS = 5 * 60_000;
const LOCK = 'diemcau_outbox';

export class HallDesk {
  view = $state.raw<OutboxView>(NO_OUTBOX);
  verdict = $state.raw<Verdict | null>(null);
  kind = $state<CheckInKind>('check_in');
  /** The hall's list in clear: fetched while online, or kept where the session allows it. */
  roster = $state.raw<RosterEntry[] | null>(null);

  private readonly outbox: Outbox;
  private readonly desk: Desk;
  private readonly others = 'BroadcastChannel' in globalThis ? new BroadcastChannel('diemcau_outbox') : null;
  private readonly api;
  private bundle: Bundle | null = null;
  private readonly recalled: Promise<void>;
  private fetchedFor = '';
  private fetchedAt = -Infinity;

  constructor(private readonly device: Device) {
    this.api = createApi({ token: () => device.token, language: words.language });
    this.outbox = new Outbox({
      store: openStore(),
      send: createSender({ token: () => device.token, language: words.language }),
      annul: (session, nonce, reason) => this.retracted(session, nonce, reason),
      timers: systemTimers,
      random: Math.random,
      nowMs: Date.now,
      exclusive,
      onView: (view) => this.show(view),
      onChange: () => this.others?.postMessage(null),
    });
    this.desk = new Desk({
      outbox: this.outbox,
      find: (who) => this.find(who),
      nowMs: Date.now,
      onVerdict: (verdict) => this.say(verdict),
    });
    if (this.others) this.others.onmessage = () => void this.outbox.refresh();
    this.recalled = this.recall();
    this.outbox.start();
    void navigator.storage?.persist?.();
  }

  /**
   * To be called whenever the hall, its session or the line changes.
   *
   * @param cut whether this device has no network at all
   * @param known whether the centre was heard: only then is no session a session that is over
   */
  follow(session: SessionBrief | null, lineDown: boolean, cut: boolean, known: boolean): void {
    const open = session !== null && session.state !== 'closed';
    this.desk.place = open ? { session: session.code, point: this.device.point } : null;
    this.desk.lineDown = lineDown;
    this.outbox.line(!lineDown, cut);
    if (session?.state === 'closed' || (known && !session)) void this.erase();
    else if (session && !lineDown) void this.refreshBundle(session.code);
  }

  async scanned(text: string, rewritten = false): Promise<void> {
    await this.record(() => this.desk.scanned(text, rewritten));
  }

  async manual(who: Who, extra: Extra): Promise<void> {
    await this.record(() => this.desk.record(who, extra));
  }

  retry(nonce: string): Promise<void> {
    return this.outbox.retry(nonce);
  }

  drop(nonce: string): Promise<void> {
    return this.outbox.drop(nonce);
  }

  /** Takes an entry back; the answer says why not. */
  async annul(session: string, nonce: string, reason: string): Promise<Answer<Annulled>> {
    const answer = await this.askToAnnul(session, nonce, reason);
    if (answer.ok) await this.outbox.annulled(nonce, reason);
    return answer;
  }

  /** Takes a waiting entry back; null: it is done, or will be once the server answered for it. */
  async withdraw({ session, nonce }: Entry, reason: string): Promise<Answer<Annulled> | null> {
    const became = await this.outbox.withdraw(nonce, reason);
    if (this.verdict?.nonce === nonce) this.verdict = null;
    return became === 'answered' ? this.annul(session, nonce, reason) : null;
  }

  private async retracted(session: string, nonce: string, reason: string): Promise<Retraction> {
    const answer = await this.askToAnnul(session, nonce, reason);
    if (answer.ok) return 'done';
    return 'problem' in answer && isDefinite(answer.problem) ? 'refused' : 'unavailable';
  }

  private askToAnnul(session: string, nonce: string, reason: string): Promise<Answer<Annulled>> {
    return this.api.post<Annulled>(`${path('sessions', session, 'check-ins', nonce)}/annul`, { reason });
  }

  /** The hall's list as it stands now; false when the server cannot be asked. */
  async fetchRoster(session: string): Promise<boolean> {
    const answer = await this.api.get<Roster>(path('sessions', session, 'points', this.device.point, 'roster'));
    if (answer.ok) this.roster = answer.data.items;
    return answer.ok;
  }

  /** Whether the figures of a session that is here no more are frozen; false too where the server cannot be asked. */
  async isFrozen(session: string): Promise<boolean> {
    const answer = await this.api.get<Bundle>(path('sessions', session, 'points', this.device.point, 'bundle'));
    return !answer.ok && 'problem' in answer && answer.problem.code === 'session_closed';
  }

  /** Nobody searches any more: only what the session allows stays readable. */
  closeRoster(): void {
    this.roster = this.bundle?.roster ?? null;
  }

  /** This device is no longer the hall's: what it holds of people goes, what is not sent stays. */
  async leave(): Promise<void> {
    this.outbox.stop();
    await this.erase();
    await this.outbox.forget();
    this.others?.close();
  }

  private async record(run: () => Promise<void>): Promise<void> {
    await this.recalled;
    this.desk.kind = this.kind;
    await run();
  }

  private say(verdict: Verdict): void {
    // An answer to an earlier scan must not cover that of the person who stands here now.
    const later = this.verdict?.nonce && verdict.nonce && verdict.nonce < this.verdict.nonce;
    if (!later) this.verdict = verdict;
    signal(verdict.tone);
  }

  private show(view: OutboxView): void {
    this.view = view;
    this.desk.view = view;
    if (view.trouble === 'token') void this.erase();
  }

  private async find(who: Exclude<Who, { type: 'unlisted' }>): Promise<Known> {
    if (who.type === 'attendee') return this.roster?.find(({ code }) => code === who.code) ?? 'no list';
    const token = parseBadge(who.token);
    if (!token || !mayOpen() || this.bundle?.session !== this.desk.place?.session || !this.bundle) return 'no list';
    return (await findPerson(this.bundle, token)) ?? 'unknown';
  }

  private async recall(): Promise<void> {
    const bundle = await recall<Bundle>('bundle');
    if (bundle?.point === this.device.point) this.take(bundle);
  }

  private async refreshBundle(session: string): Promise<void> {
    const key = `${session}/${this.device.point}`;
    const now = systemTimers.now();
    if (this.fetchedFor === key && now - this.fetchedAt < BUNDLE_AGAIN_MS) return;
    this.fetchedFor = key;
    this.fetchedAt = now;
    const answer = await this.api.get<Bundle>(path('sessions', session, 'points', this.device.point, 'bundle'));
    if (answer.ok) {
      if (this.bundle?.session !== session) await this.outbox.forget(session);
      this.take(answer.data);
      await keep('bundle', answer.data);
    } else if ('problem' in answer) {
      if (answer.problem.status === 401 || answer.problem.code === 'session_closed') await this.erase();
    } else {
      this.fetchedFor = '';
    }
  }

  private take(bundle: Bundle): void {
    this.bundle = bundle;
    if (bundle.roster) this.roster = bundle.roster;
  }

  private async erase(): Promise<void> {
    this.bundle = null;
    this.roster = null;
    this.fetchedFor = '';
    await erase('bundle');
  }
}

/** One sender among all pages of this device; where the browser has no locks the server's nonces must do. */
function exclusive<T>(run: () => Promise<T>): Promise<T> {
  return 'locks' in navigator ? (navigator.locks.request(LOCK, run) as Promise<T>) : run();
}
