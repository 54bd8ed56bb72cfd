/**
 * Run as a process of its own (`node --expose-gc … allocation-child.js ENTITIES PLANT`): how many bytes of heap a tick
 * of one shard takes, above the same loop without the tick. Prints a JSON line `{bytes, collections, entities, records}`.
 *
 * Half of the entities are players; all walk, turn now and then, and are watched. PLANT: `none`,
 * or what is allocated on purpose, `entity`: an object for each entity's step, `tick`: one of 100 bytes a tick.
 */
import assert from 'node:assert/strict';
import { GCProfiler } from 'node:v8';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { cellNumber, cellsAround } from '../../src/geo/cell.js';
import { tileIndex } from '../../src/geo/tile.js';
import type { GameModule, World } from '../../src/world/facade.js';
import { Planet, TICK_MS } from './planet.js';

const WARM_TICKS = 5000;
const TICKS = 5000;
const STRETCHES = 3;
/** Entities are spread over a square of this side, metres: some cells, and borders between them to cross. */
const SIDE_M = 400;
const TURN_EVERY = 200;

const [entities, plant] = [Number(process.argv[2]), process.argv[3] ?? 'none'];
assert(entities > 0 && ['none', 'entity', 'tick'].includes(plant));
const { west, south } = boundsOf(tileAt(0, 0, LIMITS.baseTileLevel));
const [x0, y0] = [west + 3000, south + 3000];
let kept: unknown; // what was planted must not be optimised away

/** Walkers to and fro; turns and words are seen by the neighbours, so moves, full states and removals are all told. */
const walkers: GameModule = {
  name: 'walkers',
  items: [],
  kinds: ['player', 'walker'],
  components: { mood: { type: 'u32', public: true } },
  actions: {},
  populate(world, _tile, random) {
    for (let i = 0; i < entities / 2; i++)
      world.spawn(1, x0 + random.next() * SIDE_M, y0 + random.next() * SIDE_M);
  },
  step(world, e) {
    if ((world.tick + e) % TURN_EVERY === 0) turn(world, e);
    world.move(e, world.vx(e) * world.dt, world.vy(e) * world.dt);
    if (plant === 'entity') kept = { e };
  },
};

function turn(world: World, e: number): void {
  world.columns.mood!.set(e, (world.columns.mood!.get(e) + 1) % 7);
  world.setVelocity(e, world.vx(e) > 0 ? -1.25 : 1.25, world.vy(e) > 0 ? -0.5 : 0.5);
}

const planet = new Planet(walkers, { shards: 1, entities: 2 * entities + 64 });
const { world } = planet;
const [shard] = planet.shards;
const ring = world.frames[0]![0]!;
const tile = tileIndex(x0, y0, LIMITS.baseTileLevel);
let records = 0;

/** What is around the tick in production, too: time passes, the tile is looked at, a gateway reads. */
function around(k: number, isTicking: boolean): void {
  planet.clock.time = k * TICK_MS + 0.25;
  world.directory.touch(tile, k);
  if (isTicking) shard!.run(k);
  for (let at = ring.next(); at >= 0; at = ring.next()) {
    records++;
    ring.release();
  }
  if (plant === 'tick' && isTicking) kept = new Array(10);
}

/** @returns bytes by which the used heap grew, a tick */
function growth(first: number, ticks: number, isTicking: boolean): number {
  const before = process.memoryUsage().heapUsed;
  for (let k = first; k < first + ticks; k++) around(k, isTicking);
  return (process.memoryUsage().heapUsed - before) / ticks;
}

planet.assign(x0, y0, 0);
shard!.wakeTileOf(x0, y0);
let seed = 1;
const next = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
for (let i = 0; i < entities / 2; i++) {
  planet.join(x0 + next() * SIDE_M, y0 + next() * SIDE_M);
  planet.step();
}
const cells = new Float64Array(81);
const count = cellsAround(cellNumber(x0 + SIDE_M / 2, y0 + SIDE_M / 2), 9, cells);
for (let i = 0; i < count; i++) world.filters[0]!.add(cells[i]!);

const first = planet.tick + 1;
growth(first, WARM_TICKS, true);
growth(first, WARM_TICKS, false);

global.gc!();
const collector = new GCProfiler();
collector.start();
records = 0;
// The least of three stretches: V8 now and then compiles something anew, which no tick takes.
const perTick = Array.from({ length: STRETCHES }, (_, i) => {
  const bare = growth(first, TICKS, false);
  return growth(first + WARM_TICKS + i * TICKS, TICKS, true) - bare;
});
const collections = collector.stop().statistics.length;
assert(kept !== null);
const bytes = Math.round(Math.min(...perTick) * 10) / 10;
process.stdout.write(
  `${JSON.stringify({ bytes, collections, entities: shard!.core.owned.count, records })}\n`,
);
process.exit();
