/** Whose a socket is, who is believed about it, and what one address may have. */
import { once } from 'node:events';
import { connect, type Socket as TcpSocket } from 'node:net';
import t from 'tap';
import { Addresses, type AddressOptions, blocksOf, plain } from '../../src/gateway/addresses.js';
import { Lobby } from '../../src/gateway/lobby.js';
import { loadUws, UwsTransport } from '../../src/gateway/uws-transport.js';
import { buildHouse } from './fakes.js';
import { enter, turn } from './house.js';
import { ScriptedShard } from './scripted-shard.js';

const NONE: AddressOptions = { trusted: [], free: [], connections: 0, newcomersPerS: 0, tilesPerMinute: 0 };
const PROXIES = ['10.0.0.0/8', '127.0.0.1', '::1', 'fd00::/8'];

t.test('one way of writing an address', (t) => {
  for (const [text, same] of [
    ['0000:0000:0000:0000:0000:ffff:7f00:0001', '127.0.0.1'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['1.2.3.4:5678', '1.2.3.4'],
    ['[2001:DB8::1]:80', '2001:db8::1'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['nonsense', 'nonsense'],
  ])
    t.equal(plain(text!), same);
  t.end();
});

t.test('who is believed', (t) => {
  const addresses = new Addresses({ ...NONE, trusted: PROXIES });
  const ask = (...asked: [string, string, string]) => addresses.clientOf(...asked);
  const rows: readonly [peer: string, proxied: string, forwarded: string, client: string, text: string][] = [
    ['9.9.9.9', '1.1.1.1', '2.2.2.2', '9.9.9.9', 'a stranger says what he likes'],
    ['10.1.1.1', '', '', '10.1.1.1', 'a proxy that says nothing'],
    ['10.1.1.1', '1.1.1.1', '', '1.1.1.1', 'PROXY protocol'],
    ['10.1.1.1', '', '2.2.2.2', '2.2.2.2', 'X-Forwarded-For'],
    ['::ffff:10.1.1.1', '', '2.2.2.2', '2.2.2.2', 'a mapped peer'],
    [
      '10.1.1.1',
      '',
      '8.8.8.8, 2.2.2.2, 10.2.2.2',
      '2.2.2.2',
      'the last that is no proxy; what is before it anybody wrote',
    ],
    ['10.1.1.1', '10.3.3.3', '2.2.2.2', '2.2.2.2', 'a proxy behind a proxy'],
    ['10.1.1.1', '3.3.3.3', '2.2.2.2', '3.3.3.3', 'who came to the last proxy is no proxy'],
    ['10.1.1.1', '', '2.2.2.2, unknown', '10.1.1.1', 'nonsense'],
    ['fd00::1', '', '2001:db8::7', '2001:db8::7', 'IPv6'],
  ];
  for (const [peer, proxied, forwarded, client, text] of rows)
    t.equal(ask(peer, proxied, forwarded), client, text);
  t.end();
});

t.test('blocks that are none', (t) => {
  for (const bad of [
    '10.0.0.0/33',
    '10.0.0/8',
    '::1/129',
    'localhost',
    '1.2.3.4/',
    '1.2.3.4/8/9',
    '1.2.3.4/x',
  ])
    t.throws(() => blocksOf([bad]), new RegExp(bad.replaceAll('.', '\\.')), bad);
  t.end();
});

t.test('connections, newcomers, tiles: at the limit and beyond, another address and a free one', (t) => {
  const limits = { ...NONE, free: ['127.0.0.0/8'], connections: 2, newcomersPerS: 1, tilesPerMinute: 6 };
  const addresses = new Addresses(limits);
  const times = (n: number, ask: () => boolean) => Array.from({ length: n }, ask).filter(Boolean).length;
  t.equal(
    times(5, () => addresses.opened('1.1.1.1')),
    2,
  );
  t.equal(
    times(5, () => addresses.opened('2.2.2.2')),
    2,
    'another one',
  );
  t.equal(
    times(5, () => addresses.opened('127.0.0.9')),
    5,
    'a free one',
  );
  for (let i = 0; i < 4; i++) addresses.closed('1.1.1.1');
  t.equal(
    times(5, () => addresses.opened('1.1.1.1')),
    1,
    'one was still open',
  );
  t.equal(
    times(5, () => addresses.opened('2001:db8::1')),
    2,
  );
  t.equal(addresses.opened('2001:db8::ffff'), false, 'the same 64 bits');
  t.equal(addresses.opened('2001:db8:0:1::1'), true);
  t.equal(
    times(100, () => addresses.came('3.3.3.3')),
    2 + 32,
    'TCP connections that say nothing',
  );
  addresses.went('3.3.3.3');
  t.equal(addresses.came('::ffff:3.3.3.3'), true);
  t.equal(
    times(20, () => addresses.admits('4.4.4.4', 0, 0)),
    10,
  );
  t.equal(
    times(20, () => addresses.admits('4.4.4.4', 0, 3000)),
    3,
    'one a second',
  );
  t.equal(
    times(5, () => addresses.admits('5.5.5.5', 4, 0)),
    1,
    'tiles',
  );
  t.equal(addresses.admits('5.5.5.5', 0, 0), true, 'where everybody is it may be');
  t.equal(addresses.admits('5.5.5.5', 4, 20_000), true);
  t.equal(
    times(50, () => addresses.admits('127.0.0.9', 4, 0)),
    50,
  );
  t.end();
});

t.test('a lobby: nobody waits behind the crowd of somebody else', (t) => {
  const lobby = new Lobby<string>();
  for (let i = 0; i < 1000; i++) lobby.add('crowd', `c${i}`);
  lobby.add('one', 'o');
  lobby.add('two', 't0');
  lobby.add('two', 't1');
  t.strictSame(
    [1, 2, 3, 4, 5, 6].map(() => lobby.next()),
    ['c0', 'o', 't0', 'c1', 't1', 'c2'],
  );
  t.equal(lobby.size, 997);
  t.end();
});

const UPGRADE =
  'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
/** A PROXY v2 header: 1.2.3.4:1800 to 5.6.7.8:80. */
const PROXY = Buffer.from('0d0a0d0a000d0a515549540a2111000c010203040506070807080050', 'hex');

for (const [trusted, seen] of [
  [['127.0.0.1'], ['1.2.3.4', '7.7.7.7']],
  [[], ['127.0.0.1', '127.0.0.1']],
] as const)
  t.test(`over real sockets, ${trusted.length === 0 ? 'no proxy' : 'a proxy'} is trusted`, async (t) => {
    const addresses = new Addresses({ ...NONE, trusted });
    const transport = new UwsTransport(await loadUws(), {
      addresses,
      failed: (error) => t.fail(String(error)),
    });
    t.teardown(() => transport.close());
    const heard: (string | undefined)[] = [];
    const nothing = () => {};
    const listener = { message: nothing, text: nothing, dropped: nothing, drained: nothing, closed: nothing };
    const port = transport.listen({ host: '127.0.0.1', port: 0, exclusive: true }, (socket) => {
      heard.push(socket.address);
      return listener;
    });
    for (const bytes of [
      Buffer.concat([PROXY, Buffer.from(`${UPGRADE}\r\n`)]),
      Buffer.from(`${UPGRADE}X-Forwarded-For: 7.7.7.7\r\n\r\n`),
    ])
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
        socket.once('data', () => {
          socket.destroy();
          resolve();
        });
      });
    t.strictSame(heard, seen);
  });

t.test(
  'TCP connections that never become WebSockets are counted, cut beyond the limit, and given back',
  async (t) => {
    const addresses = new Addresses({ ...NONE, connections: 2 });
    const transport = new UwsTransport(await loadUws(), {
      addresses,
      failed: (error) => t.fail(String(error)),
    });
    t.teardown(() => transport.close());
    const over: (boolean | undefined)[] = [];
    const nothing = () => {};
    const listener = { message: nothing, text: nothing, dropped: nothing, drained: nothing, closed: nothing };
    const port = transport.listen({ host: '127.0.0.1', port: 0, exclusive: true }, (socket) => {
      over.push(socket.isOver);
      return listener;
    });
    const come = async (): Promise<TcpSocket> => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', nothing);
      await once(socket, 'connect');
      return socket;
    };
    const leave = async (socket: TcpSocket, bytes: string) => {
      const ended = once(socket.resume(), 'close');
      if (bytes === '') socket.destroy();
      else socket.end(bytes);
      await ended;
    };
    const upgraded = async () => {
      const socket = await come();
      socket.write(`${UPGRADE}\r\n`);
      const [data] = (await once(socket, 'data')) as [Buffer];
      t.match(data.toString(), /^HTTP\/1.1 101 /);
      return socket;
    };
    // Each way of ending gives its place back: three rounds of as many as there may be would not fit otherwise.
    for (const bytes of ['', 'nonsense\r\n\r\n', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n']) {
      const held: TcpSocket[] = [];
      for (let i = 0; i < 34; i++) held.push(await come());
      const beyond = await come();
      await once(beyond.resume(), 'close');
      t.equal(addresses.takeCut(), 1, `one is cut: ${JSON.stringify(bytes)}`);
      for (const socket of held) await leave(socket, bytes);
      // What was destroyed here is known there when a later connection is served.
      await leave(await come(), 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    }
    const sockets = [await upgraded(), await upgraded(), await upgraded()];
    t.strictSame(over, [false, false, true], 'the third WebSocket is to be refused');
    for (const socket of sockets) socket.destroy();
  },
);

t.test('a PROXY header in a segment of its own is not understood', async (t) => {
  const addresses = new Addresses({ ...NONE, trusted: ['127.0.0.1'] });
  const transport = new UwsTransport(await loadUws(), {
    addresses,
    failed: (error) => t.fail(String(error)),
  });
  t.teardown(() => transport.close());
  const port = transport.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
    throw new Error('nobody comes in');
  });
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(PROXY);
  const [data] = (await once(socket, 'data')) as [Buffer];
  t.match(data.toString(), /^HTTP\/1.1 505 /);
  socket.destroy();
});

t.test('Hellos of an address: wrong tickets count, a resume does not', async (t) => {
  // Sockets of the fake transport tell no address: this book knows one for all.
  const addresses = new Addresses({ ...NONE, newcomersPerS: 1 });
  const admits = addresses.admits.bind(addresses);
  addresses.admits = (_, tiles, now) => admits('9.9.9.9', tiles, now);
  const house = buildHouse({ parts: { addresses } });
  const shard = new ScriptedShard(house.world);
  const first = await enter(house, shard);
  t.ok(first.welcome);
  for (let i = 0; i < 9; i++)
    t.equal((await enter(house, shard, { ticket: 'forged' })).closed?.reason, 'BAD_TICKET');
  t.equal((await enter(house, shard)).closed?.reason, 'ADDRESS_LIMITED');
  const { session, entity, token } = first.welcome;
  const again = await enter(house, shard, {
    resumeSession: session,
    resumeEntity: entity,
    resumeToken: token,
  });
  t.equal(again.welcome?.resumed, true);
});

t.test('more newcomers than the world lets in wait in the lobby', async (t) => {
  const most = 16;
  const house = buildHouse({ parts: { newcomersPerS: 1, newcomersBurst: most } });
  const shard = new ScriptedShard(house.world);
  for (let i = 0; i < most; i++) t.ok((await enter(house, shard)).welcome, `${i}`);
  const late = await enter(house, shard);
  t.same([late.all('welcome'), late.closed], [[], undefined], 'it waits');
  house.time.pass(1000);
  await turn(house, shard);
  t.ok(late.welcome, 'a second later there is a turn for it');
});
