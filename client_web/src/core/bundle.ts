/**
 * Naming offline whom this device scans: a hall's people, each sealed under their own badge (DESIGN.md §6).
 * The same rules as domain/badge.py and domain/bundle.py: `tests/contract/bundle.json` is read by both.
 */
import type { Bundle, BundlePerson } from './wire_check_ins';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const TOKEN_BYTES = 16;
const LINK = /^(?:https?:\/\/[^/\s]{1,253})?\/b\/([^/?#]*)\/?(?:[?#].*)?$/i;
/** 26 base32 characters hold 130 bits, 128 of them used: the last one ends in two zero bits. */
const BADGE = /^[A-Z2-7]{25}[AEIMQUY4]$/;
/** Base32 has no 0, 1 and 8: whoever types one read an O, an I or a B. */
const MISREAD: Record<string, string> = { 0: 'O', 1: 'I', 8: 'B' };
const TYPED_CHARS_MAX = 400;

const INFO = new TextEncoder().encode('diemcau bundle 1');
const PREFIX_BYTES = 8;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;

/** The 26 characters of a badge in what was scanned or typed: a link, or with spaces and dashes; else null. */
export function badgeText(text: string): string | null {
  if (text.length > TYPED_CHARS_MAX) return null;
  const typed = text.trim();
  const characters = (LINK.exec(typed)?.[1] ?? typed)
    .toUpperCase()
    .replace(/[ \t-]/g, '')
    .replace(/[018]/g, (digit) => MISREAD[digit] ?? digit);
  return BADGE.test(characters) ? characters : null;
}

/** The 16 bytes of the badge in what was scanned or typed; null for what can never have been one. */
export function parseBadge(text: string): Uint8Array<ArrayBuffer> | null {
  const characters = badgeText(text);
  if (characters === null) return null;
  const token = new Uint8Array(TOKEN_BYTES);
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const character of characters) {
    held = ((held << 5) | ALPHABET.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits >= 8) token[at++] = held >> (bits -= 8);
  }
  return token;
}

/** Whether this page may open bundles at all; without HTTPS a browser does no cryptography, and nobody is named. */
export function mayOpen(): boolean {
  return subtle() !== undefined;
}

/**
 * The person whose badge this is. Null when the bundle does not know them, which is no proof of anything: they may
 * belong to another hall, have a newer badge, or this page may not open bundles (`mayOpen`). Never throws.
 */
export async function findPerson(bundle: Bundle, token: Uint8Array<ArrayBuffer>): Promise<BundlePerson | null> {
  const crypto = subtle();
  if (!crypto) return null;
  const hash = new Uint8Array(await crypto.digest('SHA-256', token));
  const wanted = base64(hash.subarray(0, PREFIX_BYTES));
  for (const [found, sealed] of bundle.entries) {
    const person = found === wanted ? await open(crypto, sealed, token, bundle.salt) : null;
    if (person) return person;
  }
  return null;
}

/** What one entry says; null when it is another badge's, whose hash begins alike, or was damaged. */
async function open(
  crypto: SubtleCrypto,
  sealed: string,
  token: Uint8Array<ArrayBuffer>,
  salt: string,
): Promise<BundlePerson | null> {
  try {
    const secret = await crypto.importKey('raw', token, 'HKDF', false, ['deriveBits']);
    const parameters = { name: 'HKDF', hash: 'SHA-256', salt: bytes(salt), info: INFO };
    const derived = await crypto.deriveBits(parameters, secret, (KEY_BYTES + NONCE_BYTES) * 8);
    const key = await crypto.importKey('raw', derived.slice(0, KEY_BYTES), 'AES-GCM', false, ['decrypt']);
    const plain = await crypto.decrypt({ name: 'AES-GCM', iv: derived.slice(KEY_BYTES) }, key, bytes(sealed));
    return JSON.parse(new TextDecoder().decode(plain)) as BundlePerson;
  } catch {
    return null;
  }
}

function subtle(): SubtleCrypto | undefined {
  return globalThis.crypto?.subtle;
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function base64(data: Uint8Array): string {
  return btoa(String.fromCharCode(...data));
}
