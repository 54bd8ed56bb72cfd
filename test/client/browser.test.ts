/** The SDK as a browser gets it: one bundle without anything of Node, that speaks over the browser's WebSocket. */
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { build } from 'esbuild';
import t from 'tap';
import type { SocketEvents } from '../../src/client/socket.js';
import { FakeServer } from './fake-server.js';

const ENTRY = fileURLToPath(new URL('../../../src/client/index.ts', import.meta.url));

t.test('a bundle for browsers runs without Node', async (t) => {
  const result = await build({
    entryPoints: [ENTRY],
    bundle: true,
    platform: 'browser', // an import of node: would be an error here
    format: 'iife',
    globalName: 'BlueMarble',
    write: false,
    minify: true,
    logLevel: 'silent',
    metafile: true,
  });
  const inputs = Object.keys(result.metafile.inputs);
  t.notOk(inputs.some((path) => path.includes('node-socket') || path.includes('node_modules/ws/')));
  const code = result.outputFiles[0]!.text;
  t.ok(code.length < 120_000, `${code.length} bytes`);

  const server = new FakeServer();
  const beats: (() => void)[] = [];
  class FakeWebSocket {
    binaryType = '';
    readonly readyState = 1;
    onopen: (() => void) | null = null;
    onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
    onclose: ((event: { code: number; reason: string }) => void) | null = null;
    private readonly socket;
    constructor(url: string) {
      const events: SocketEvents = {
        opened: () => this.onopen?.(),
        received: (bytes) => this.onmessage?.({ data: inContext(bytes) }),
        closed: (code, reason) => this.onclose?.({ code, reason }),
      };
      this.socket = server.sockets(url, events);
    }
    send(bytes: Uint8Array): void {
      this.socket.send(new Uint8Array(bytes));
    }
    close(): void {
      this.socket.close(1000, '');
    }
  }
  const context = vm.createContext({
    WebSocket: FakeWebSocket,
    performance,
    crypto,
    TextEncoder,
    TextDecoder,
    setInterval: (fn: () => void) => beats.push(fn),
    clearInterval: () => {},
  });
  /** A browser's ArrayBuffer is of its own realm. */
  const inContext = (bytes: Uint8Array): ArrayBuffer => {
    const buffer = vm.runInContext(`new ArrayBuffer(${bytes.length})`, context) as ArrayBuffer;
    new Uint8Array(buffer).set(bytes);
    return buffer;
  };
  vm.runInContext(`${code}; globalThis.client = BlueMarble.connect({ url: 'ws://fake' });`, context);
  server.deliver();
  const welcome = await vm.runInContext('client.ready', context);
  t.equal(welcome.entity, 1001);
  const outcome = vm.runInContext(`client.act('say', 'hello')`, context);
  server.deliver();
  server.self();
  server.deliver();
  t.match(await outcome, { id: 1, code: 0, name: 'APPLIED' });
  t.equal(beats.length, 1, 'one timer');
  vm.runInContext('client.abandon()', context);
});
