import { beforeEach, describe, expect, test } from 'vitest';

import { FakeNetwork, FakeTimers } from './fakes';
import { LinkHost, type Show } from './link_host';
import { PointLink, type LinkView } from './point_link';
import { CLOSE } from './protocol';

const HELLO = { type: 'hello', v: 1, heartbeat_ms: 10_000, server_ms: 1, epoch: 'e' };
const WELCOME = { type: 'welcome', sid: 's', point: 'P1', point_name: 'Hội trường', session: null, present: 3, invited: 58 };
const URL = 'wss://a.vn/ws/v1/point';

interface Page {
  show: Show;
  views: LinkView[];
}

let timers: FakeTimers;
let network: FakeNetwork;
let host: LinkHost;

beforeEach(() => {
  timers = new FakeTimers();
  network = new FakeNetwork();
  host = new LinkHost(
    (_url, token, onView) => new PointLink({ open: network.open, timers, random: () => 0.5, token, boot: 'b', onView }),
  );
});

/** A page in front that began with `token`. */
function page(token = 't1', phone = false): Page {
  const views: LinkView[] = [];
  const show: Show = (view) => views.push(view);
  host.take(show, { do: 'start', url: URL, token });
  host.take(show, { do: 'seen', hidden: false, phone });
  return { show, views };
}

function greet(): void {
  network.last.says(HELLO);
  network.last.says(WELCOME);
}

const said = (): unknown[] => network.last.sent.slice(1).map(({ type, hidden }) => (type === 'beat' ? { hidden } : type));

describe('the operator page and the display of one device', () => {
  test('share one line: neither takes it from the other', () => {
    page();
    greet();
    const display = page();
    expect(network.sockets).toHaveLength(1);
    expect(display.views.at(-1)).toMatchObject({ line: 'online', present: 3 });
  });

  test('both hear of every check-in', () => {
    const [operator, display] = [page(), page()];
    greet();
    network.last.says({ type: 'count', present: 4, invited: 58 });
    expect([operator.views.at(-1)?.present, display.views.at(-1)?.present]).toEqual([4, 4]);
  });

  test('are hidden only when both are', () => {
    const [operator, display] = [page(), page()];
    greet();
    host.take(operator.show, { do: 'seen', hidden: true, phone: false });
    expect(said()).not.toContainEqual({ hidden: true });
    host.take(display.show, { do: 'seen', hidden: true, phone: false });
    expect(said().at(-1)).toEqual({ hidden: true });
  });

  test('closing one leaves the hall online', () => {
    const [operator] = [page(), page()];
    greet();
    host.take(operator.show, { do: 'gone' });
    expect(said()).not.toContain('away');
  });
});

test('a laptop that watches the broadcast in front of this page goes on beating', () => {
  const { show } = page();
  greet();
  host.take(show, { do: 'seen', hidden: true, phone: false });
  timers.advance(10_000);
  expect(said()).toEqual([{ hidden: true }, { hidden: true }]);
});

test('a phone that is put into a pocket says so, and is back when it is taken out', () => {
  const { show } = page('t1', true);
  greet();
  host.take(show, { do: 'seen', hidden: true, phone: true });
  expect(said()).toEqual(['away']);
  host.take(show, { do: 'seen', hidden: false, phone: true });
  expect(said()).toContainEqual({ hidden: false });
});

test('the last page that is closed says so: the silence that follows is not a loss', () => {
  const { show } = page();
  greet();
  host.take(show, { do: 'gone' });
  expect(said()).toEqual(['away']);
});

test('another window has the line; this one takes it back when it comes to the front', () => {
  const { show, views } = page();
  greet();
  network.last.ends(CLOSE.REPLACED);
  timers.advance(60_000);
  expect(network.sockets).toHaveLength(1);
  expect(views.at(-1)?.closeCode).toBe(CLOSE.REPLACED);
  host.take(show, { do: 'seen', hidden: false, phone: true });
  greet();
  expect(network.sockets).toHaveLength(2);
  expect(views.at(-1)?.line).toBe('online');
});

test('a revoked device does not come back by being looked at', () => {
  const { show, views } = page();
  greet();
  network.last.ends(CLOSE.REVOKED);
  host.take(show, { do: 'seen', hidden: false, phone: false });
  host.take(show, { do: 'wake' });
  expect(network.sockets).toHaveLength(1);
  expect(views.at(-1)?.closeCode).toBe(CLOSE.REVOKED);
});

test('a device that is paired anew leaves its old hall and joins the other', () => {
  page('t1');
  greet();
  const first = network.last;
  const again = page('t2');
  expect(first.sent.at(-1)).toEqual({ type: 'leave' });
  greet();
  expect(network.last.sent[0]).toMatchObject({ token: 't2' });
  expect(again.views.at(-1)?.line).toBe('online');
});

test('disconnecting says goodbye to the centre and tells every page', () => {
  const [operator, display] = [page(), page()];
  greet();
  host.take(operator.show, { do: 'leave' });
  expect(said().at(-1)).toBe('leave');
  expect(display.views.at(-1)).toMatchObject({ line: 'closed', closeCode: 1000 });
});
