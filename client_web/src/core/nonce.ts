/** The permanent name of one fact, made before it is first sent: a UUIDv7 (RFC 9562 §5.7). */

/** The time in ms since the epoch, and 10 random bytes of which 74 bits are kept. */
export function uuid7(nowMs: number, random: Uint8Array): string {
  const time = Math.max(0, Math.floor(nowMs)).toString(16).padStart(12, '0').slice(-12);
  const bytes = Array.from(random.subarray(0, 10));
  bytes[0] = 0x70 | ((bytes[0] ?? 0) & 0x0f);
  bytes[2] = 0x80 | ((bytes[2] ?? 0) & 0x3f);
  const tail = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${time.slice(0, 8)}-${time.slice(8)}-${tail.slice(0, 4)}-${tail.slice(4, 8)}-${tail.slice(8)}`;
}

/** A new one by this device's clock; also where the page is not secure. */
export function newNonce(): string {
  return uuid7(Date.now(), crypto.getRandomValues(new Uint8Array(10)));
}
