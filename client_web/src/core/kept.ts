/**
 * Small things this device must still know after its battery died: who it is, which hall, and the hall's list.
 * `localStorage` is written minutes later by some browsers; this is on the disk before it answers.
 */
import { database } from './database';

/** device: its pairing (ui/device.ts). hall: what the centre said last. bundle: the hall's list (wire_check_ins.ts). */
export type KeptName = 'device' | 'hall' | 'bundle';

/** What was kept under this name; null for nothing, and where the browser keeps nothing. */
export async function recall<T>(name: KeptName): Promise<T | null> {
  try {
    return ((await (await database()).get('kept', name)) as T | undefined) ?? null;
  } catch {
    return null;
  }
}

/** Keeps it; a browser that keeps nothing is passed over, the page knows it for as long as it is open. */
export async function keep(name: KeptName, value: unknown): Promise<void> {
  try {
    const transaction = (await database()).transaction('kept', 'readwrite', { durability: 'strict' });
    await Promise.all([transaction.store.put(value, name), transaction.done]);
  } catch {
    // nothing is kept
  }
}

export async function erase(name: KeptName): Promise<void> {
  try {
    await (await database()).delete('kept', name);
  } catch {
    // nothing was kept
  }
}
