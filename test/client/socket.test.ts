/** What the client does with the browser's WebSocket. */
import t from 'tap';
import { browserSockets } from '../../src/client/socket.js';

/** A browser's socket: what is sent while it closes is not sent, and complained of. */
class FakeWebSocket {
  static last: FakeWebSocket;
  readyState = 0;
  readonly sent: Uint8Array[] = [];
  complaints = 0;
  constructor(readonly url: string) {
    FakeWebSocket.last = this;
  }
  send(bytes: Uint8Array): void {
    if (this.readyState === 1) this.sent.push(bytes);
    else this.complaints++;
  }
  close(): void {
    this.readyState = 2;
  }
}

t.test('nothing is sent but on an open socket', async (t) => {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
  Object.defineProperty(globalThis, 'WebSocket', { value: FakeWebSocket, configurable: true });
  t.teardown(() => {
    if (before === undefined) Reflect.deleteProperty(globalThis, 'WebSocket');
    else Object.defineProperty(globalThis, 'WebSocket', before);
  });
  const link = browserSockets()('ws://planet/', { opened() {}, received() {}, closed() {} });
  const socket = FakeWebSocket.last;
  for (const [state, sent] of [
    [0, 0],
    [1, 1],
    [2, 1],
    [3, 1],
  ]) {
    socket.readyState = state;
    link.send(new Uint8Array(1));
    t.equal(socket.sent.length, sent, `in state ${state}`);
  }
  t.equal(socket.complaints, 0);
});
