/** Elastic over real shards in one thread: what load makes of the layout, of threads, and of who may come in. */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { Elastic } from '../../src/control/elastic.js';
import { Foreseer } from '../../src/control/forecast/foreseer.js';
import { LoadSampler } from '../../src/control/load.js';
import { plannerLimits } from '../../src/control/planner/types.js';
import { Reshaper } from '../../src/control/reshape.js';
import { ThreadCpu } from '../../src/control/thread-cpu.js';
import game from '../../src/game/game.js';
import { boundsOf, formatTile, tileAt } from '../../src/geo/address.js';
import { tileColumns } from '../../src/geo/tile.js';
import { SHARD_STATE } from '../../src/memory/shard-block.js';
import { pathAt } from '../../src/world/layout.js';
import { Planet, TICK_MS } from '../shard/planet.js';
import { FakeLog } from './fakes.js';

const BASE = tileAt(10_000, 10_000, LIMITS.baseTileLevel);
const AREA = boundsOf(BASE);
const NAME = formatTile(BASE);
const INDEX = BASE.y * 4096 + BASE.x;
const NO_TIMERS = { after: () => () => {}, every: () => () => {} };
const TICKS_A_TURN = 5;

interface Options {
  shards?: number;
  running?: number;
  /** Starts come to nothing. */
  refuses?: boolean;
}

/** Shards that do not run yet are there, and marked as never started. */
function setUp({ shards = 3, running = 1, refuses = false }: Options = {}) {
  const planet = new Planet(game, { shards });
  const { world, clock } = planet;
  for (let s = running; s < shards; s++) world.shardBlocks[s].state = SHARD_STATE.NONE;
  const log = new FakeLog();
  const stuck = new Set<number>();
  const reshaper = new Reshaper(
    world,
    NO_TIMERS,
    () => planet.tick,
    log,
    null,
    (s) => stuck.has(s),
  );
  const starts: number[] = [];
  const stops: number[] = [];
  const load = new LoadSampler({
    world,
    clock,
    cpu: new ThreadCpu(clock, () => null),
    startedMs: 0,
    canStart: (s) => world.shardBlocks[s].state === SHARD_STATE.NONE,
  });
  const elastic = new Elastic({
    world,
    clock,
    startedMs: 0,
    log,
    limits: plannerLimits({ capacityPlayers: 20, dwellS: 7, packAfterS: 10 }),
    foreseer: new Foreseer('on', plannerLimits()),
    reshaper,
    load,
    threads: {
      startShard: (s) => {
        starts.push(s);
        if (!refuses) world.shardBlocks[s].state = SHARD_STATE.RUNNING;
        return !refuses;
      },
      retire: (s) => {
        stops.push(s);
        world.shardBlocks[s].state = SHARD_STATE.NONE;
        return true;
      },
    },
  });
  const turn = (seconds: number) => {
    for (let i = 0; i < seconds * 4; i++) {
      planet.run(TICKS_A_TURN);
      reshaper.poll();
      elastic.step();
    }
  };
  const kinds = () => elastic.decisions.map((d) => `${d.decision} ${d.outcome}`);
  return { planet, world, elastic, reshaper, load, log, starts, stops, stuck, turn, kinds };
}

/** All over the tile. */
function join(planet: Planet, players: number) {
  return Array.from({ length: players }, (_, i) =>
    planet.join(AREA.west + 50 + ((i * 977) % 9000), AREA.south + 50 + ((i * 3571) % 9000)),
  );
}

t.test('a crowd: threads first, then a split; when it has gone a merge, and the threads end', (t) => {
  const { planet, elastic, starts, stops, turn, kinds, log } = setUp();
  planet.assign(AREA.west + 50, AREA.south + 50, 0);
  const players = join(planet, 13);
  turn(4);
  t.same(starts, [1, 2], 'threads start before the split needs them');
  t.same(
    elastic.decisions.filter((d) => d.kind === 'split'),
    [],
  );
  players.push(...join(planet, 5));
  turn(4);
  const split = elastic.decisions.find((d) => d.kind === 'split');
  t.match(split, { tile: NAME, outcome: 'done', numbers: { capacity: 20, threshold: 0.8 } });
  t.ok((split?.ms ?? 0) > 0 && (split?.ms ?? 0) <= 500, `settled after ${split?.ms} ms`);
  t.equal(new Set(players.map((p) => planet.ownerOf(p.slot))).size, 3, 'players on three shards');
  for (const p of players) planet.leave(p);
  turn(40);
  t.ok(kinds().includes(`merge ${NAME} done`), kinds().join(', '));
  t.notOk(planet.world.directory.isSplit(INDEX));
  t.equal(stops.length, 2, 'one shard is left');
  t.same(log.of('error'), []);
  const reshapes = elastic.decisions.filter((d) => d.tile === NAME && d.kind !== 'degrade');
  for (const [i, d] of reshapes.entries())
    t.ok(i === 0 || d.timeS - reshapes[i - 1].timeS >= 7, `${d.decision}: the dwell has passed`);
  t.equal(planet.counter('ticksMissed') + planet.counter('ticksDoubled'), 0);
  t.end();
});

t.test('case 19: a load that swings around the threshold reshapes a tile once a dwell at most', (t) => {
  const { planet, elastic, turn } = setUp({ running: 3 });
  planet.assign(AREA.west + 50, AREA.south + 50, 0);
  const stay = join(planet, 14);
  for (let i = 0; i < 20; i++) {
    const come = join(planet, 5);
    turn(1.5);
    for (const p of come) planet.leave(p);
    turn(1.5);
  }
  t.equal(stay.length, 14);
  const times = elastic.decisions.filter((d) => d.tile === NAME && d.kind !== 'degrade').map((d) => d.timeS);
  t.ok(times.length > 0, 'it was reshaped');
  for (let i = 1; i < times.length; i++) t.ok(times[i] - times[i - 1] >= 7, `${times[i - 1]} → ${times[i]}`);
  t.end();
});

t.test(
  'case 20: threads that do not start are asked for once a dwell; the split goes where threads run',
  (t) => {
    const { planet, elastic, starts, turn } = setUp({ refuses: true });
    planet.assign(AREA.west + 50, AREA.south + 50, 0);
    join(planet, 18);
    turn(13);
    for (const s of [1, 2]) {
      const asked = starts.filter((other) => other === s).length;
      t.ok(asked >= 1 && asked <= 3, `shard ${s} was asked for ${asked} times in 13 s`);
    }
    t.ok(elastic.decisions.some((d) => d.kind === 'start' && d.outcome === 'failed'));
    const split = elastic.decisions.find((d) => d.kind === 'split');
    t.match(split, { outcome: 'done' }, 'split all the same');
    t.same(planet.world.directory.lookup(INDEX, 5), 0, 'on the shard that runs');
    t.end();
  },
);

t.test(
  'case 20: a shard that dies in a split and does not come back: its part goes back to the parent',
  (t) => {
    const { planet, world, elastic, reshaper, stuck, turn } = setUp({ running: 2, shards: 2 });
    planet.assign(AREA.west + 50, AREA.south + 50, 0);
    const players = join(planet, 18);
    for (let i = 0; i < 40 && !elastic.decisions.some((d) => d.kind === 'split'); i++) turn(0.25);
    const split = elastic.decisions.find((d) => d.kind === 'split');
    t.equal(split?.outcome, 'running');
    planet.lose(1);
    planet.run(TICKS_A_TURN);
    reshaper.poll();
    t.equal(split?.outcome, 'running', 'it waits for the replacement');
    stuck.add(1);
    reshaper.poll();
    planet.run(TICKS_A_TURN);
    reshaper.poll();
    t.equal(split?.outcome, 'failed');
    for (let path = 0; path < 16; path++) t.equal(world.directory.lookup(INDEX, path), 0);
    planet.replace(1);
    stuck.delete(1);
    planet.run(10);
    t.ok(
      players.every((p) => planet.ownerOf(p.slot) === 0),
      'who had gone there already comes back with the replacement',
    );
    t.end();
  },
);

t.test('what is asked for goes through the planner: one plan at a time touches a tile; refusals', (t) => {
  const { planet, world, elastic, turn, kinds } = setUp({ running: 3 });
  planet.assign(AREA.west + 50, AREA.south + 50, 0);
  t.equal(elastic.split(NAME), 'RESHAPE_IN_PROGRESS', 'its content is not made yet');
  join(planet, 2);
  turn(1);
  t.equal(elastic.split(NAME), null);
  t.equal(elastic.merge(NAME), 'RESHAPE_IN_PROGRESS');
  turn(1);
  t.equal(elastic.split(NAME), 'NOT_A_LEAF');
  t.equal(elastic.split('11/0/0'), 'NOBODYS_TILE');
  t.equal(elastic.split('10/0/0'), 'BAD_TILE');
  t.equal(elastic.split('13/0/0'), 'DEEPEST_LEVEL');
  t.equal(elastic.merge('11/0/0'), 'NOT_SPLIT');
  t.equal(elastic.move(NAME, 1), 'NOT_A_LEAF');
  t.equal(elastic.merge(NAME), null);
  turn(1);
  const owner = world.directory.lookup(INDEX);
  t.equal(elastic.move(NAME, owner), null, 'already there: nothing to do');
  t.equal(elastic.move(NAME, 9), 'UNKNOWN_SHARD');
  t.equal(elastic.move(NAME, (owner + 1) % 3), null);
  turn(1);
  t.equal(world.directory.lookup(INDEX), (owner + 1) % 3);
  world.shardBlocks[(owner + 1) % 3].state = SHARD_STATE.DEAD;
  t.equal(elastic.split(NAME), 'UNKNOWN_SHARD', 'nobody touches the tiles of a dead shard');
  t.equal(kinds().filter((k) => k.endsWith('failed')).length, 1);
  t.end();
});

t.test('newcomers wait while a tile over its capacity is being split, and no longer', (t) => {
  const { planet, world, elastic, turn } = setUp({ running: 3 });
  const spot = [AREA.west + 50, AREA.south + 50] as const;
  planet.assign(...spot, 0);
  planet.join(...spot);
  turn(1);
  t.ok(world.admission.isOpen);
  for (let i = 0; i < 25; i++) planet.join(...spot);
  planet.run(TICKS_A_TURN);
  elastic.step();
  t.match(elastic.decisions.at(-1), { kind: 'split', outcome: 'running' });
  t.ok(world.admission.waits(INDEX, pathAt(...spot)), 'at the crowd');
  t.ok(world.admission.waits(INDEX, 0), 'and in the rest of the tile that is split');
  t.notOk(world.admission.waits(INDEX + 1, 0), 'nowhere else');
  turn(1);
  t.ok(world.admission.isOpen, 'the split is done');
  t.ok(
    elastic.decisions.some((d) => d.kind === 'degrade'),
    'the deepest tile is served less',
  );
  t.ok(world.directory.anyService > 0);
  t.equal(TICK_MS * TICKS_A_TURN, 250);
  t.end();
});

t.test('many tiles at once are one decision and one line of the log; a few are told each', (t) => {
  for (const count of [4, 5, 300]) {
    const { planet, log } = setUp();
    const { world, clock } = planet;
    const tiles = Array.from({ length: count }, (_, i) => ({ z: 11, x: 100 + i, y: 300 }));
    for (const { x, y } of tiles) world.directory.place(y * tileColumns(11) + x, 0);
    const squares = new Array<number>(16).fill(0);
    let timeS = 0;
    const elastic = new Elastic({
      ...{ world, clock, startedMs: 0, log, limits: plannerLimits({ pinShards: true }) },
      reshaper: new Reshaper(world, NO_TIMERS, () => 0, log),
      foreseer: new Foreseer('off', plannerLimits()),
      load: {
        measure: () => {},
        sample: () => ({
          timeS: (timeS += 0.25),
          tiles: tiles.map((tile) => ({
            ...{ tile, shard: 0, players: 3, entities: 19, busy: 1.5 / count, squares },
            ...{ actionsPerSecond: 0, ahead: [3, 3, 3] as const, came: 0 },
          })),
          shards: [{ alive: true, canStart: false, busy: 1.5, waiting: 0, players: 3 * count, tiles: count }],
          ...{ waiting: 0, ownShare: 1 },
        }),
      },
      threads: { startShard: () => false, retire: () => false },
    });
    const lines = () => log.of('info').filter((text) => text === 'decided').length;
    let stepped = 0;
    for (let i = 0; i < 40; i++) {
      const before = [lines(), elastic.decisions.length] as const;
      elastic.step();
      const made = elastic.decisions.length - before[1];
      if (made === 0) continue;
      stepped++;
      t.equal(lines() - before[0], 1, `${count} tiles: one line`);
      t.ok(made <= 4, `${count} tiles: ${made} decisions`);
    }
    t.ok(elastic.decisions.every(({ outcome }) => outcome === 'done'));
    if (count === 300)
      t.match(elastic.decisions[0], { decision: 'degrade 300 tiles', numbers: { tiles: 300 } });
    if (count === 4) t.match(elastic.decisions[0], { tile: '11/100/300' });
    t.ok(stepped >= 4, `${stepped} rungs`);
  }
  t.end();
});
