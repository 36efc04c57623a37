/** Runs a `PointLink` in a worker: browsers slow down the timers of hidden pages, not those of workers. */
import { PointLink, type LinkView } from './point_link';
import { openSocket } from './socket';
import { systemTimers } from './timers';

/** What the page asks of its worker. */
export type Order =
  | { do: 'start'; url: string; token: string; boot: string }
  | { do: 'hidden'; hidden: boolean }
  | { do: 'wake' | 'away' | 'leave' };

let link: PointLink | null = null;

addEventListener('message', (event: MessageEvent<Order>) => {
  const order = event.data;
  switch (order.do) {
    case 'start':
      link = new PointLink({
        open: () => openSocket(order.url),
        timers: systemTimers,
        random: Math.random,
        token: order.token,
        boot: order.boot,
        onView: (view: LinkView) => postMessage(view),
      });
      link.start();
      break;
    case 'hidden':
      link?.setHidden(order.hidden);
      break;
    default:
      link?.[order.do]();
  }
});
