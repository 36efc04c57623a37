/** Where the reader is: the address bar as reactive state. Filters and opened drawers live in the query. */
import { pageAt, queryWith } from './routes';

class Router {
  path = $state(location.pathname);
  search = $state(location.search);
  readonly page = $derived(pageAt(this.path));
  private readonly params = $derived(new URLSearchParams(this.search));

  constructor() {
    addEventListener('popstate', () => this.read());
    document.addEventListener('click', (event) => this.follow(event));
  }

  /** A value of the query, '' when absent. */
  query(name: string): string {
    return this.params.get(name) ?? '';
  }

  /** To another page. */
  go(href: string): void {
    history.pushState(null, '', href);
    this.read();
    scrollTo(0, 0);
  }

  /** To another page that takes this one's place in the history. */
  replace(href: string): void {
    history.replaceState(history.state, '', href);
    this.read();
  }

  /** Changes filters; the history does not fill up with them. */
  set(changes: Record<string, string | null>): void {
    this.replace(this.path + queryWith(this.search, changes));
  }

  /** Opens a drawer or a form: Back closes it. */
  open(name: string, value = '1'): void {
    if (this.query(name)) return this.set({ [name]: value });
    history.pushState({ opened: name }, '', this.path + queryWith(this.search, { [name]: value }));
    this.read();
  }

  /** Closes what `open` opened, as Back would. */
  close(name: string): void {
    if (!this.query(name)) return;
    if ((history.state as { opened?: string } | null)?.opened === name) history.back();
    else this.set({ [name]: null });
  }

  private read(): void {
    this.path = location.pathname;
    this.search = location.search;
  }

  /** Ordinary presses on links to our own pages do not load the page anew. */
  private follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (link.pathname !== '/' && !link.pathname.startsWith('/s/')) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const router = new Router();
