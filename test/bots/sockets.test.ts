/** Both socket factories against a real WebSocket server on loopback, and the frame parser against any chopping. */
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import type WebSocket from 'ws';
import { WebSocketServer } from 'ws';
import { seededRandom } from '../../src/base/random.js';
import { leanSockets } from '../../src/bots/lean-socket.js';
import { FrameParser, maskedFrame, OPCODE } from '../../src/bots/ws-frames.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import type { SocketFactory } from '../../src/client/socket.js';

/** What a socket told, as promises that a test awaits in order. */
function listen(factory: SocketFactory, url: string) {
  const told: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  const tell = (text: string) => {
    const waiter = waiting.shift();
    if (waiter === undefined) told.push(text);
    else waiter(text);
  };
  const socket = factory(url, {
    opened: () => tell('opened'),
    received: (bytes) => tell(Buffer.from(bytes).toString('hex')),
    closed: (code, reason) => tell(`closed ${code} ${reason}`),
  });
  const next = (): Promise<string> => {
    const text = told.shift();
    return text === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(text);
  };
  return { socket, next };
}

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
await new Promise((resolve) => server.once('listening', resolve));
const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
t.teardown(() => server.close());

const factories: [string, SocketFactory][] = [
  ['lean', leanSockets(seededRandom(1))],
  ['ws', nodeSockets],
];
for (const [name, factory] of factories) {
  t.test(`${name}: messages of all sizes both ways, and the close code`, async (t) => {
    server.once('connection', (peer) =>
      peer.on('message', (data: Buffer) => {
        if (data[0] === 0xff) peer.close(4009, 'TOO_SLOW');
        else peer.send(data);
      }),
    );
    const { socket, next } = listen(factory, url);
    t.equal(await next(), 'opened');
    for (const size of [1, 125, 126, 127, 1024, 65_535, 65_536, 300_000]) {
      const bytes = Buffer.alloc(size, size % 251);
      if (size <= 1024) {
        socket.send(bytes);
        t.equal(await next(), bytes.toString('hex'), `${size} bytes there and back`);
      } else {
        for (const peer of server.clients) peer.send(bytes);
        t.ok((await next()) === bytes.toString('hex'), `${size} bytes`);
      }
    }
    socket.send(new Uint8Array([0xff]));
    t.equal(await next(), 'closed 4009 TOO_SLOW');
  });

  t.test(`${name}: pings are answered, our close ends it`, async (t) => {
    const peers: WebSocket[] = [];
    server.once('connection', (peer) => peers.push(peer));
    const { socket, next } = listen(factory, url);
    await next();
    const pong = new Promise<string>((resolve) => peers[0]!.once('pong', (data) => resolve(data.toString())));
    peers[0]!.ping('are you there?');
    t.equal(await pong, 'are you there?');
    const closed = new Promise<number>((resolve) => peers[0]!.once('close', resolve));
    socket.close(4000, 'bye');
    t.equal(await closed, 4000);
    t.match(await next(), /^closed /);
  });

  t.test(`${name}: nobody listens`, async (t) => {
    const { next } = listen(factory, 'ws://127.0.0.1:1/');
    t.match(await next(), /^closed 1006/);
  });
}

t.test('the parser tells the same messages however the bytes are chopped', (t) => {
  const unmasked = (opcode: number, payload: Uint8Array) => {
    const n = payload.length;
    const head =
      n < 126
        ? [n]
        : n < 65_536
          ? [126, n >> 8, n & 255]
          : [127, 0, 0, 0, 0, 0, n >> 16, (n >> 8) & 255, n & 255];
    return Buffer.concat([Buffer.from([0x80 | opcode, ...head]), payload]);
  };
  const message = fc.tuple(
    fc.constantFrom(2, 9, 10),
    fc.oneof(fc.nat(130), fc.constantFrom(126, 65_535, 65_536, 70_000)),
  );
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 8 }),
      fc.array(fc.nat(400), { minLength: 1 }),
      (messages, cuts) => {
        const told: string[] = [];
        const parser = new FrameParser({
          message: (b) => told.push(b.every((byte) => byte === 7) ? `m${b.length}` : 'spoilt'),
          ping: (b) => told.push(`p${b.length}`),
          close: () => told.push('c'),
          fault: (text) => told.push(text),
        });
        const all = Buffer.concat(messages.map(([op, n]) => unmasked(op, new Uint8Array(n).fill(7))));
        // Read into one buffer again and again, as the socket does: what was read before is overwritten.
        const shared = Buffer.alloc(200_000);
        for (let at = 0, i = 0; at < all.length; i++) {
          const n = 1 + (cuts[i % cuts.length] as number) ** 2;
          parser.feed(shared.subarray(0, all.copy(shared, 0, at, at + n)));
          shared.fill(0xaa);
          at += n;
        }
        t.same(
          told,
          messages.filter(([op]) => op !== 10).map(([op, n]) => `${op === 2 ? 'm' : 'p'}${n}`),
        );
      },
    ),
    { numRuns: 60 },
  );
  t.end();
});

t.test('what no server sends is a fault, and nothing is told after it', (t) => {
  const bad: [string, number[]][] = [
    ['masked', [0x82, 0x81, 0, 0, 0, 0, 1]],
    ['text', [0x81, 1, 65]],
    ['a fragment', [0x02, 1, 65]],
    ['reserved bits', [0xc2, 1, 65]],
    ['a huge length', [0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0]],
  ];
  for (const [name, bytes] of bad) {
    const told: string[] = [];
    const parser = new FrameParser({
      message: () => told.push('m'),
      ping: () => told.push('p'),
      close: () => told.push('c'),
      fault: () => told.push('fault'),
    });
    parser.feed(new Uint8Array(bytes));
    parser.feed(new Uint8Array([0x82, 1, 65]));
    t.same(told, ['fault'], name);
  }
  t.end();
});

t.test('masked frames are what a server unmasks', (t) => {
  for (const n of [0, 5, 125, 126, 1000]) {
    const payload = Uint8Array.from({ length: n }, (_, i) => i);
    const frame = maskedFrame(OPCODE.BINARY, payload, 0xdeadbeef);
    const head = n < 126 ? 2 : 4;
    const key = frame.subarray(head, head + 4);
    t.same(
      frame.subarray(head + 4).map((b, i) => b ^ key[i & 3]!),
      payload,
    );
    t.equal(frame[1]! & 0x80, 0x80);
  }
  t.end();
});
