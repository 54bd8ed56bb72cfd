/** Tiles that breathe, with real threads and sockets: a crowd splits a tile by itself, and when it has gone all is as before. */
import t from 'tap';
import type { DecisionRecord } from '../../src/control/elastic.js';
import type { TilesStatus } from '../../src/control/status.js';
import { readConfig } from '../../src/config.js';
import { createLog } from '../../src/base/log.js';
import { PlanetNode } from '../../src/node.js';
import { eventually, type Server } from './server.js';
import { keepsItsPromises, runBots } from './bots.js';

t.test('split, merge, threads started and ended', { buffered: true }, async (t) => {
  const argv = '--memory --port 0 --shards 3 --capacity 20 --log-level silent'.split(' ');
  const config = readConfig({ argv, env: {}, cores: 2, readText: () => '' });
  if ('help' in config) throw new Error('no help was asked for');
  const node = new PlanetNode(config, createLog({ level: 'silent' }), { dwellS: 6.5, packAfterS: 8 });
  t.teardown(() => node.stop(0));
  const addresses = await node.start();
  if (addresses === null) throw new Error('the node does not start');
  const { game: url, admin } = addresses;
  const running = () => node.status().shards.filter((shard) => shard.state === 'running').length;
  const of = (kind: string): DecisionRecord[] => node.decisions().filter((d) => d.kind === kind);
  t.equal(running(), 1, 'one shard runs');

  let stop: () => void = () => {};
  const until = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const flags = ['--players', '60', '--seconds', '0', '--scenario', 'crowd', '--ramp', '10'];
  const bots = runBots(t, { url, admin } as Server, flags, { until });
  const isSplit = () => of('split').some((d) => d.outcome === 'done');
  await eventually('a tile is split', isSplit, 30_000);
  await eventually('everybody is there', () => node.status().players === 60, 30_000);
  const tiles = (await (await fetch(`${admin}/api/tiles`)).json()) as TilesStatus;
  t.ok(tiles.tiles.some(({ tile, players }) => tile.startsWith('13/') && players >= 20));
  t.ok(
    tiles.tiles.every(({ tile, players }) => players <= 20 || tile.startsWith('13/')),
    'more than the capacity only at the deepest level',
  );
  await eventually('threads were started', () => running() > 1);
  stop();
  keepsItsPromises(t, await bots, 'crowd');

  const isWhole = () =>
    of('merge').length > 0 && node.tiles().tiles.every(({ tile }) => tile.startsWith('11/'));
  await eventually('all tiles are whole again', isWhole, 60_000);
  await eventually('one shard is left', () => running() === 1, 60_000);
  const isSettled = () => node.decisions().every((d) => d.outcome !== 'running');
  await eventually('every decision has ended', isSettled);
  const { ticksMissed, ticksDoubled, totals, alarms } = node.status();
  t.same([ticksMissed, ticksDoubled, totals.shardRestarts], [0, 0, 0]);
  t.same(
    alarms.filter((alarm) => !alarm.includes('machine is full')),
    [],
  );
  const { decisions } = (await (await fetch(`${admin}/api/decisions`)).json()) as {
    decisions: DecisionRecord[];
  };
  t.same(decisions, JSON.parse(JSON.stringify(node.decisions())), 'all of it is told');
  for (const d of decisions) t.ok(d.reason.endsWith('.') && d.outcome !== 'running', d.decision);
});
