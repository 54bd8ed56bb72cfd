/** Nodes as objects: two in one process, each with its own world, ports, threads and end. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import WebSocket from 'ws';
import { createLog } from '../src/base/log.js';
import { type Config, readConfig } from '../src/config.js';
import { type Addresses, PlanetNode } from '../src/node.js';
import { holdFolder } from '../src/store/hold.js';

function config(...flags: string[]): Config {
  const port = flags.includes('--port') ? [] : ['--port', '0'];
  const argv = [
    ...port,
    '--shards',
    '2',
    '--pin-shards',
    '--max-entities',
    '256',
    '--log-level',
    'silent',
    ...flags,
  ];
  const read = readConfig({ argv, env: {}, cores: 2, readText: () => '' });
  if ('help' in read) throw new Error('no help was asked for');
  return read;
}

function node(t: Test, ...flags: string[]): PlanetNode {
  const made = new PlanetNode(config(...flags), createLog({ level: 'silent' }));
  t.teardown(() => made.stop(0));
  return made;
}

async function started(node: PlanetNode): Promise<Addresses> {
  const addresses = await node.start();
  if (addresses === null) throw new Error('it was stopped');
  return addresses;
}

function connect(url: string): Promise<{ socket: WebSocket; closed: Promise<number> }> {
  const socket = new WebSocket(url);
  const closed = new Promise<number>((resolve) => socket.on('close', (code) => resolve(code)));
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve({ socket, closed })).on('error', reject);
  });
}

t.test('two nodes in one process: one ends, the other goes on', async (t) => {
  const [one, two] = [node(t), node(t)];
  const [a, b] = await Promise.all([started(one), started(two)]);
  t.not(a.game, b.game);
  const [first, second] = await Promise.all([connect(a.game), connect(b.game)]);
  await one.stop(0);
  t.equal(await first.closed, 4012, 'its client was told that the server stops');
  t.equal(await one.stopped, 0);
  await t.rejects(fetch(`${a.admin}/healthz`), 'its admin port is closed');
  t.equal(second.socket.readyState, WebSocket.OPEN);
  const status = (await (await fetch(`${b.admin}/api/status`)).json()) as {
    shards: { incarnation: number }[];
  };
  t.same(
    status.shards.map((s) => s.incarnation),
    [1, 2],
    'incarnations are counted by each node for itself',
  );
  await two.stop(0);
  t.equal(await second.closed, 4012);
});

t.test('stop at once, twice, before the start has finished', async (t) => {
  const early = node(t);
  const starting = early.start();
  await Promise.all([early.stop(0), early.stop(7)]);
  t.equal(await starting, null);
  t.equal(await early.stopped, 7, 'the first fault decides the code');
});

t.test('stop at any moment of opening the data: the end is orderly, and the data is free', async (t) => {
  const data = join(t.testdir(), 'data');
  const one = node(t, '--data', data);
  await started(one);
  await one.stop(0);
  for (const turns of [0, 1, 2, 3, 4, 6, 8, 10, 13, 17, 23]) {
    const next = node(t, '--data', data);
    const starting = next.start();
    // Turns of the loop, then answers of the disk: the store's thread is somewhere in its opening.
    for (let i = 0; i < turns; i++)
      await (i < 8 ? new Promise((resolve) => setImmediate(resolve)) : stat(data));
    await next.stop(0);
    t.equal(await starting, null, `stopped after ${turns} turns`);
    t.equal(await next.stopped, 0);
    t.doesNotThrow(() => holdFolder(data, 0).release(), 'nobody holds the data');
  }
  const late = node(t, '--data', data);
  const starting = late.start();
  const [code] = await Promise.all([late.stopped, late.stop(0)]);
  t.equal(code, 0);
  t.equal(await starting, null);
});

t.test('data that is refused after the stop was asked for: still an orderly stop', async (t) => {
  const folder = t.testdir({ data: { 'world.mdb': 'a letter to grandmother'.repeat(1000) } });
  const refused = node(t, '--data', join(folder, 'data'));
  await t.rejects(refused.start(), { code: 'DATA_CORRUPT' });
  const stopped = node(t, '--data', join(folder, 'data'));
  const starting = stopped.start();
  await stopped.stop(0);
  t.equal(await starting, null);
  t.equal(await stopped.stopped, 0);
});

t.test('a start that fails leaves nothing behind', async (t) => {
  const first = await started(node(t));
  const failing = node(t, '--port', new URL(first.game).port, '--admin-port', '0');
  await t.rejects(failing.start(), { code: 'PORT_TAKEN' });
  t.equal(await failing.stopped, 1);
});

t.test('readyz: not before, not after', async (t) => {
  const one = node(t);
  t.same(one.notReady(), ['the node is starting']);
  await started(one);
  t.same(one.notReady(), []);
  const stopping = one.stop(0);
  t.same(one.notReady(), ['the node is stopping']);
  await stopping;
});

t.test('the end: no thread, socket or timer is left', async (t) => {
  const left = () =>
    process.getActiveResourcesInfo().filter((kind) => !/Pipe|TTY|FSReq|Immediate|CloseReq/.test(kind));
  // Closed handles leave the list over the next turns of the loop.
  for (let turn = 0; turn < 100 && left().length > 0; turn++)
    await new Promise((resolve) => setImmediate(resolve));
  t.same(left(), []);
});
