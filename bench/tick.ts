/**
 * What a tick of one shard costs, over sizes: the production shard over production memory, in this thread, with entities
 * that all move every tick (a small game of wanderers), nobody watching; against a bare loop over the same records in the
 * same run. Then the same of entities that sleep. CPU time of the process, which a busy machine changes little.
 */
import { monotonicClock } from '../src/base/clock.js';
import { LIMITS } from '../src/base/limits.js';
import { boundsOf, tileAt } from '../src/geo/address.js';
import { createSharedWorld } from '../src/memory/shared-world.js';
import { HOT } from '../src/memory/record.js';
import { SHARD_STATE } from '../src/memory/shard-block.js';
import { compileGame } from '../src/world/game.js';
import type { GameModule, World } from '../src/world/facade.js';
import { Shard } from '../src/shard/tick.js';
import type { BenchArgs } from './benches.js';
import { bars } from './plot.js';

export const name = 'tick';
/** `--sizes 1000,5000` measures these sizes instead. */
export const flags = ['sizes'];
export const describe =
  'Milliseconds a tick of one shard over sizes, all entities moving, or asleep, beside a bare loop over the records.';

const WARM_TICKS = 60;
const TICKS = 200;
const SIZES = [1_000, 2_000, 5_000, 10_000, 20_000, 35_000, 50_000];

/** Entities that turn now and then and always walk; spread over one base tile. */
function wanderers(count: number, isAsleep: boolean): GameModule {
  return {
    name: isAsleep ? 'sleepers' : 'wanderers',
    items: [],
    kinds: ['player', 'wanderer'],
    components: { left: 'f32' },
    actions: {},
    populate(world, tile, random) {
      for (let i = 0; i < count; i++) {
        const e = world.spawn(
          1,
          tile.west + 20 + random.next() * (tile.east - tile.west - 40), // dx-ok: inside one tile
          tile.south + 20 + random.next() * (tile.north - tile.south - 40),
        );
        if (e < 0) throw new Error('the arena is too small for this bench');
        turn(world, e);
      }
    },
    step(world, e) {
      if (isAsleep) return world.sleep(e);
      const left = world.columns.left!.get(e) - world.dt;
      if (left <= 0) turn(world, e);
      else world.columns.left!.set(e, left);
      world.move(e, world.vx(e) * world.dt, world.vy(e) * world.dt);
    },
  };
}

function turn(world: World, e: number): void {
  const angle = world.random(e) * 2 * Math.PI;
  world.setVelocity(e, Math.cos(angle), Math.sin(angle));
  world.columns.left!.set(e, 1 + world.random(e) * 4);
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

type Row = Record<
  'entities' | 'msPerTick' | 'p99' | 'cpuMs' | 'cpuUsPerEntity' | 'floorMs' | 'ratio',
  number
>;

/** @returns figures for one size */
function measure(entities: number, isAsleep: boolean): Row {
  const clock = monotonicClock();
  const world = createSharedWorld({
    shards: 1,
    gateways: 1,
    maxEntities: LIMITS.maxEntities,
    startMs: clock.now() - 1000,
  });
  const shard = new Shard(world, compileGame(wanderers(entities, isAsleep), 'bench'), clock, {
    shard: 0,
    incarnation: 1,
    worldSeed: 1,
    frameEvery: 2,
    capacity: 5000,
    quarantine: [],
  });
  let tick = shard.start(0);
  world.shardBlocks[0]!.state = SHARD_STATE.RUNNING;
  const { west, south } = boundsOf(tileAt(0, 0, LIMITS.baseTileLevel));
  shard.wakeTileOf(west + 5000, south + 5000);
  for (let i = 0; i < WARM_TICKS; i++) shard.run(tick++);
  const times: number[] = [];
  const cpu = process.cpuUsage();
  for (let i = 0; i < TICKS; i++) {
    const t0 = clock.now();
    shard.run(tick++);
    times.push(clock.now() - t0);
  }
  const { user, system } = process.cpuUsage(cpu);
  const floor = bareLoop(shard);
  const sorted = times.sort((a, b) => a - b);
  return {
    entities: shard.core.owned.count,
    msPerTick: round(median(times)),
    p99: round(sorted[Math.floor(TICKS * 0.99)]!),
    cpuMs: round((user + system) / 1000 / TICKS),
    cpuUsPerEntity: round((user + system) / TICKS / entities),
    floorMs: round(floor),
    ratio: round(median(times) / floor),
  };
}

/** The floor: x += vx·dt, y += vy·dt over the same records, nothing else. */
function bareLoop(shard: Shard): number {
  const { owned, arena, dt } = shard.core;
  const clock = monotonicClock();
  const times: number[] = [];
  for (let run = 0; run < 50; run++) {
    const t0 = clock.now();
    for (let i = 0; i < owned.count; i++) {
      const hot = arena.hot(owned.slots[i]!);
      arena.f64[(hot + HOT.x) >> 3]! += arena.f32[(hot + HOT.vx) >> 2]! * dt;
      arena.f64[(hot + HOT.y) >> 3]! += arena.f32[(hot + HOT.vy) >> 2]! * dt;
    }
    times.push(clock.now() - t0);
  }
  return median(times);
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** CPU time a tick over entities, both axes linear: costs that grow linearly lie on a line through the corner. */
function plot(title: string, rows: readonly Row[]): string {
  const most = Math.max(...rows.map((row) => row.cpuMs / row.entities));
  return bars(
    `${title}; · = as many as entities`,
    rows.map(({ entities, cpuMs, cpuUsPerEntity }) => ({
      label: `${entities}`,
      value: cpuMs,
      dot: most * entities,
      text: `${cpuMs.toFixed(2)} ms, ${cpuUsPerEntity} µs each`,
    })),
  );
}

/** @returns `tick {rows: [{entities, msPerTick, p99, cpuMs, cpuUsPerEntity, floorMs, ratio}], asleep: the same}` */
export async function run({ json, values }: BenchArgs): Promise<Record<string, unknown>> {
  const sizes = values.sizes === undefined ? SIZES : String(values.sizes).split(',').map(Number);
  const rows = sizes.map((size) => measure(size, false));
  const asleep = sizes.map((size) => measure(size, true));
  if (!json) console.log(`${plot('all moving', rows)}\n${plot('all asleep', asleep)}`);
  return { tick: { rows, asleep }, ticks: TICKS, shards: 1, watchers: 0 };
}
