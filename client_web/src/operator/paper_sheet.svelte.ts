/** The sheet that is being copied, as state that Svelte follows: ticks, the hall's list, saving. */
import { createApi, path, type Answer } from '../core/api';
import { fold } from '../core/fold';
import type { Roster, RosterEntry } from '../core/wire_check_ins';
import type { PaperEntered, PaperUnlisted, PaperView } from '../core/wire_papers';
import { newNonce } from '../core/nonce';
import type { Device } from '../ui/device';
import { draftKey, isEmpty, keepDraft, keptDraft, newDraft, sheetOf, type PaperDraft } from './paper_draft';
import { asPicture, asText } from './paper_photo';
import { words } from './words';

export type Trouble = { text: string } | { network: true };
export type PhotoState = 'none' | 'sending' | 'failed';

export class Sheet {
  draft = $state.raw<PaperDraft>(newDraft());
  photo = $state.raw<Blob | null>(null);
  /** Null: not fetched yet. */
  list = $state.raw<RosterEntry[] | null>(null);
  listFailed = $state(false);
  saving = $state(false);
  trouble = $state.raw<Trouble | null>(null);
  entered = $state.raw<PaperEntered | null>(null);
  /** Who each line of `entered` is. */
  who = $state.raw<string[]>([]);
  photoState = $state<PhotoState>('none');
  readonly ticked = $derived(new Set(this.draft.ticked));
  readonly count = $derived(this.draft.ticked.length + this.draft.unlisted.length);

  private readonly api;
  private readonly key: string;

  constructor(
    private readonly device: Device,
    private readonly session: string,
  ) {
    this.api = createApi({ token: () => device.token, language: words.language });
    this.key = draftKey(session, device.point);
    this.draft = keptDraft(localStorage, this.key);
    this.photo = asPicture(localStorage.getItem(this.photoKey) ?? '');
    void this.load();
  }

  private get photoKey(): string {
    return `${this.key} photo`;
  }

  /** Fetches the hall's list; who is present already is no longer ticked. */
  async load(): Promise<void> {
    const answer = await this.api.get<Roster>(`/sessions${path(this.session)}/points${path(this.device.point, 'roster')}`);
    this.listFailed = !answer.ok;
    if (!answer.ok) return;
    this.list = answer.data.items;
    const open = new Set(this.list.filter(({ present_ms }) => present_ms == null).map(({ code }) => code));
    const ticked = this.draft.ticked.filter((code) => open.has(code));
    const stands_for = Object.fromEntries(Object.entries(this.draft.stands_for).filter(([code]) => open.has(code)));
    this.change({ ticked, stands_for });
  }

  change(part: Partial<PaperDraft>): void {
    this.draft = { ...this.draft, ...part };
    keepDraft(localStorage, this.key, this.draft);
  }

  /** Ticks, or takes the tick away; whether it is ticked now. */
  tick(code: string): boolean {
    const on = !this.ticked.has(code);
    if (!on) this.standFor(code, null);
    this.change({ ticked: on ? [...this.draft.ticked, code] : this.draft.ticked.filter((one) => one !== code) });
    return on;
  }

  /** The ticked person came in the place of this summoned one; null: in nobody's. */
  standFor(code: string, summoned: string | null): void {
    const { [code]: _before, ...others } = this.draft.stands_for;
    this.change({ stands_for: summoned === null ? others : { ...others, [code]: summoned } });
  }

  add(person: PaperUnlisted): void {
    this.change({ unlisted: [...this.draft.unlisted, person] });
  }

  remove(index: number): void {
    this.change({ unlisted: this.draft.unlisted.filter((_, at) => at !== index) });
  }

  async keepPhoto(photo: Blob | null): Promise<void> {
    this.photo = photo;
    try {
      if (photo) localStorage.setItem(this.photoKey, await asText(photo));
      else localStorage.removeItem(this.photoKey);
    } catch {
      localStorage.removeItem(this.photoKey); // no room: this page still has it
    }
  }

  /** The rows that a search leaves: every word of it stands in the name, unit or title, or begins the code. */
  found(q: string): RosterEntry[] {
    const wanted = fold(q).split(' ').filter(Boolean);
    if (wanted.length === 0) return this.list ?? [];
    return (this.list ?? []).filter(({ full_name, unit_name, title, code }) => {
      const text = fold(`${full_name} ${unit_name ?? ''} ${title ?? ''} ${code}`);
      return wanted.every((word) => text.includes(word));
    });
  }

  /** Saves; whether it is done. Where nobody knows whether it arrived, saving again is safe. */
  async save(): Promise<boolean> {
    if (this.saving) return false;
    this.saving = true;
    this.trouble = null;
    if (this.draft.at_ms === null) this.change({ at_ms: Date.now() });
    let answer = await this.send();
    if (!answer.ok && 'problem' in answer && answer.problem.code === 'conflict_nonce') {
      this.change({ nonce: newNonce() }); // its reason or time was changed after a try that did arrive
      answer = await this.send();
    }
    this.saving = false;
    if (!answer.ok) {
      this.trouble = 'problem' in answer ? { text: answer.problem.title } : { network: true };
      return false;
    }
    this.who = this.namesOf(this.draft);
    this.entered = answer.data;
    keepDraft(localStorage, this.key, newDraft());
    await this.sendPhoto();
    return true;
  }

  /** Sends the photograph of the sheet that was saved. */
  async sendPhoto(): Promise<void> {
    if (!this.photo || !this.entered) return;
    this.photoState = 'sending';
    const nonce = this.entered.paper.nonce;
    const answer = await this.api.putFile<PaperView>(`/sessions${path(this.session, 'papers', nonce, 'photo')}`, this.photo);
    this.photoState = answer.ok ? 'none' : 'failed';
    if (answer.ok) await this.keepPhoto(null);
  }

  /** An empty sheet in the place of this one. */
  async begin(): Promise<void> {
    this.entered = this.trouble = null;
    this.draft = newDraft();
    keepDraft(localStorage, this.key, this.draft);
    await this.keepPhoto(null);
    await this.load();
  }

  get empty(): boolean {
    return isEmpty(this.draft) && !this.photo;
  }

  private send(): Promise<Answer<PaperEntered>> {
    const body = sheetOf(this.draft, this.device.point, Date.now());
    return this.api.post<PaperEntered>(`/sessions${path(this.session, 'papers')}`, body);
  }

  private namesOf({ ticked, unlisted }: PaperDraft): string[] {
    const names = new Map(this.list?.map(({ code, full_name }) => [code, full_name]));
    return [...ticked.map((code) => names.get(code) ?? code), ...unlisted.map(({ name }) => name)];
  }
}
