/**
 * Clients behind a long way, on real sockets: a proxy on loopback that holds back every byte for half of a round trip,
 * either way, and now and then carries nothing at all. What they are shown goes on, after a stall and after a death of
 * the shard that serves them.
 */
import { connect as dial, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { monotonicClock, systemTimers } from '../../src/base/clock.js';
import { type Client, connect } from '../../src/client/client.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import { eventually, pause, Server, within } from './server.js';

const clock = monotonicClock();
const timers = systemTimers();

/** A way of its length: what comes in at one end leaves at the other after half of the round trip, in order. */
class LongWay {
  url = '';
  private stalledUntil = 0;
  private readonly server;

  private constructor(
    t: Test,
    port: number,
    private readonly rttMs: number,
  ) {
    const open = new Set<Socket>();
    this.server = createServer({ noDelay: true }, (near) => {
      const far = dial({ port, host: '127.0.0.1', noDelay: true });
      this.carry(near, far);
      this.carry(far, near);
      for (const socket of [near, far]) {
        open.add(socket);
        socket.on('error', () => {}); // a close follows
        socket.on('close', () => {
          near.destroy();
          far.destroy();
        });
      }
    });
    t.teardown(() => {
      this.server.close();
      for (const socket of open) socket.destroy();
    });
  }

  static async to(t: Test, port: number, rttMs: number): Promise<LongWay> {
    const way = new LongWay(t, port, rttMs);
    await new Promise<void>((resolve) => way.server.listen(0, '127.0.0.1', resolve));
    const address = way.server.address();
    way.url = `ws://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    return way;
  }

  /** Nothing arrives for a while. */
  stall(ms: number): void {
    this.stalledUntil = clock.now() + ms;
  }

  private carry(from: Socket, to: Socket): void {
    let last = 0;
    // Timers that are due in the same millisecond may fire in any order; bytes may not.
    const held: Buffer[] = [];
    from.on('data', (bytes) => {
      last = Math.max(last, this.stalledUntil, clock.now() + this.rttMs / 2);
      held.push(bytes);
      timers.after(last - clock.now(), () => {
        const next = held.shift()!;
        if (!to.destroyed) to.write(next);
      });
    });
  }
}

/** Somebody who walks to and fro at the end of a way, and when it was shown a frame last. */
async function walk(t: Test, server: Server, rttMs: number) {
  const way = await LongWay.to(t, server.port, rttMs);
  const seen = { atMs: clock.now(), tick: 0 };
  const client: Client = connect({
    url: way.url,
    socket: nodeSockets,
    handlers: {
      frame: (frame) => {
        seen.atMs = clock.now();
        seen.tick = frame.tick;
      },
    },
  });
  t.teardown(() => client.abandon());
  await within('the Welcome', client.ready, 30_000);
  let legs = 0;
  const cancel = timers.every(1000, () => {
    if (client.state === 'online' && client.undecided < 10)
      void client.act('walk', { heading: (legs++ % 2) * Math.PI, speed: 2, seconds: 1 }).catch(() => {});
  });
  t.teardown(cancel);
  return { way, client, seen };
}

t.test('far clients are shown what goes on', async (t) => {
  const server = await Server.start(t, ['--shards', '1', '--test-faults']);
  const all = await Promise.all([200, 600, 1100].map((rttMs) => walk(t, server, rttMs)));
  const shown = async (what: string) => {
    const from = clock.now();
    for (const { seen } of all) {
      await eventually(`${what}: frames come`, () => seen.atMs > from, 20_000);
      const { tick } = seen;
      await eventually(`${what}: and go on`, () => seen.tick >= tick + 40, 20_000);
    }
  };
  await shown('at first');
  for (const { way } of all) way.stall(2000);
  await pause(2000); // the stall itself, which no event ends
  await shown('after a stall');
  for (const { way } of all) way.stall(2000);
  await server.killShard(0, 'throw');
  await shown('after a death and a stall');
  for (const { client } of all) t.match(client, { state: 'online', attempts: 1 }, 'and nobody was closed');
  for (const { client } of all) client.abandon();
  server.signal('SIGKILL');
  await server.ended;
});
