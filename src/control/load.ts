/**
 * Load sampling: what the planner decides by and the admin port shows, read from shared memory without stopping anyone.
 *
 * Contract: main thread. `measure` a few times a second (CPU times of the threads), then `sample` for what is there
 * now. A leaf's share of its shard's CPU time is an estimate: the thread's time is divided by weights that a player, an
 * entity and an action have in a tick. Only the relation of the weights matters, since the thread's time is measured.
 */
import type { Clock } from '../base/clock.js';
import { LIMITS } from '../base/limits.js';
import { tileOfIndex } from '../geo/address.js';
import { tileColumns } from '../geo/tile.js';
import { dilation } from '../memory/service.js';
import { SHARD_GAUGE, SHARD_STATE } from '../memory/shard-block.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { SQUARES, baseOf, pathOf } from '../world/layout.js';
import type { Sample, ShardSample, TileSample } from './planner/types.js';
import type { ThreadCpu } from './thread-cpu.js';
import { TickDebt } from './tick-debt.js';

/** A leaf with the figures that only people look at. */
export interface LeafLoad extends TileSample {
  readonly actionsPerSecond: number;
}

export interface LoadSample extends Sample {
  readonly tiles: readonly LeafLoad[];
}

export interface LoadParts {
  readonly world: SharedWorld;
  readonly clock: Clock;
  readonly cpu: ThreadCpu;
  /** Clock ms that the sample's time counts from. */
  readonly startedMs: number;
  /** Whether a shard number that does not run could be started. */
  readonly canStart: (shard: number) => boolean;
}

/** µs in a tick, roughly as `bench tick` and `bench fanout` have it; see the head of the file. */
const ENTITY_WEIGHT = 0.25;
const PLAYER_WEIGHT = 1.5;
const ACTION_WEIGHT = 5;
/** Rows of a load table: square, players, entities, actions. */
const ROW = 4;
const LEVELS = LIMITS.deepestTileLevel - LIMITS.baseTileLevel;
const DEEPEST_COLUMNS = tileColumns(LIMITS.deepestTileLevel);

/** By path of the square in its base tile. */
interface BaseLoad {
  readonly players: Float64Array;
  readonly entities: Float64Array;
  readonly actions: Float64Array;
  readonly busy: Float64Array;
}

export class LoadSampler {
  private readonly rows: number[] = [];
  private last: LoadSample | null = null;
  private readonly debt: TickDebt;

  constructor(private readonly parts: LoadParts) {
    this.debt = new TickDebt(parts.world.clock.tickMs);
  }

  /** Reads the CPU times. Once before each `sample` that is to have new ones. */
  measure(): void {
    const { world, cpu, clock } = this.parts;
    const now = clock.now();
    for (const [s, { state, incarnation, committedTick }] of world.shardBlocks.entries()) {
      if (state !== SHARD_STATE.RUNNING) continue;
      this.debt.note(s, incarnation, committedTick, world.clock.tickAt(now) - committedTick, now);
    }
    const shards = world.shardBlocks.map((block, s) => ({
      name: `shard ${s}`,
      tid: block.state === SHARD_STATE.RUNNING ? block.gauge(SHARD_GAUGE.threadId) : 0,
    }));
    cpu.sample([{ name: 'main', tid: process.pid }, ...shards]);
  }

  /** The newest sample; takes one if there is none. */
  get latest(): LoadSample {
    return this.last ?? this.sample();
  }

  /**
   * @param also a base tile whose leaves are told even when nothing is in them
   */
  sample(also = -1): LoadSample {
    const { world, clock, cpu, startedMs } = this.parts;
    const loads = new Map<number, BaseLoad>();
    const shares = world.shardBlocks.map((block, s) => this.share(block.state === SHARD_STATE.RUNNING, s));
    for (const [s, share] of shares.entries()) this.collect(s, share.busy, loads);
    const tilesOf = world.shardBlocks.map(() => 0);
    const tiles: LeafLoad[] = [];
    world.directory.forEachTaken((tile) => {
      const load = loads.get(tile);
      const isTold = load !== undefined || tile === also || world.directory.isSplit(tile);
      this.eachLeaf(tile, (depth, path, shard) => {
        if (shard >= 0) tilesOf[shard]++;
        if (isTold) tiles.push(leafOf(tile, depth, path, shard, load));
      });
    });
    this.last = {
      timeS: (clock.now() - startedMs) / 1000,
      tiles,
      shards: shares.map((share, s) => ({ ...share, tiles: tilesOf[s] })),
      waiting: cpu.waiting,
    };
    return this.last;
  }

  private share(alive: boolean, s: number): Omit<ShardSample, 'tiles'> {
    const { world, cpu, canStart } = this.parts;
    if (!alive) return { alive, canStart: canStart(s), busy: 0, waiting: 0, players: 0 };
    const block = world.shardBlocks[s];
    const measured = cpu.latest(`shard ${s}`);
    return {
      alive,
      canStart: false,
      busy: measured === null ? block.gauge(SHARD_GAUGE.busyShare) : measured.busy * this.debt.factor(s),
      waiting: measured?.waiting ?? 0,
      players: block.gauge(SHARD_GAUGE.players),
    };
  }

  /** Adds what a shard has in each square. @param busy its CPU time ÷ tick budget */
  private collect(s: number, busy: number, loads: Map<number, BaseLoad>): void {
    const { world } = this.parts;
    const { rows } = this;
    const ticks = world.loadTables[s].read(rows);
    if (ticks === 0 || world.shardBlocks[s].state !== SHARD_STATE.RUNNING) return;
    let total = 0;
    for (let i = 0; i < rows.length; i += ROW) total += weightOf(rows, i, ticks) * this.dilationAt(rows[i]);
    for (let i = 0; i < rows.length; i += ROW) {
      const column = rows[i] % DEEPEST_COLUMNS;
      const row = (rows[i] - column) / DEEPEST_COLUMNS;
      const load = loadAt(loads, baseOf(column, row));
      const path = pathOf(column, row);
      load.players[path] += rows[i + 1];
      load.entities[path] += rows[i + 2];
      load.actions[path] += rows[i + 3] / ((ticks * world.clock.tickMs) / 1000);
      // What it asks for: the share of the time that it had, as if it had been due in every tick.
      if (total > 0) load.busy[path] += (busy * weightOf(rows, i, ticks)) / total;
    }
  }

  /** Share of time that the leaf gets that holds a square, 1 = all. */
  private dilationAt(square: number): number {
    const { directory } = this.parts.world;
    if (directory.anySlow === 0) return 1;
    const column = square % DEEPEST_COLUMNS;
    return dilation(directory.service(column, (square - column) / DEEPEST_COLUMNS)) / 100;
  }

  private eachLeaf(tile: number, visit: (depth: number, path: number, shard: number) => void): void {
    const { directory } = this.parts.world;
    for (let path = 0; path < SQUARES; ) {
      const depth = directory.depthOf(tile, path);
      visit(depth, path, directory.lookup(tile, path));
      path += 4 ** (LEVELS - depth);
    }
  }
}

function weightOf(rows: readonly number[], i: number, ticks: number): number {
  return (
    ENTITY_WEIGHT * rows[i + 2] +
    PLAYER_WEIGHT * rows[i + 1] +
    (ACTION_WEIGHT * rows[i + 3]) / Math.max(1, ticks)
  );
}

function loadAt(loads: Map<number, BaseLoad>, tile: number): BaseLoad {
  let load = loads.get(tile);
  if (load === undefined) {
    const make = () => new Float64Array(SQUARES);
    load = { players: make(), entities: make(), actions: make(), busy: make() };
    loads.set(tile, load);
  }
  return load;
}

const NOTHING = new Float64Array(SQUARES);

function leafOf(
  tile: number,
  depth: number,
  path: number,
  shard: number,
  load: BaseLoad | undefined,
): LeafLoad {
  const base = tileOfIndex(tile, LIMITS.baseTileLevel);
  let [x, y] = [base.x, base.y];
  for (let level = 0; level < depth; level++) {
    const quadrant = (path >> ((LEVELS - 1 - level) * 2)) & 3;
    x = x * 2 + (quadrant & 1);
    y = y * 2 + (quadrant >> 1);
  }
  const count = 4 ** (LEVELS - depth);
  const sum = (all: Float64Array | undefined) => {
    let n = 0;
    if (all !== undefined) for (let i = path; i < path + count; i++) n += all[i];
    return n;
  };
  return {
    tile: { z: LIMITS.baseTileLevel + depth, x, y },
    shard,
    players: sum(load?.players),
    entities: sum(load?.entities),
    busy: sum(load?.busy),
    actionsPerSecond: sum(load?.actions),
    squares: (load?.players ?? NOTHING).subarray(path, path + count),
  };
}
