/** The server as pages use it: who is signed in, and answers with their waiting and their troubles. */
import { createApi, type Answer } from '../core/api';
import type { Me, Page, Problem } from '../core/wire';
import { router } from './router.svelte';
import { t, words } from './words';

export const api = createApi({ language: words.language });

/** What went wrong, as a sentence; `problem` is null when the server could not be reached. */
export interface Trouble {
  text: string;
  problem: Problem | null;
}

/** The trouble of an answer, or null. Whoever is no longer signed in goes to the sign-in page and comes back. */
export function troubleOf(answer: Answer<unknown>): Trouble | null {
  if (answer.ok) return null;
  if ('network' in answer) return { text: t('console.offline'), problem: null };
  if (answer.problem.code === 'not_signed_in') leaveToSignIn();
  return { text: answer.problem.title, problem: answer.problem };
}

function leaveToSignIn(): void {
  account.me = null;
  if (router.page.name === 'login' || router.page.name === 'setup') return;
  router.replace(`/s/login?next=${encodeURIComponent(router.path + router.search)}`);
}

/** Who is signed in; `me` is undefined until the server said so. */
class SignedIn {
  me = $state.raw<Me | null | undefined>(undefined);

  get mayOrganize(): boolean {
    return this.has('admin', 'organizer');
  }

  get mayChangePeople(): boolean {
    return this.has('admin', 'organizer', 'clerk');
  }

  /** Whether attendance may be corrected: of one's own units; the server says where. */
  get mayCorrect(): boolean {
    return this.mayChangePeople;
  }

  /** Accounts are listed only to an administrator of the whole tree. */
  get mayMakeAccounts(): boolean {
    return this.me?.grants.some(({ role, unit }) => role === 'admin' && unit === null) ?? false;
  }

  async ask(): Promise<Trouble | null> {
    const answer = await api.get<Me>('/me');
    if (answer.ok) this.me = answer.data;
    else if (!('network' in answer)) this.me = null;
    return 'network' in answer ? troubleOf(answer) : null;
  }

  private has(...roles: string[]): boolean {
    return this.me?.grants.some(({ role }) => roles.includes(role)) ?? false;
  }
}

export const account = new SignedIn();

/** Something that a page shows once the server has answered; what was shown stays while it is asked anew. */
export class Loaded<T> {
  data = $state.raw<T | null>(null);
  trouble = $state.raw<Trouble | null>(null);
  loading = $state(false);
  private asked = 0;

  async load(ask: () => Promise<Answer<T>>): Promise<void> {
    const turn = ++this.asked;
    this.loading = true;
    const answer = await ask();
    if (turn !== this.asked) return;
    this.loading = false;
    this.trouble = troubleOf(answer);
    if (answer.ok) this.data = answer.data;
  }
}

/** A list that comes page by page. */
export class Listed<T> extends Loaded<Page<T>> {
  /** Fetches the next page and puts it behind what is there. */
  async more(ask: (after: string) => Promise<Answer<Page<T>>>): Promise<void> {
    const held = this.data;
    if (!held?.next) return;
    const after = held.next;
    await this.load(async () => {
      const answer = await ask(after);
      if (!answer.ok) return answer;
      return { ok: true, data: { ...answer.data, items: [...held.items, ...answer.data.items] } };
    });
  }
}
