/**
 * WebSockets for the SDK in Node, by the package `ws`. A file of its own, so that a browser bundle never sees it.
 */
import WebSocket from 'ws';
import type { ClientSocket, SocketEvents, SocketFactory } from './socket.js';

export const nodeSockets: SocketFactory = nodeSocketsWith({});

/** @param headers of the request, such as the cookie that a proxy asks for */
export function nodeSocketsWith(headers: Readonly<Record<string, string>>): SocketFactory {
  return (url, events) => open(url, events, headers);
}

function open(url: string, events: SocketEvents, headers: Readonly<Record<string, string>>): ClientSocket {
  const socket = new WebSocket(url, {
    headers: { ...headers },
    perMessageDeflate: false, // the server does not compress: frames are small and change all the time
    skipUTF8Validation: true, // there is no text to validate
    maxPayload: 4 * 1024 * 1024, // the largest frame that a server builds
    handshakeTimeout: 10_000,
  });
  socket.binaryType = 'nodebuffer'; // a view of what was read, not a copy
  let closed = false;
  const close = (code: number, reason: string) => {
    if (closed) return;
    closed = true;
    events.closed(code, reason);
  };
  socket.on('open', () => events.opened());
  socket.on('message', (data: Buffer) => events.received(data));
  socket.on('close', (code, reason) => close(code, reason.toString()));
  socket.on('error', (error) => close(1006, error.message));
  return {
    send: (bytes) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(bytes);
    },
    close: (code, reason) => {
      if (socket.readyState === WebSocket.CONNECTING) socket.terminate();
      else socket.close(code, reason);
    },
  };
}
