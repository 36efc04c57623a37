import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { createApi, path, search, type Api } from './api';

interface Seen {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}

let server: Server;
let origin: string;
let seen: Seen;
let reply: (response: ServerResponse) => void;
let api: Api;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      seen = { method: request.method, url: request.url, headers: request.headers, body };
      reply(response);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => server.close());

beforeEach(() => {
  reply = (response) => response.setHeader('Content-Type', 'application/json').end('{"items":[],"next":null}');
  api = createApi({
    token: () => 'dcd_token',
    language: 'en',
    fetch: (input, init) => fetch(origin + String(input), init),
  });
});

test('an answer is data, and the request said who asked and in which language', async () => {
  expect(await api.get('/units', { q: 'Đại Đồng', after: null, limit: 50 })).toEqual({
    ok: true,
    data: { items: [], next: null },
  });
  expect(seen.url).toBe('/api/v1/units?q=%C4%90%E1%BA%A1i+%C4%90%E1%BB%93ng&limit=50');
  expect(seen.headers).toMatchObject({ authorization: 'Bearer dcd_token', 'accept-language': 'en' });
});

test('a body is JSON, and only where there is one', async () => {
  await api.post('/pair', { code: 'A', device: 'Máy tính' });
  expect(seen).toMatchObject({ method: 'POST', body: '{"code":"A","device":"Máy tính"}' });
  expect(seen.headers['content-type']).toBe('application/json');
  await api.post('/logout');
  expect(seen.body).toBe('');
  expect(seen.headers['content-type']).toBeUndefined();
});

test('a file goes as it is', async () => {
  await api.upload('/imports', new Blob(['mã;tên']), { what: 'units', file: 'a.csv', dry_run: true });
  expect(seen).toMatchObject({ method: 'POST', body: 'mã;tên', url: '/api/v1/imports?what=units&file=a.csv&dry_run=1' });
});

test('an empty answer is an answer', async () => {
  reply = (response) => response.writeHead(204).end();
  expect(await api.delete('/units/HN')).toEqual({ ok: true, data: null });
});

test('a problem is handed on with its sentence', async () => {
  const problem = { type: 'about:blank#pairing_used', title: 'This code was used.', status: 410, code: 'pairing_used' };
  reply = (response) => response.writeHead(410, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify(problem));
  expect(await api.post('/pair', {})).toEqual({ ok: false, problem });
});

test.each([
  ['a proxy that answers for a server that is down', (response: ServerResponse) => response.writeHead(502).end('<h1>Bad gateway')],
  ['a proxy that answers in JSON of its own', (response: ServerResponse) => response.writeHead(503).end('{"message":"no"}')],
  ['a line that breaks', (response: ServerResponse) => response.destroy()],
])('%s is no answer, and no crash', async (_name, behave) => {
  reply = behave;
  expect(await api.get('/units')).toEqual({ ok: false, network: true });
});

test('codes are safe in paths and empty filters stay out of addresses', () => {
  expect(path('points', 'A/B C', 'devices')).toBe('/points/A%2FB%20C/devices');
  expect(search({ q: '', unit: undefined, dry_run: false })).toBe('?dry_run=false');
  expect(search({})).toBe('');
});
