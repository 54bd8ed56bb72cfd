/**
 * What the SDK needs of a WebSocket, and the browser's own one behind it. A socket delivers whole binary messages in
 * order; the bytes handed to `received` and to `send` are valid during the call only.
 */

export interface SocketEvents {
  opened(): void;
  received(bytes: Uint8Array): void;
  /** Called exactly once, also when the socket never opened. `opened` says which of the two it was. */
  closed(code: number, reason: string): void;
}

export interface ClientSocket {
  send(bytes: Uint8Array): void;
  close(code: number, reason: string): void;
}

/** Starts to connect; the first event comes in a later turn. */
export type SocketFactory = (url: string, events: SocketEvents) => ClientSocket;

interface BrowserSocket {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: (() => void) | null;
  readonly readyState: number;
  send(bytes: Uint8Array): void;
  close(code?: number, reason?: string): void;
}

/** `WebSocket.OPEN` of the WebSocket API. */
const OPEN = 1;

/** WebSocket of the browser (or of a Node that has one); throws where there is none. */
export function browserSockets(): SocketFactory {
  const Constructor = (globalThis as { WebSocket?: new (url: string) => BrowserSocket }).WebSocket;
  if (Constructor === undefined) {
    throw new Error('there is no WebSocket here: pass `socket`, in Node from client/node-socket.js');
  }
  return (url, events) => {
    const socket = new Constructor(url);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => events.opened();
    socket.onmessage = (event) => {
      // Text never comes from a BlueMarble server; an empty message is refused by the verifier behind this.
      const data = event.data;
      events.received(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0));
    };
    socket.onclose = (event) => events.closed(event.code, event.reason);
    socket.onerror = null; // an error is always followed by a close, which says more
    return {
      // A browser complains of what is sent while it closes; nobody would receive it, and the close comes as an event.
      send: (bytes) => {
        if (socket.readyState === OPEN) socket.send(bytes);
      },
      // Browsers allow 1000 and 3000…4999 only.
      close: (code, reason) => socket.close(code, reason),
    };
  };
}
