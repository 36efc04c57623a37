/**
 * One link for all pages of a device. The server keeps one line a device, the newest wins: the operator page and
 * the display beside it must share it. Runs in a shared worker, or in each page's own where there is none.
 */
import { NO_VIEW, type LinkView, type PointLink, type QueueDepth } from './point_link';
import { CLOSE } from './protocol';

/** What a page tells its host. `phone`: hidden, it will soon be silent. */
export type Order =
  | { do: 'start'; url: string; token: string }
  | { do: 'seen'; hidden: boolean; phone: boolean }
  | { do: 'queue'; depth: QueueDepth }
  | { do: 'wake' | 'gone' | 'leave' };

/** A page as its host sees it. */
export type Show = (view: LinkView) => void;

export type MakeLink = (url: string, token: string, onView: Show) => PointLink;

export class LinkHost {
  private readonly pages = new Map<Show, { hidden: boolean; phone: boolean }>();
  private link: PointLink | null = null;
  private token = '';
  private url = '';
  private view: LinkView = NO_VIEW;
  private hidden = false;
  private depth: QueueDepth | null = null;

  constructor(private readonly make: MakeLink) {}

  take(page: Show, order: Order): void {
    switch (order.do) {
      case 'start':
        this.pages.set(page, { hidden: false, phone: false });
        this.start(order.url, order.token);
        page(this.view);
        break;
      case 'seen':
        this.pages.set(page, order);
        this.look();
        break;
      case 'gone':
        this.pages.delete(page);
        this.look();
        break;
      case 'queue':
        this.depth = order.depth;
        this.link?.setQueue(order.depth);
        break;
      case 'wake':
      case 'leave':
        this.link?.[order.do]();
        break;
    }
  }

  private start(url: string, token: string): void {
    if (this.link && token === this.token && this.view.line !== 'closed') {
      this.look();
      return;
    }
    if (token !== this.token) this.link?.leave();
    this.token = token;
    this.url = url;
    this.begin();
  }

  private begin(): void {
    this.view = NO_VIEW;
    this.hidden = false;
    const link: PointLink = this.make(this.url, this.token, (view) => {
      if (this.link !== link) return;
      this.view = view;
      for (const page of this.pages.keys()) page(view);
    });
    this.link = link;
    if (this.depth) link.setQueue(this.depth);
    link.start();
  }

  /**
   * Hidden is a device all of whose pages are; a phone in a pocket, or a device without a page, is away. A page in
   * front takes the line back from another window.
   */
  private look(): void {
    const pages = [...this.pages.values()];
    const hidden = pages.every((page) => page.hidden);
    const changed = hidden !== this.hidden;
    this.hidden = hidden;
    if (!hidden && this.view.closeCode === CLOSE.REPLACED) this.begin();
    else if (hidden && pages.every(({ phone }) => phone)) this.link?.away();
    else if (changed) this.link?.setHidden(hidden);
  }
}
