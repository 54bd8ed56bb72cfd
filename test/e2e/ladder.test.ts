/**
 * A crowd on one spot that needs more than a thread has, with real threads and sockets: it is served less, rung by rung,
 * time last, and more again in the reverse order; meanwhile nothing is dropped, and timers keep to the tile's clock.
 */
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { createLog } from '../../src/base/log.js';
import { connect } from '../../src/client/client.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import type { SelfState } from '../../src/client/types.js';
import { readConfig } from '../../src/config.js';
import type { DecisionRecord } from '../../src/control/elastic.js';
import { lonLatToXY } from '../../src/geo/world.js';
import { PlanetNode } from '../../src/node.js';
import { keepsItsPromises, runBots } from './bots.js';
import { eventually, type Server, within } from './server.js';

t.setTimeout(180_000);

const GAME = fileURLToPath(new URL('../fixtures/games/heavy.js', import.meta.url));
/** Of `--scenario metre`. */
const SPOT = { lon: 2.3488, lat: 48.8534 };
/** At two milliseconds each 1.6 times a tick. */
const PLAYERS = 40;
const PATIENCE_MS = 60_000;
const WALK = { heading: 0, speed: 1, seconds: 1 };

/** What a client was told of itself, update by update. */
interface Told {
  readonly tick: number;
  readonly x: number;
  readonly dilation: number;
}

/** Walks one metre, one second of the tile's clock. @returns what it was told from the first move to the last */
async function walkOnce(url: string): Promise<{ told: Told[]; goodbye: unknown }> {
  const told: Told[] = [];
  const handlers = {
    self: ({ tick, x, dilation }: Readonly<SelfState>) => void told.push({ tick, x, dilation }),
  };
  const client = connect({ url, socket: nodeSockets, spawn: lonLatToXY(SPOT.lon, SPOT.lat), handlers });
  t.teardown(() => client.abandon());
  await within('Welcome', client.ready);
  const { code } = await within('the walk is applied', client.act('walk', WALK));
  t.equal(code, 0);
  const from = told[0]!.x;
  await eventually(
    'it has arrived',
    () => told.at(-1)!.x - from > WALK.speed * WALK.seconds - 1e-3,
    PATIENCE_MS,
  );
  const first = told.findLastIndex(({ x }) => x === from);
  const last = told.findIndex(({ x }) => x - from > WALK.speed * WALK.seconds - 1e-3);
  const goodbye = await within('goodbye', client.goodbye());
  return { told: told.slice(first, last + 1), goodbye };
}

const rungs = (decisions: readonly DecisionRecord[]) =>
  decisions.filter(({ kind }) => kind === 'degrade').map(({ numbers }) => Number(numbers.rung));

t.test('the whole ladder, down and back', async (t) => {
  const argv = [
    '--memory',
    '--port',
    '0',
    '--shards',
    '1',
    '--capacity',
    '10',
    '--game',
    GAME,
    '--log-level',
    'silent',
  ];
  const config = readConfig({ argv, env: {}, cores: 2, readText: () => '' });
  if ('help' in config) throw new Error('no help was asked for');
  // No merge comes in between: the tile that climbs back is the one that went down.
  const node = new PlanetNode(config, createLog({ level: 'silent' }), { dwellS: 120 });
  t.teardown(() => node.stop(0));
  const addresses = await node.start();
  if (addresses === null) throw new Error('the node does not start');
  const { game: url, admin } = addresses;
  let stop: () => void = () => {};
  const until = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const decided: DecisionRecord[] = [];
  const note = () => {
    for (const d of node.decisions()) if (d.kind === 'degrade' && !decided.includes(d)) decided.push(d);
    return decided;
  };
  const flags = ['--players', String(PLAYERS), '--seconds', '0', '--scenario', 'metre'];
  const bots = runBots(t, { url, admin } as Server, flags, { until });
  await eventually('time is slowed', () => rungs(note()).at(-1)! > 3, PATIENCE_MS);
  t.ok(node.status().dilation < 1, 'the status says so');

  const { told, goodbye } = await walkOnce(url);
  t.equal(goodbye, null);
  note();
  const slow = told.filter(({ dilation }) => dilation < 1);
  t.ok(slow.length > told.length / 2, 'clients are told of the slowed time');
  const [least, most] = [Math.min, Math.max].map((of) => of(...told.map(({ dilation }) => dilation)));
  const ticks = told.at(-1)!.tick - told[0]!.tick;
  const needed = WALK.seconds * 20;
  const between = 4; // updates come every second tick
  t.ok(ticks >= needed / most! - between, `${ticks} ticks for ${needed} steps at ${most} at most`);
  t.ok(ticks <= needed / least! + between, `${ticks} ticks for ${needed} steps at ${least} at least`);

  stop();
  keepsItsPromises(t, await bots, 'metre');
  await eventually('all is as before', () => rungs(note()).at(-1) === 0, PATIENCE_MS);
  const climbed = rungs(decided);
  const deepest = Math.max(...climbed);
  t.comment(`rungs: ${climbed.join(' ')}; dilation of the walk ${least} to ${most}, ${ticks} ticks`);
  t.ok(
    climbed.every((rung, i) => Math.abs(rung - (climbed[i - 1] ?? 0)) === 1),
    'one rung at a time',
  );
  t.ok(deepest > 3, 'time came last, after three rungs of rates');
  t.same(
    climbed.slice(-deepest),
    Array.from({ length: deepest }, (_, i) => deepest - 1 - i).slice(-deepest),
    'back in reverse order',
  );
  const { ticksMissed, ticksDoubled, totals, dilation } = node.status();
  t.same([ticksMissed, ticksDoubled, totals.shardRestarts, dilation], [0, 0, 0, 1]);
});
