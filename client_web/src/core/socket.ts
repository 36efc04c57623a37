/** The browser's WebSocket as `Connection` wants it. */
import type { Socket } from './connection';

/** `wss://host/ws/v1/point` for a page at `https://host/…`. */
export function socketUrl(origin: string, path: '/ws/v1/point' | '/ws/v1/board'): string {
  return origin.replace(/^http/, 'ws') + path;
}

export function openSocket(url: string): Socket {
  const socket = new WebSocket(url);
  const shell: Socket = {
    onmessage: null,
    onclose: null,
    send: (text) => socket.send(text),
    close: (code) => socket.close(code),
  };
  socket.onmessage = (event) => shell.onmessage?.(event);
  socket.onclose = (event) => shell.onclose?.(event);
  return shell;
}
