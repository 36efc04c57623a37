/** A browser whose database hangs: a person stands at the door, so the page must go on without it, and soon. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

class FakeRequest extends EventTarget {
  result: unknown = null;
  readonly error = new Error('refused');
}

let request: FakeRequest;

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  request = new FakeRequest();
  for (const name of ['IDBDatabase', 'IDBObjectStore', 'IDBIndex', 'IDBCursor', 'IDBTransaction'])
    vi.stubGlobal(name, class extends EventTarget {});
  vi.stubGlobal('IDBRequest', FakeRequest);
  vi.stubGlobal('indexedDB', { open: vi.fn(() => request) });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('one that never opens counts as none after five seconds, and at once from then on', async () => {
  const { database } = await import('./database');
  const first = database();
  const refused = expect(first).rejects.toThrow();
  await vi.advanceTimersByTimeAsync(5000);
  await refused;
  await expect(database()).rejects.toThrow();
  expect(indexedDB.open).toHaveBeenCalledTimes(1);
});

test('one that opens late is used from then on', async () => {
  const { database } = await import('./database');
  const refused = expect(database()).rejects.toThrow();
  await vi.advanceTimersByTimeAsync(5000);
  await refused;
  request.result = new IDBDatabase();
  request.dispatchEvent(new Event('success'));
  await vi.advanceTimersByTimeAsync(0);
  await expect(database()).resolves.toBeTruthy();
});

test('one that was refused is tried again', async () => {
  const { database } = await import('./database');
  const refused = expect(database()).rejects.toThrow('refused');
  request.dispatchEvent(new Event('error'));
  await refused;
  void database().catch(() => {});
  expect(indexedDB.open).toHaveBeenCalledTimes(2);
});
