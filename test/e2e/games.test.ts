/** A studio's own game, TLS, and two planets in one process: playable through the public SDK. */
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import WebSocket from 'ws';
import { createLog } from '../../src/base/log.js';
import { type Client, connect } from '../../src/client/client.js';
import { columnReader } from '../../src/client/columns.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import type { ConnectOptions } from '../../src/client/types.js';
import { readConfig } from '../../src/config.js';
import { PlanetNode } from '../../src/node.js';
import { CERTIFICATE, KEY } from '../gateway/certificate.js';
import { keepsItsPromises, runBots } from './bots.js';
import { eventually, Server, within } from './server.js';

t.setTimeout(120_000);
t.jobs = 3;

async function enter(t: Test, url: string, options: Partial<ConnectOptions> = {}): Promise<Client> {
  const client = connect({ url, socket: nodeSockets, ...options });
  t.teardown(() => client.abandon());
  await within('Welcome', client.ready);
  return client;
}

for (const [kind, up] of [
  ['js', '..'],
  ['ts', '../../../test'], // the source, as a studio would give it
] as const) {
  t.test(`a game of tag, from .${kind}`, { buffered: true }, async (t) => {
    const file = fileURLToPath(new URL(`${up}/fixtures/games/tag.${kind}`, import.meta.url));
    const server = await Server.start(t, ['--shards', '2', '--game', file]);
    const payloads = { hop: { direction: 'u8' }, touch: { target: 'id' } } as const;
    const tagged: number[] = [];
    const handlers = { event: ({ source }: { source: number }) => void tagged.push(source) };
    const first = await enter(t, server.url, { payloads, handlers });
    t.equal(first.welcome?.game, 'tag');
    const isIt = (id: number) => {
      const seen = first.view?.get(id);
      return seen && columnReader(first.welcome?.columns ?? [], 'it')?.(seen);
    };
    await eventually('the first one is it', () => isIt(first.entity) === 1);
    const second = await enter(t, server.url, { payloads });
    await eventually('they see each other', () => isIt(second.entity) === 0);
    const code = async (client: Client, action: string, fields: Record<string, number>) =>
      (await within(action, client.act(action, fields))).code;
    t.equal(await code(second, 'touch', { target: first.entity }), 1000, 'who is not it may not touch');
    for (let hop = 0; hop < 3; hop++) t.equal(await code(second, 'hop', { direction: 0 }), 0);
    t.equal(await code(first, 'touch', { target: second.entity }), 3, 'three metres are too far');
    for (let hop = 0; hop < 3; hop++) t.equal(await code(second, 'hop', { direction: 2 }), 0);
    t.equal(await code(first, 'touch', { target: second.entity }), 0);
    await eventually('everybody sees who is it now', () => isIt(second.entity) === 1);
    t.equal(isIt(first.entity), 0);
    await eventually('the event was heard', () => tagged.length > 0);
    t.same(tagged, [second.entity], 'once');
    await Promise.all([first.goodbye(), second.goodbye()]);
    await server.stop();
  });
}

t.test('TLS: the game port speaks wss and nothing else', { buffered: true }, async (t) => {
  const folder = t.testdir();
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(cert, CERTIFICATE);
  writeFileSync(key, KEY);
  const server = await Server.start(t, [
    '--shards',
    '2',
    '--tls-cert',
    cert,
    '--tls-key',
    key,
    '--gateways',
    '2',
  ]);
  t.match(server.url, /^wss:/);
  const walk = ['--players', '10', '--seconds', '3', '--scenario', 'border'];
  keepsItsPromises(
    t,
    await runBots(t, server, walk, { env: { NODE_EXTRA_CA_CERTS: cert } }),
    'bots over TLS',
  );
  for (const url of [server.url, server.url.replace('wss', 'ws')]) {
    const socket = new WebSocket(url); // one that knows the certificate not, one without TLS
    const error = new Promise((resolve) => socket.on('error', resolve));
    t.ok(await within('an error', error), `${url.slice(0, 3)}: no connection`);
  }
  await server.stop();
});

t.test(
  'two planets in one process: each serves its own, one ends, the other goes on',
  { buffered: true },
  async (t) => {
    const log = createLog({ level: 'silent' });
    const make = (seed: string) => {
      const argv = ['--memory', '--port', '0', '--shards', '2', '--seed', seed, '--log-level', 'silent'];
      const config = readConfig({ argv, env: {}, cores: 2, readText: () => '' });
      if ('help' in config) throw new Error('no help was asked for');
      const node = new PlanetNode(config, log);
      t.teardown(() => node.stop(0));
      return node;
    };
    const nodes = [make('1'), make('2')];
    const addresses = await Promise.all(nodes.map((node) => node.start()));
    const urls = addresses.map((address) => address?.game ?? '');
    const players = await Promise.all(urls.map((url) => enter(t, url)));
    const forage = async (client: Client) => (await within('forage', client.act('forage'))).code;
    t.same(await Promise.all(players.map(forage)), [0, 0]);
    t.same(
      players.map((player) => [...(player.view ?? [])].filter(({ kind }) => kind === 0).length),
      [1, 1],
      'they do not see each other',
    );
    await nodes[0].stop(0);
    t.equal(await nodes[0].stopped, 0);
    const walk = { heading: 1, speed: 1, seconds: 1 };
    t.equal((await within('walk', players[1].act('walk', walk))).code, 0);
    t.equal(await within('goodbye', players[1].goodbye()), null);
    await nodes[1].stop(0);
    t.equal(await nodes[1].stopped, 0);
  },
);
