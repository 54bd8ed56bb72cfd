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
import { FLOW_ROW, LOAD_ROW } from '../memory/load-table.js';
import { dilation } from '../memory/service.js';
import { SHARD_GAUGE, SHARD_STATE } from '../memory/shard-block.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { SQUARES, baseOf, pathOf } from '../world/layout.js';
import type { PerHorizon } from './forecast/horizons.js';
import type { Sample, ShardSample, TileSample } from './planner/types.js';
import type { ThreadCpu } from './thread-cpu.js';
import { TickDebt } from './tick-debt.js';

/** A leaf with the figures that only people look at. */
export interface LeafLoad extends TileSample {
  readonly actionsPerSecond: number;
  /** Players that their drift puts into it, by horizon of FORESIGHT_S. */
  readonly ahead: PerHorizon<number>;
  /** Players who came into one of its squares in the last second. */
  readonly came: number;
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
const LEVELS = LIMITS.deepestTileLevel - LIMITS.baseTileLevel;
const DEEPEST_COLUMNS = tileColumns(LIMITS.deepestTileLevel);

/** Of a base tile, by path of the square in it: eight runs of so many numbers. */
const RUN = {
  players: 0,
  entities: SQUARES,
  actions: 2 * SQUARES,
  busy: 3 * SQUARES,
  flow: 4 * SQUARES, // a run for each column of the table of flows
} as const;
const FLOWS = FLOW_ROW - 1;
const WORDS = (4 + FLOWS) * SQUARES;

/** What base tiles have: one array for all of a sample, whose parts the sample keeps. */
class BaseLoads {
  private readonly places = new Map<number, number>();

  /** @param numbers of a guess how many tiles there will be; grows */
  constructor(public numbers: Float64Array) {}

  /** Where the numbers of a base tile begin; −1 = it has none. */
  find(tile: number): number {
    return this.places.get(tile) ?? -1;
  }

  /** The same, made if there were none. */
  of(tile: number): number {
    let at = this.places.get(tile);
    if (at !== undefined) return at;
    at = this.places.size * WORDS;
    this.places.set(tile, at);
    if (at === this.numbers.length) {
      const more = new Float64Array(Math.max(WORDS, at * 2));
      more.set(this.numbers);
      this.numbers = more;
    }
    return at;
  }

  get size(): number {
    return this.places.size;
  }
}

export class LoadSampler {
  private readonly rows: number[] = [];
  private last: LoadSample | null = null;
  private readonly debt: TickDebt;
  /** Base tiles with a load in the last sample. */
  private bases = 0;

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
    const loads = new BaseLoads(new Float64Array(this.bases * WORDS));
    const shares = world.shardBlocks.map((block, s) => this.share(block.state === SHARD_STATE.RUNNING, s));
    for (const [s, share] of shares.entries()) this.collect(s, share.busy, loads);
    for (const s of shares.keys()) this.collectFlow(s, loads);
    const tilesOf = world.shardBlocks.map(() => 0);
    const tiles: LeafLoad[] = [];
    world.directory.forEachTaken((tile) => {
      const load = loads.find(tile);
      const isTold = load >= 0 || tile === also || world.directory.isSplit(tile);
      this.eachLeaf(tile, (depth, path, shard) => {
        if (shard >= 0) tilesOf[shard]++;
        if (isTold)
          tiles.push(leafOf(tile, depth, path, shard, load < 0 ? NOTHING : loads.numbers, Math.max(0, load)));
      });
    });
    this.bases = loads.size;
    this.last = {
      timeS: (clock.now() - startedMs) / 1000,
      tiles,
      shards: shares.map((share, s) => ({ ...share, tiles: tilesOf[s] })),
      waiting: cpu.waiting,
      ownShare: cpu.ownShare,
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
  private collect(s: number, busy: number, loads: BaseLoads): void {
    const { world } = this.parts;
    const { rows } = this;
    const ticks = world.loadTables[s].read(rows);
    if (ticks === 0 || world.shardBlocks[s].state !== SHARD_STATE.RUNNING) return;
    let total = 0;
    for (let i = 0; i < rows.length; i += LOAD_ROW)
      total += weightOf(rows, i, ticks) * this.dilationAt(rows[i]);
    for (let i = 0; i < rows.length; i += LOAD_ROW) {
      const column = rows[i] % DEEPEST_COLUMNS;
      const row = (rows[i] - column) / DEEPEST_COLUMNS;
      const at = loads.of(baseOf(column, row)) + pathOf(column, row);
      const { numbers } = loads;
      numbers[at + RUN.players] += rows[i + 1];
      numbers[at + RUN.entities] += rows[i + 2];
      numbers[at + RUN.actions] += rows[i + 3] / ((ticks * world.clock.tickMs) / 1000);
      // What it asks for: the share of the time that it had, as if it had been due in every tick.
      if (total > 0) numbers[at + RUN.busy] += (busy * weightOf(rows, i, ticks)) / total;
    }
  }

  /** Adds where the players of a shard are heading. */
  private collectFlow(s: number, loads: BaseLoads): void {
    const { world } = this.parts;
    const { rows } = this;
    if (world.flowTables[s].read(rows) === 0 || world.shardBlocks[s].state !== SHARD_STATE.RUNNING) return;
    for (let i = 0; i < rows.length; i += FLOW_ROW) {
      const column = rows[i] % DEEPEST_COLUMNS;
      const row = (rows[i] - column) / DEEPEST_COLUMNS;
      const at = loads.of(baseOf(column, row)) + pathOf(column, row) + RUN.flow;
      for (let flow = 0; flow < FLOWS; flow++) loads.numbers[at + flow * SQUARES] += rows[i + 1 + flow];
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

/** Of a base tile without a load. */
const NOTHING = new Float64Array(WORDS);

/** @param at where the numbers of its base tile begin in `numbers` */
function leafOf(
  tile: number,
  depth: number,
  path: number,
  shard: number,
  numbers: Float64Array,
  at: number,
): LeafLoad {
  const base = tileOfIndex(tile, LIMITS.baseTileLevel);
  let [x, y] = [base.x, base.y];
  for (let level = 0; level < depth; level++) {
    const quadrant = (path >> ((LEVELS - 1 - level) * 2)) & 3;
    x = x * 2 + (quadrant & 1);
    y = y * 2 + (quadrant >> 1);
  }
  const first = at + path;
  const count = 4 ** (LEVELS - depth);
  const flow = (of: number) => sumOf(numbers, first + RUN.flow + of * SQUARES, count);
  return {
    tile: { z: LIMITS.baseTileLevel + depth, x, y },
    shard,
    players: sumOf(numbers, first + RUN.players, count),
    entities: sumOf(numbers, first + RUN.entities, count),
    busy: sumOf(numbers, first + RUN.busy, count),
    actionsPerSecond: sumOf(numbers, first + RUN.actions, count),
    squares: numbers.subarray(first, first + count),
    ahead: [flow(0), flow(1), flow(2)],
    came: flow(3),
  };
}

function sumOf(numbers: Float64Array, from: number, count: number): number {
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += numbers[i];
  return sum;
}
