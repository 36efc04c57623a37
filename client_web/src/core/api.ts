/** Asks `/api/v1`: every answer is data, a problem with its sentence, or no answer at all. Never throws. */
import type { Problem } from './wire';

export type Answer<T> =
  | { ok: true; data: T }
  | { ok: false; problem: Problem }
  | { ok: false; network: true };

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface ApiOptions {
  /** A device's bearer token; null: the browser's cookie signs in. */
  token?: () => string | null;
  /** The language in which problems should speak. */
  language?: string;
  fetch?: typeof fetch;
}

export interface Api {
  get<T>(path: string, query?: Query): Promise<Answer<T>>;
  post<T>(path: string, body?: unknown, query?: Query): Promise<Answer<T>>;
  put<T>(path: string, body: unknown): Promise<Answer<T>>;
  patch<T>(path: string, body: unknown): Promise<Answer<T>>;
  delete<T>(path: string): Promise<Answer<T>>;
  /** Sends a file as it is. */
  upload<T>(path: string, file: Blob, query?: Query): Promise<Answer<T>>;
  /** Puts a file as it is. */
  putFile<T>(path: string, file: Blob): Promise<Answer<T>>;
}

const BASE = '/api/v1';
const TIMEOUT_MS = 20_000;
/** 64 MB over a slow office line. */
const UPLOAD_TIMEOUT_MS = 10 * 60_000;

/** `/points/XA 1` from parts, each escaped: `path('points', code)`. */
export function path(...parts: string[]): string {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('');
}

export function createApi({ token = () => null, language, fetch: send = globalThis.fetch.bind(globalThis) }: ApiOptions = {}): Api {
  async function ask<T>(method: string, path: string, query: Query, body: BodyInit | null, type: string | null): Promise<Answer<T>> {
    const bearer = token();
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (language) headers['Accept-Language'] = language;
    if (bearer) headers['Authorization'] = `Bearer ${bearer}`;
    if (type) headers['Content-Type'] = type;
    const signal = AbortSignal.timeout(body instanceof Blob ? UPLOAD_TIMEOUT_MS : TIMEOUT_MS);
    try {
      const response = await send(BASE + path + search(query), { method, headers, body, signal, credentials: 'same-origin' });
      return await read<T>(response);
    } catch {
      return { ok: false, network: true };
    }
  }
  const json = <T>(method: string, path: string, body: unknown, query: Query = {}): Promise<Answer<T>> =>
    body === undefined
      ? ask(method, path, query, null, null)
      : ask(method, path, query, JSON.stringify(body), 'application/json');
  return {
    get: (path, query) => json('GET', path, undefined, query),
    post: (path, body, query) => json('POST', path, body, query),
    put: (path, body) => json('PUT', path, body),
    patch: (path, body) => json('PATCH', path, body),
    delete: (path) => json('DELETE', path, undefined),
    putFile: (path, file) => ask('PUT', path, {}, file, 'application/octet-stream'),
    upload: (path, file, query = {}) => ask('POST', path, query, file, 'application/octet-stream'),
  };
}

/** `?a=1&b=x` without what is null, undefined or empty. */
export function search(query: Query): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const text = new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value === true ? '1' : String(value)]));
  return pairs.length ? `?${text.toString()}` : '';
}

/** A 2xx as data (null for 204), anything else as a problem; a proxy's own error page counts as no answer. */
async function read<T>(response: Response): Promise<Answer<T>> {
  if (response.status === 204) return { ok: true, data: null as T };
  const body: unknown = await response.json();
  if (response.ok) return { ok: true, data: body as T };
  return isProblem(body) ? { ok: false, problem: body } : { ok: false, network: true };
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && 'title' in body;
}
