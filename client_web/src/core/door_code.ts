/**
 * The codes of a hall's door, made on the display itself so that it goes on without the server (DESIGN.md §6).
 * The same rules as domain/door_code.py: `tests/contract/door_codes.json` holds examples that both must produce.
 */
import type { Door } from './wire';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const DOOR_ID_BYTES = 4;
const TAG_BYTES = 8;

/** A display shows the server's time this much late: no clock error makes it show a code of the future. */
const BEHIND_MS = 2000;

/** What is on the screen: the code, and what is left of its step, in ms. */
export interface Shown {
  code: string;
  leftMs: number;
}

/** The key of a door, ready for use; null where this page may not do cryptography (no HTTPS). */
export async function importKey(base64: string): Promise<CryptoKey | null> {
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (!subtle) return null;
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  return subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
}

/**
 * The code of one step: door id (4 bytes) and the first 8 bytes of the step's HMAC, in base32. For a spot-check its id
 * follows the step.
 */
export async function makeCode(
  key: CryptoKey,
  doorId: number,
  step: number,
  spotCheckId: number | null = null,
): Promise<string> {
  const message = new DataView(new ArrayBuffer(spotCheckId === null ? 8 : 16));
  message.setBigUint64(0, BigInt(step));
  if (spotCheckId !== null) message.setBigUint64(8, BigInt(spotCheckId));
  const tag = new Uint8Array(await crypto.subtle.sign('HMAC', key, message.buffer), 0, TAG_BYTES);
  const raw = new Uint8Array(DOOR_ID_BYTES + TAG_BYTES);
  new DataView(raw.buffer).setUint32(0, doorId);
  raw.set(tag, DOOR_ID_BYTES);
  return base32(raw);
}

/** RFC 4648 without padding. */
export function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += ALPHABET[(held >> (bits - 5)) & 31];
  }
  return bits ? text + ALPHABET[(held << (5 - bits)) & 31] : text;
}

/** The codes of one door as the server gave it: made from the key, or read from the list. */
export class DoorCodes {
  private step = -1;
  private code = '';

  private constructor(
    readonly door: Door,
    private readonly key: CryptoKey | null,
  ) {}

  static async of(door: Door): Promise<DoorCodes> {
    return new DoorCodes(door, door.key === null ? null : await importKey(door.key));
  }

  /** Whether these codes never end: the display needs no server any more. */
  get endless(): boolean {
    return this.key !== null;
  }

  /** Until when codes are known, in the server's time. */
  get knownUntilMs(): number {
    const last = this.door.codes.at(-1);
    if (this.endless) return Infinity;
    return last ? last.from_ms + this.door.step_s * 1000 + BEHIND_MS : 0;
  }

  /** What is left, in ms, of the spot-check for which the code of this moment is; 0: it is for checking in. */
  spotLeftMs(serverMs: number): number {
    const { spot, step_s } = this.door;
    if (!spot) return 0;
    const begunMs = Math.floor((serverMs - BEHIND_MS) / (step_s * 1000)) * step_s * 1000;
    return begunMs < spot.until_ms ? Math.max(1, spot.until_ms - serverMs) : 0;
  }

  /** What the screen shows at this moment of the server; null when no code is known for it. */
  async at(serverMs: number): Promise<Shown | null> {
    const stepMs = this.door.step_s * 1000;
    const shownMs = serverMs - BEHIND_MS;
    const step = Math.floor(shownMs / stepMs);
    if (step !== this.step) {
      this.code = await this.find(step, stepMs);
      this.step = step;
    }
    return this.code ? { code: this.code, leftMs: (step + 1) * stepMs - shownMs } : null;
  }

  private async find(step: number, stepMs: number): Promise<string> {
    const spot = this.door.spot && step * stepMs < this.door.spot.until_ms ? this.door.spot.id : null;
    if (this.key) return makeCode(this.key, this.door.door_id, step, spot);
    return this.door.codes.find(({ from_ms }) => Math.floor(from_ms / stepMs) === step)?.code ?? '';
  }
}
