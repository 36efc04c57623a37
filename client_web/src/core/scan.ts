/** What a camera, a keyboard scanner or a person gave us: a badge, a code of the list, or something else. Pure. */
import { badgeText } from './bundle';
import type { Who } from './wire_check_ins';

/**
 * `door`: the hall's own code, held up by mistake. `garbled`: a Vietnamese input method rewrote what the scanner
 * typed. `other`: some other QR code; its text is not kept, it may be an identity card's.
 */
export type Scan = { kind: 'badge' | 'code'; who: Exclude<Who, { type: 'unlisted' }> } | { kind: 'door' | 'garbled' | 'other' };

const DOOR_LINK = /^https?:\/\/[^/\s]{1,253}\/c\//i;
const CODE = /^[A-Z0-9._-]{1,40}$/;
/** As long as a link with the longest host; longer is no badge. */
const SCAN_CHARS_MAX = 400;

/** Reads what was scanned or typed. */
export function readScan(text: string): Scan {
  const typed = text.normalize('NFC').trim();
  if (!typed || typed.length > SCAN_CHARS_MAX) return { kind: 'other' };
  const badge = badgeText(typed);
  if (badge) return { kind: 'badge', who: { type: 'badge', token: badge } };
  if (DOOR_LINK.test(typed)) return { kind: 'door' };
  const code = typed.toUpperCase();
  if (CODE.test(code)) return { kind: 'code', who: { type: 'attendee', code } };
  return { kind: 'other' };
}

/**
 * Names a person within this device's own memory without holding their badge: 53 bits of a token's 128 give none
 * of it back. Only for "scanned here before"; the server decides who is counted.
 */
export function scanKey(who: Who): string {
  if (who.type === 'badge') return `badge:${hash53(who.token)}`;
  return who.type === 'attendee' ? `code:${who.code}` : `name:${hash53(`${who.name}\n${who.unit ?? ''}`)}`;
}

/** cyrb53: fast, well spread, not cryptographic. */
function hash53(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 2_654_435_761);
    low = Math.imul(low ^ unit, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return (4_294_967_296 * (2_097_151 & low) + (high >>> 0)).toString(36);
}

/** A badge held before the camera is one scan: it counts again after it was out of view for a while. */
export class HeldInView {
  private readonly seen = new Map<string, number>();

  /** @param againMs how long it must be out of view */
  constructor(private readonly againMs = 3000) {}

  /** Whether this sighting is a new one; several badges may be in view. */
  isNew(text: string, nowMs: number): boolean {
    for (const [other, at] of this.seen) if (nowMs - at >= this.againMs) this.seen.delete(other);
    const held = this.seen.has(text);
    this.seen.set(text, nowMs);
    return !held;
  }
}

/** Between two keys of a scanner lie a few milliseconds; nobody types eight characters at this pace. */
const KEY_GAP_MS = 60;
const BURST_CHARS_MIN = 6;

/**
 * Tells a keyboard scanner from a person: a fast burst of characters that Enter ends, wherever the cursor stands.
 */
export class KeyBurst {
  private text = '';
  private lastAt = -Infinity;
  private rewritten = false;

  /**
   * Takes one `keydown`.
   *
   * @returns at the Enter of a burst what was scanned, and whether an input method changed it on the way; null
   *   for everything else
   */
  take(key: string, atMs: number): { text: string; rewritten: boolean } | null {
    if (atMs - this.lastAt > KEY_GAP_MS) this.reset();
    if (key === 'Enter') {
      const found = this.text.length >= BURST_CHARS_MIN ? { text: this.text, rewritten: this.rewritten } : null;
      this.reset();
      return found;
    }
    this.lastAt = atMs;
    if (key.length === 1) this.text += key;
    // A scanner types ASCII: anything else, and any correction, is Telex or VNI at work ("AA" became "Â").
    if ((key.length === 1 && key > '~') || key === 'Backspace' || key === 'Process') this.rewritten = true;
    return null;
  }

  private reset(): void {
    this.text = '';
    this.lastAt = -Infinity;
    this.rewritten = false;
  }
}
