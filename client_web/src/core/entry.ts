/** One check-in as this device keeps it, and what an answer makes of it. */
import type { CheckInItem, CheckInResult, PersonView } from './wire_check_ins';

/**
 * One fact and what became of it. `refused`: the server said no, and a person decides. `withdrawn`: taken back before
 * it was ever sent; it never will be.
 */
export interface Entry {
  nonce: string;
  session: string;
  item: CheckInItem;
  /** Who it is, within this device (`scanKey`). */
  key: string;
  /** What this device may show of them; null: not known here. */
  person: PersonView | null;
  state: 'waiting' | 'refused' | 'sent' | 'withdrawn';
  result: CheckInResult | null;
  /** The server's time of its answer. */
  answered_ms: number | null;
  /** An attempt to send it began: the server may know it, whatever this device heard. */
  tried?: true;
  /** To be taken back, with this reason, as soon as the server answered for it. */
  withdraw?: string;
  /** Taken back by this device, with this reason. */
  annulled?: string;
  /** The server would not take it back. */
  annul_refused?: true;
}

/** The oldest first. */
export function byTime(one: Entry, other: Entry): number {
  return one.item.at_ms - other.item.at_ms || (one.nonce < other.nonce ? -1 : 1);
}

/** Nothing remains to be done about it. */
export function isOver(entry: Entry): boolean {
  return entry.state === 'withdrawn' || (entry.state === 'sent' && !isToAnnul(entry));
}

export function isToAnnul({ state, withdraw }: Entry): boolean {
  return state === 'sent' && withdraw !== undefined;
}

/** A newer server may have more to say; what is no answer to us keeps the entry where it is. */
export function isDefinite({ result }: CheckInResult): boolean {
  return result === 'accepted' || result === 'duplicate' || result === 'refused';
}

/** The entry after its answer. An accepted badge's token is not kept: it would let who finds the device forge it. */
export function settled(entry: Entry, result: CheckInResult | undefined, serverMs: number): Entry {
  if (!result || entry.state !== 'waiting') return entry;
  if (result.result === 'refused') {
    const { withdraw, ...rest } = entry;
    const refused: Entry = { ...rest, state: 'refused', result, answered_ms: serverMs };
    return withdraw === undefined ? refused : withdrawn(refused, withdraw);
  }
  const named = result.check_in?.person;
  const person = named?.full_name ? named : entry.person;
  return { ...entry, item: withoutToken(entry.item), person, state: 'sent', result, answered_ms: serverMs };
}

/** The entry taken back before the server had it. */
export function withdrawn(entry: Entry, reason: string): Entry {
  return { ...entry, item: withoutToken(entry.item), state: 'withdrawn', annulled: reason };
}

function withoutToken(item: CheckInItem): CheckInItem {
  return { ...item, who: item.who.type === 'badge' ? { type: 'badge', token: '' } : item.who };
}
