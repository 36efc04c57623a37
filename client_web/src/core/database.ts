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

let opened: Promise<IDBPDatabase<Tables>> | null = null;

/**
 * The open database; opened again when the browser closed it under us.
 *
 * @throws where the browser keeps nothing
 */
export function database(): Promise<IDBPDatabase<Tables>> {
  opened ??= openDB<Tables>(NAME, VERSION, {
    upgrade(db) {
      db.createObjectStore('entries', { keyPath: 'nonce' });
      db.createObjectStore('kept');
    },
    blocking: (_current, _wanted, event) => (event.target as IDBDatabase).close(),
    terminated: () => (opened = null),
  }).catch((error: unknown) => {
    opened = null;
    throw error;
  });
  return opened;
}
