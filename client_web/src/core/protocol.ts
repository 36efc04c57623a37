/** Frames, close codes and waiting: the rules of `/ws/v1/point` and `/ws/v1/board` (docs/protocol.md). */
import type { ServerBoardFrame, ServerPointFrame } from './wire';

export const PROTOCOL_VERSION = 1;

/** Why the server closed a socket (wire/live.py). */
export const CLOSE = {
  RESTART: 4000,
  REBIND: 4001,
  IDENTIFY_LATE: 4002,
  SLOW_READER: 4003,
  SILENT: 4004,
  MALFORMED: 4500,
  NOT_SIGNED_IN: 4501,
  FORBIDDEN: 4503,
  NOT_FOUND: 4504,
  REPLACED: 4509,
  REVOKED: 4510,
} as const;

const FIRST_CEILING_MS = 500;
const CEILING_MS = 20_000;

/** Whether a close code asks for another attempt; 3500–3999 and 4500–4999 are final. */
export function mayReconnect(closeCode: number): boolean {
  return closeCode < 3000 || closeCode % 1000 < 500;
}

/** Whether a close code means that the token is worth nothing any more. */
export function dropsToken(closeCode: number): boolean {
  return closeCode === CLOSE.REVOKED || closeCode === CLOSE.NOT_SIGNED_IN;
}

/**
 * Milliseconds to wait before the next attempt: `rand(0, min(20 s, 0.5 s · 2ⁿ))`.
 *
 * @param attempt how many attempts failed in a row before this one, from 0
 * @param random a number in [0, 1)
 */
export function backoffMs(attempt: number, random: number): number {
  return random * Math.min(CEILING_MS, FIRST_CEILING_MS * 2 ** attempt);
}

export type ServerFrame = ServerPointFrame | ServerBoardFrame;

/**
 * A frame of the server, or null when it is none this client knows: a newer server may say more.
 */
export function decodeFrame(text: string): ServerFrame | null {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof frame !== 'object' || frame === null || !('type' in frame)) return null;
  const type = String(frame.type);
  // The server may leave out what has its default value.
  return Object.hasOwn(DEFAULTS, type) ? ({ ...DEFAULTS[type as ServerFrame['type']], ...frame } as ServerFrame) : null;
}

/** Defaults of wire/live.py for each frame of the server. */
const DEFAULTS: Record<ServerFrame['type'], object> = {
  hello: {},
  welcome: { session: null, present: 0, invited: 0, unlisted: 0 },
  beat_ack: {},
  session: {},
  count: { unlisted: 0 },
  snapshot: { part: 1, parts: 1 },
  delta: { gone: [] },
};
