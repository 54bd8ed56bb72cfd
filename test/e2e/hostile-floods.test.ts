/**
 * Too much and too little: floods of connections, pings and actions, sockets that say nothing, read nothing or never
 * finish a sentence (cases 34 and 35). Each ends by its limit, memory stays bounded, and an honest client plays on.
 */
import t, { type Test } from 'tap';
import { ERRORS } from '../../src/base/errors.js';
import { LIMITS } from '../../src/base/limits.js';
import { CUT, frame, OPCODE, RawClient, UPGRADE } from './raw.js';
import { eventually, pause, Server, within } from './server.js';
import { Witness } from './witness.js';
import { monotonicClock } from '../../src/base/clock.js';

t.setTimeout(120_000);
t.jobs = 4; // they mostly wait

const MIB = 1024 ** 2;
const clock = monotonicClock();

/** Runs an attack on a server of its own with an honest client beside it. */
async function besides(
  t: Test,
  flags: readonly string[],
  growthBytes: number,
  attack: (server: Server) => Promise<void>,
): Promise<void> {
  const server = await Server.start(t, ['--shards', '1', ...flags]);
  const witness = await Witness.enter(t, server);
  const before = server.residentBytes();
  await attack(server);
  const grown = server.residentBytes() - before;
  t.ok(grown < growthBytes, `memory grew by ${Math.round(grown / MIB)} MiB`);
  await witness.finish(t);
  await server.stop();
}

const many = (n: number, make: () => Promise<RawClient>) => Promise.all(Array.from({ length: n }, make));

t.test('sockets that say nothing, and upgrades that never end', { buffered: true }, async (t) => {
  await besides(t, ['--gateways', '2'], 100 * MIB, async ({ port }) => {
    const begin = clock.now();
    const silent = await many(50, () => RawClient.open(port));
    const mute = [new RawClient(port), new RawClient(port)];
    mute[1].socket.write(UPGRADE.slice(0, -2)); // and never the last line
    const dripping = new RawClient(port);
    dripping.socket.write(UPGRADE.slice(0, -2));
    const drip = (i: number) => void (dripping.code ?? dripping.socket.write(`X-Header-${i}: x\r\n`));
    void (async () => {
      for (let i = 0; dripping.code === undefined; i++) {
        drip(i);
        await pause(500);
      }
    })();
    for (const client of silent) t.equal(await client.ended, ERRORS.FIRST_MESSAGE_TIMEOUT.number);
    const first = clock.now() - begin;
    t.ok(first >= LIMITS.firstMessageS * 1000, `not before its time: ${Math.round(first)} ms`);
    for (const client of [...mute, dripping])
      t.equal(await within('an upgrade without end is cut', client.ended, 20_000), CUT);
  });
});

t.test(
  'a client that stops reading, one that pings on, one that never saw a tick',
  { buffered: true },
  async (t) => {
    await besides(t, [], 100 * MIB, async ({ port }) => {
      const clients = await many(30, () => RawClient.play(port));
      const begin = clients[0].newestTick;
      for (const client of clients) client.socket.pause();
      let isOver = false;
      const lies = async (client: RawClient) => {
        while (!isOver) {
          client.send(client.writer.ping(1, 1));
          await pause(500);
        }
      };
      const liars = clients.slice(10, 20);
      void Promise.all(liars.map(lies));
      // Reads again, but says that it has seen nothing since.
      for (const client of clients.slice(20)) {
        client.socket.resume();
        void lies(client);
      }
      for (const client of clients.slice(20)) {
        t.equal(await within('a close', client.ended, 20_000), ERRORS.TOO_SLOW.number);
      }
      isOver = true;
      await pause(2000); // the silent ones were given a second more
      for (const client of clients.slice(0, 20)) {
        client.socket.resume();
        t.equal(await within('a close', client.ended), ERRORS.TOO_SLOW.number);
        t.equal(client.closing, 'TOO_SLOW');
      }
      const late = clients[20].lastFrameTick - begin;
      t.ok(
        late > 0 && late < 5 * LIMITS.tickRateHz,
        `no cell frames to the slow: the last was ${late} ticks later`,
      );
    });
  },
);

t.test('thousands of connections at once, and gone at once', { buffered: true }, async (t) => {
  await besides(t, [], 200 * MIB, async (server) => {
    for (let round = 0; round < 3; round++) {
      const clients = await many(1000, () => RawClient.open(server.port));
      for (const [i, client] of clients.entries()) if (i % 4 === 0) client.hello();
      for (const client of clients) client.destroy();
    }
    const connections = async () => (await server.status()).gateways[0].connections;
    await eventually('only the honest client is left', async () => (await connections()) === 1);
  });
});

t.test('a full house', { buffered: true }, async (t) => {
  await besides(t, ['--max-entities', '256'], 100 * MIB, async ({ port }) => {
    const clients = await many(300, () => RawClient.open(port));
    for (const client of clients) if (client.code === undefined) client.hello();
    await eventually('each plays or was refused', () =>
      clients.every(({ code, welcome }) => code !== undefined || welcome !== undefined),
    );
    const refused = clients.filter(({ code }) => code !== undefined);
    t.ok(refused.length >= 300 - 256, `${refused.length} were refused`);
    t.same(new Set(refused.map(({ code }) => code)), new Set([ERRORS.WORLD_FULL.number]));
    for (const client of clients) client.destroy();
  });
});

t.test('floods of messages, actions and pings', { buffered: true }, async (t) => {
  await besides(t, [], 100 * MIB, async ({ port }) => {
    const pings = await RawClient.play(port);
    pings.send(...Array.from({ length: 150 }, () => pings.writer.ping(0, 1).slice()));
    t.equal(await pings.ended, ERRORS.RATE_LIMITED.number);

    const actions = await RawClient.play(port);
    const ping = actions.writer.ping(0, 1).slice();
    const valid = Array.from({ length: 50 }, (_, i) => actions.action(i + 1));
    actions.send(...valid, ...Array.from({ length: 60 }, () => ping));
    t.equal(await actions.ended, ERRORS.RATE_LIMITED.number);

    // Pings of the WebSocket itself, from one who reads the answers and one who does not.
    const frames = Buffer.concat(Array.from({ length: 500 }, () => frame(OPCODE.PING, new Uint8Array(100))));
    const flooders = await many(4, () => RawClient.play(port));
    flooders[0].socket.pause();
    const end = clock.now() + 2000;
    const flood = async ({ socket }: RawClient) => {
      while (clock.now() < end) {
        if (!socket.write(frames))
          await Promise.race([new Promise((go) => socket.once('drain', go)), pause(100)]);
      }
    };
    await Promise.all(flooders.map(flood));
    for (const client of flooders) client.destroy();
  });
});
