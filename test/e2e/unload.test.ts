/**
 * What nobody looks at leaves memory and comes back as it was, on real threads over a real data directory: the things of
 * a tile that slept, and players of accounts who log in again at every moment of their way out (case 14a).
 */
import { join } from 'node:path';
import { SignJWT } from 'jose';
import t, { type Test } from 'tap';
import { createLog } from '../../src/base/log.js';
import { type Client, connect } from '../../src/client/client.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import { readConfig } from '../../src/config.js';
import { ITEM, KIND } from '../../src/game/constants.js';
import { PlanetNode } from '../../src/node.js';
import { eventually, pause, within } from './server.js';

t.setTimeout(120_000);

const KEY = 'a secret of the tests that is long enough';

async function start(t: Test, tileSleepS?: number): Promise<{ node: PlanetNode; url: string }> {
  const argv = ['--data', join(t.testdir(), 'data'), '--port', '0', '--shards', '2', '--log-level', 'silent'];
  const env = { BLUEMARBLE_TICKET_KEY: KEY };
  const config = readConfig({ argv, env, cores: 2, readText: () => '' });
  if ('help' in config) throw new Error('no help was asked for');
  const node = new PlanetNode(config, createLog({ level: 'silent' }), { tileSleepS });
  t.teardown(() => node.stop(0));
  const addresses = await node.start();
  return { node, url: addresses?.game ?? '' };
}

async function login(t: Test, url: string, player: string): Promise<Client> {
  const words = new SignJWT().setProtectedHeader({ alg: 'HS256' }).setSubject(player);
  const ticket = await words.setExpirationTime('5m').sign(new TextEncoder().encode(KEY));
  const client = connect({ url, socket: nodeSockets, ticket });
  t.teardown(() => client.abandon());
  await within('Welcome', client.ready);
  await eventually('its items are told', () => client.self.items.length > 0);
  return client;
}

const storeOf = (node: PlanetNode) => {
  const { store } = node.status();
  if (store === null) throw new Error('there is no store');
  return store;
};

/** Things that lie on the ground, by id: they never move. */
const lying = (client: Client) =>
  [...(client.view ?? [])]
    .filter(({ kind }) => kind === KIND.pile)
    .map(({ id, x, y, pub0, pub1 }) => ({ id, x, y, pub0, pub1 }))
    .sort((a, b) => a.id - b.id);

t.test('a tile that slept: what was dropped in it lies there again', async (t) => {
  const { node, url } = await start(t, 1);
  const first = await login(t, url, 'mary');
  t.equal((await within('drop', first.act('drop', { item: ITEM.coin, count: 4 }))).code, 0);
  await eventually('it is seen', () => lying(first).length > 0 && first.self.items[ITEM.coin] === 6);
  const things = lying(first);
  const [items, { totals }] = [[...first.self.items], node.status()];
  await within('goodbye', first.goodbye());

  await eventually(
    'all of it has left memory',
    () => node.status().entities === 0 && storeOf(node).unloads > 0,
    30_000,
  );
  await eventually('the arena is empty', () => storeOf(node).resting > things.length, 10_000);
  const { loads } = storeOf(node);
  const second = await login(t, url, 'mary');
  await eventually('the things are seen', () => lying(second).length === things.length);
  t.same(lying(second), things, 'the same things at the same places');
  t.same(second.self.items, items, 'and the bag is as it was');
  await eventually('they came out of the store', () => storeOf(node).loads > loads + things.length);
  // What grows there by nature went, and is made again as it was.
  await eventually('nothing was lost, nothing doubled', () => node.status().totals.items === totals.items);
  t.match(node.status(), { audit: { ok: true }, ticksDoubled: 0 });
  await within('goodbye', second.goodbye());
  await node.stop(0);
});

t.test('a login at every moment after a logout finds the newest record', async (t) => {
  const { node, url } = await start(t);
  let client = await login(t, url, 'mary');
  const { entity } = client;
  for (const ms of [3, 40, 80, 120, 160, 200, 240, 280, 320, 400, 500, 600, null, null]) {
    const heading = ms === null ? 0 : Math.PI;
    t.equal((await within('walk', client.act('walk', { heading, speed: 5, seconds: 0.1 }))).code, 0);
    await within('forage', client.act('forage')); // too early sometimes: whatever it gives has to stay
    await eventually('it stands', () => client.self.vx === 0 && client.self.tick > 0);
    const { x, y, items } = { ...client.self, items: [...client.self.items] };
    const before = storeOf(node).unloads;
    await within('goodbye', client.goodbye());
    if (ms !== null) await pause(ms);
    else await eventually('it has left memory', () => storeOf(node).unloads > before);
    client = await login(t, url, 'mary');
    t.equal(client.entity, entity);
    t.same(
      { x: client.self.x, y: client.self.y, items: client.self.items },
      { x, y, items },
      ms === null ? 'from the store' : `after ${ms} ms`,
    );
  }
  await eventually('it came out of the store at least twice', () => storeOf(node).loads >= 2);
  t.match(node.status(), { audit: { ok: true }, ticksDoubled: 0, players: 1 });
  await within('goodbye', client.goodbye());
  await node.stop(0);
});
