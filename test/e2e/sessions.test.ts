/**
 * A session outlives its sockets: it goes on after an abrupt loss, on another gateway, against a socket that still seems
 * open; it ends by goodbye, by silence, and with the server. No action id is lost or decided twice on the way (case 11).
 */
import { connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { ERRORS } from '../../src/base/errors.js';
import { LIMITS } from '../../src/base/limits.js';
import { RawClient } from './raw.js';
import { eventually, pause, Server, within } from './server.js';
import { Witness } from './witness.js';

t.setTimeout(120_000);
t.jobs = 4; // they mostly wait

/** Actions up to an id, from the one after the last decided. */
async function actUpTo(client: RawClient, id: number): Promise<void> {
  const ids = Array.from({ length: id - client.applied }, (_, i) => client.applied + 1 + i);
  client.send(...ids.map((one) => client.action(one)));
  await client.until(`action ${id} is decided`, () => client.applied === id);
}

t.test('resume after an abrupt loss, again and again', { buffered: true }, async (t) => {
  const server = await Server.start(t, ['--shards', '2']);
  let client = await RawClient.play(server.port);
  const { session, entity } = client.welcome ?? {};
  for (let last = 10; last <= 50; last += 10) {
    await actUpTo(client, last - 5);
    // Three more are under way when the socket breaks: whether they arrived, the Welcome tells.
    const lost = [1, 2, 3].map((n) => client.action(client.applied + n));
    client.send(...lost).destroy();
    client = await RawClient.play(server.port, client.resumption);
    t.match(client.welcome, { session, entity, resumed: true });
    t.ok(client.applied >= last - 5 && client.applied <= last - 2, `${client.applied} are decided`);
    await actUpTo(client, last);
  }
  t.match(await client.askLog(), { session, lastAction: 50, applied: 50, rejected: 0 });
  client.destroy();
  await server.stop();
});

t.test(
  'resume wins over a socket that still seems open, on either gateway',
  { buffered: true },
  async (t) => {
    const server = await Server.start(t, ['--shards', '2', '--gateways', '2']);
    const connections = async () => (await server.status()).gateways.map((gateway) => gateway.connections);
    const others = async (sum: number) => {
      await eventually('the count', async () => (await connections()).reduce((a, b) => a + b) === sum);
      return connections();
    };
    let client = await RawClient.play(server.port);
    const seen = new Set<boolean>();
    await actUpTo(client, 3);
    for (let tries = 0; seen.size < 2 && tries < 40; tries++) {
      const before = (await others(1)).indexOf(1);
      const next = await RawClient.open(server.port);
      seen.add((await others(2)).indexOf(2) < 0); // on the other gateway
      next.hello(client.resumption);
      t.equal(
        await within('the older one ends', client.ended),
        ERRORS.SESSION_TAKEN.number,
        `from ${before}`,
      );
      await next.until('Welcome', () => next.welcome !== undefined);
      t.match(next.welcome, { ...sessionOf(client), resumed: true, applied: client.applied });
      await actUpTo(next, client.applied + 3);
      client = next;
    }
    t.equal(seen.size, 2, 'it was tried on the same gateway and on the other');
    t.match(await client.askLog(), { lastAction: client.applied, applied: client.applied, rejected: 0 });
    client.destroy();
    await server.stop();
  },
);

const sessionOf = ({ welcome }: RawClient) => ({ session: welcome?.session, entity: welcome?.entity });

/** What a Hello is answered with. */
async function refusal(server: Server, words: Parameters<RawClient['hello']>[0]): Promise<number> {
  const client = (await RawClient.open(server.port)).hello(words);
  const code = await within('a refusal', client.ended);
  return code;
}

t.test('the end of a session: goodbye, and silence', { buffered: true }, async (t) => {
  const server = await Server.start(t, ['--shards', '1']);
  const polite = await RawClient.play(server.port);
  const lost = await RawClient.play(server.port);
  const forger = { ...lost.resumption, resumeEntity: polite.welcome?.entity };
  t.equal(await refusal(server, forger), ERRORS.SESSION_EXPIRED.number, "another one's entity");
  polite.send(polite.writer.goodbye(0));
  t.equal(await polite.ended, ERRORS.GOODBYE.number);
  await eventually('the guest has left the world', async () => (await server.status()).players === 1);
  t.equal(await refusal(server, polite.resumption), ERRORS.SESSION_EXPIRED.number, 'after a goodbye');
  lost.destroy();
  const { tick } = await server.status();
  const gone = async () => (await server.status()).players === 0;
  await eventually('the grace is over', gone, (LIMITS.idleGuestGraceS + 10) * 1000);
  const seconds = ((await server.status()).tick - tick) / LIMITS.tickRateHz;
  t.ok(seconds >= LIMITS.idleGuestGraceS, `not before the grace was over: ${seconds} s`);
  t.equal(await refusal(server, lost.resumption), ERRORS.SESSION_EXPIRED.number, 'after the grace');
  await server.stop();
});

/** A wire that can be cut. */
async function wire(t: Test, port: number) {
  const ends = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      ends.add(from);
      from.pipe(to);
      from.on('error', () => {}).on('close', () => to.destroy());
    }
  });
  t.teardown(() => proxy.close());
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of ends) socket.destroy();
    ends.clear();
  };
  return { port: (proxy.address() as { port: number }).port, cut };
}

t.test('the SDK resumes by itself when its wire is cut', { buffered: true }, async (t) => {
  const server = await Server.start(t, ['--shards', '2', '--gateways', '2']);
  const { port, cut } = await wire(t, server.port);
  const witness = await Witness.enter(t, server, { url: `ws://127.0.0.1:${port}` });
  const { session } = witness.client.welcome ?? {};
  for (let n = 1; n <= 5; n++) {
    await pause(150 * n); // at different moments of its walk
    cut();
    await eventually(
      'it plays again',
      () => witness.disconnects.length === n && witness.client.state === 'online',
    );
  }
  t.equal(witness.client.welcome?.session, session, 'it is the same session');
  await witness.finish(t, 'the client on a bad wire', { losses: 5 });
  await server.stop();
});

t.test('SIGTERM tells every kind of client, and leaves nothing behind', { buffered: true }, async (t) => {
  const server = await Server.start(t, ['--shards', '4', '--gateways', '3']);
  const players = await Promise.all(Array.from({ length: 20 }, () => RawClient.play(server.port)));
  const strangers = await Promise.all([1, 2, 3].map(() => RawClient.open(server.port)));
  const deaf = await RawClient.play(server.port);
  deaf.socket.pause();
  await server.stop();
  for (const client of [...players, ...strangers]) {
    t.equal(await client.ended, ERRORS.SERVER_STOPPING.number);
    t.equal(client.closing, 'SERVER_STOPPING');
  }
  deaf.destroy();
});
