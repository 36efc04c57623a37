/** This device's own database: the queue of check-ins, and what is kept of the hall to go on without the server. */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';

import type { Entry } from './outbox';

export interface Tables extends DBSchema {
  /** Check-ins by nonce (outbox.ts). */
  entries: { key: string; value: Entry };
  /** One value a name (check_ins.ts). */
  kept: { key: string; value: unknown };
}

const NAME = 'diemcau';
const VERSION = 1;

/** A database that has not opened within this time counts as none: a person stands at the door. */
const OPEN_MS_MAX = 5000;

let opened: Promise<IDBPDatabase<Tables>> | null = null;

/**
 * The open database; opened again when the browser closed it under us. One that hangs is refused at once from then
 * on, and used again as soon as it opens after all.
 *
 * @throws where the browser keeps nothing, or does not say within `OPEN_MS_MAX`
 */
export function database(): Promise<IDBPDatabase<Tables>> {
  if (opened) return opened;
  const opening = openDB<Tables>(NAME, VERSION, {
    upgrade(db) {
      db.createObjectStore('entries', { keyPath: 'nonce' });
      db.createObjectStore('kept');
    },
    blocking: (_current, _wanted, event) => (event.target as IDBDatabase).close(),
    terminated: () => (opened = null),
  });
  opened = inTime(opening);
  opening.then(
    () => (opened = opening),
    () => (opened = null),
  );
  return opened;
}

function inTime<T>(opening: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('the browser does not open its database')), OPEN_MS_MAX);
    opening.then(resolve, reject).finally(() => clearTimeout(late));
  });
}
