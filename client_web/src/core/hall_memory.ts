/**
 * What this device keeps of its hall to go on without the server: the sealed list (and the readable one where the
 * session allows it), for one session at a time. Erased at closing, when unpaired, and when the token is refused.
 */
import { database } from './database';
import type { Bundle } from './wire_check_ins';

const BUNDLE = 'bundle';

let inMemory: Bundle | null = null;

/** The last bundle, also of an earlier page. */
export async function keptBundle(): Promise<Bundle | null> {
  try {
    return ((await (await database()).get('kept', BUNDLE)) as Bundle | undefined) ?? inMemory;
  } catch {
    return inMemory;
  }
}

/** Keeps this bundle in the place of any other. */
export async function keepBundle(bundle: Bundle): Promise<void> {
  inMemory = bundle;
  await database()
    .then((db) => db.put('kept', bundle, BUNDLE))
    .catch(() => {}); // this page still knows the hall; the next one asks again
}

export async function eraseBundle(): Promise<void> {
  inMemory = null;
  await database()
    .then((db) => db.delete('kept', BUNDLE))
    .catch(() => {});
}
