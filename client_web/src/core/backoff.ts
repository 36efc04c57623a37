/** When to try again after a connection ended: full jitter, and never after a final close code. */

const FIRST_CEILING_MS = 500;
const CEILING_MS = 20_000;

/**
 * Milliseconds to wait before the next attempt: `rand(0, min(20 s, 0.5 s · 2ⁿ))`.
 *
 * @param attempt how many attempts failed in a row before this one, from 0
 * @param random a number in [0, 1)
 */
export function backoffMs(attempt: number, random: number): number {
  return random * Math.min(CEILING_MS, FIRST_CEILING_MS * 2 ** attempt);
}

/** Whether a close code asks for another attempt; 3500–3999 and 4500–4999 are final. */
export function mayReconnect(closeCode: number): boolean {
  return closeCode < 3000 || closeCode % 1000 < 500;
}
