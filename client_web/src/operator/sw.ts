/**
 * Keeps the operator's page on the device, so that a reload without a network opens it. The page's data is not
 * kept here: only files that everybody may have.
 *
 * The build writes the list of files into this file (vite.config.ts); a new list is a new version.
 */
declare const __SHELL__: readonly string[];
declare const __SHELL_VERSION__: string;

interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Scope {
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(type: 'install' | 'activate', run: (event: ExtendableEvent) => void): void;
  addEventListener(type: 'fetch', run: (event: FetchEvent) => void): void;
}
const worker = globalThis as unknown as Scope;

const PAGE = '/operator';
const PREFIX = 'diemcau-operator ';
const CACHE = PREFIX + __SHELL_VERSION__;
/** On a line this slow the kept page is the better one. */
const PAGE_TIMEOUT_MS = 4000;

worker.addEventListener('install', (event) => {
  const kept = caches.open(CACHE).then((cache) => cache.addAll([PAGE, ...__SHELL__]));
  event.waitUntil(kept.then(() => worker.skipWaiting()));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(forgetOld().then(() => worker.clients.claim()));
});

worker.addEventListener('fetch', (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== 'GET' || origin !== location.origin) return;
  if (event.request.mode === 'navigate' && pathname === PAGE) event.respondWith(page(event.request));
  else if (pathname.startsWith('/static/')) event.respondWith(file(event.request));
});

/** The last version stays beside the new one: a page that is open still asks for its files. */
async function forgetOld(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(names.slice(0, -1).map((name) => caches.delete(name)));
}

/** The server's page, and the kept one when there is no good answer in time. */
async function page(request: Request): Promise<Response> {
  try {
    const fresh = await fetch(request, { signal: AbortSignal.timeout(PAGE_TIMEOUT_MS) });
    if (fresh.ok) return fresh;
  } catch {
    // no network
  }
  const cache = await caches.open(CACHE);
  return (await cache.match(PAGE)) ?? fetch(request);
}

/** File names carry hashes: what is kept is what would come. */
async function file(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

export {};
