/**
 * The status of a node: what `/api/status` and `/api/tiles` say, read from the shared blocks without stopping anyone.
 *
 * Contract: `sample` is called once a second and keeps what rates need; `status` and `tiles` only read. The census
 * behind items and tiles is taken when asked for, at most once a second. Figures of capabilities that a version does
 * not have are there and zero.
 */
import type { Clock } from '../base/clock.js';
import type { Reshaper } from './reshape.js';
import { slowestFactor } from '../world/dilation.js';
import { leafAt } from '../world/layout.js';
import { LIMITS } from '../base/limits.js';
import { formatTile } from '../geo/address.js';
import { GATEWAY_COUNTER, GATEWAY_GAUGE } from '../memory/gateway-block.js';
import { HistogramCopy } from '../memory/histogram.js';
import { SHARD_COUNTER, SHARD_GAUGE, type ShardBlock } from '../memory/shard-block.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { type ItemTotals, takeCensus } from './census.js';
import type { ShardReport } from './supervisor.js';
import type { ThreadCpu } from './thread-cpu.js';

interface Percentiles {
  p50: number;
  p99: number;
}

export interface Status {
  /** ws:// or wss:// of the game port, as this machine reaches it; null before it is open. */
  address?: string | null;
  uptimeSeconds: number;
  tick: number;
  tickRate: number;
  /** The least over all leaves: 1 = the world runs at full speed everywhere. */
  dilation: number;
  cpuSaturated: boolean;
  players: number;
  entities: number;
  /** Bots that this node has started. */
  bots: number;
  shards: {
    id: number;
    incarnation: number;
    tiles: number;
    players: number;
    entities: number;
    /** Of the last half to whole minute. */
    tickMs: Percentiles;
    /** CPU time over wall time of the last second, 0…1. */
    busy: number;
    /** Longest garbage collection of the present thread, ms. */
    gcMaxMs: number;
  }[];
  gateways: { id: number; connections: number; bytesOutPerSecond: number }[];
  totals: {
    handovers: number;
    crossings: number;
    splits: number;
    merges: number;
    moves: number;
    shardRestarts: number;
    actionsApplied: number;
    actionsRejected: number;
    itemsCreated: number;
    itemsConsumed: number;
    /** Counted, not computed: carried, on the ground, in flight. */
    items: number;
    ticksFrozen: number;
  };
  handoverMs: Percentiles & { max: number };
  ticksMissed: number;
  ticksDoubled: number;
  durableTick: number;
  /** Last 20 decisions of the planner, with reasons. */
  decisions: { tick: number; decision: string; reason: string }[];
  /** What an operator should look at now, one sentence each. */
  alarms: string[];
}

export interface TilesStatus {
  tick: number;
  tileLevel: number;
  /** Tiles that a shard holds and in which entities are. */
  tiles: { tile: string; shard: number; entities: number; players: number }[];
}

export interface StatusParts {
  readonly world: SharedWorld;
  readonly clock: Clock;
  readonly cpu: ThreadCpu;
  readonly reshaper: Pick<Reshaper, 'counts' | 'decisions'>;
  readonly supervisor: { report(): ShardReport[]; readonly restarts: number };
  readonly bots: () => number;
}

const CENSUS_MS = 1_000;
const WINDOW_MS = 30_000;

export class StatusSource {
  private readonly startedMs: number;
  private counting: (ReturnType<typeof takeCensus> & { at: number }) | null = null;
  private lastBytes: number[];
  private bytesPerSecond: number[];
  private sampledMs: number;
  /** Copies of the tick histograms at the start of this window and of the one before. */
  private windows: { at: number; copies: HistogramCopy[] }[] = [];

  constructor(private readonly parts: StatusParts) {
    this.startedMs = this.sampledMs = parts.clock.now();
    this.lastBytes = parts.world.gatewayBlocks.map(() => 0);
    this.bytesPerSecond = parts.world.gatewayBlocks.map(() => 0);
  }

  /** Once a second: rates and CPU times. */
  sample(): void {
    const { world, clock, cpu } = this.parts;
    const now = clock.now();
    const seconds = Math.max(0.001, (now - this.sampledMs) / 1000);
    this.sampledMs = now;
    const bytes = world.gatewayBlocks.map((block) => block.counter(GATEWAY_COUNTER.bytesOut));
    this.bytesPerSecond = bytes.map((sum, g) => Math.round((sum - this.lastBytes[g]) / seconds));
    this.lastBytes = bytes;
    const shards = world.shardBlocks.map((block, s) => ({
      name: `shard ${s}`,
      tid: block.gauge(SHARD_GAUGE.threadId),
    }));
    cpu.sample([{ name: 'main', tid: process.pid }, ...shards]);
    if (now - (this.windows[0]?.at ?? Number.NEGATIVE_INFINITY) < WINDOW_MS) return;
    this.windows = [
      { at: now, copies: world.shardBlocks.map((block) => copyOf(block)) },
      ...this.windows.slice(0, 1),
    ];
  }

  status(): Status {
    const { world, clock, cpu, supervisor, reshaper, bots } = this.parts;
    const { shardBlocks, gatewayBlocks } = world;
    const sum = (counter: number) => shardBlocks.reduce((n, block) => n + block.counter(counter), 0);
    const gauge = (index: number) => shardBlocks.reduce((n, block) => n + block.gauge(index), 0);
    const handovers = new HistogramCopy();
    for (const block of shardBlocks) block.handoverMs.addTo(handovers);
    const { census, totals } = this.counted();
    const reports = supervisor.report();
    const alarms = reports.flatMap((report) => (report.alarm === null ? [] : [report.alarm]));
    if (cpu.saturated) alarms.push('the machine is full: threads wait for a core more than 20 % of the time');
    return {
      uptimeSeconds: round((clock.now() - this.startedMs) / 1000),
      tick: world.clock.tickAt(clock.now()),
      tickRate: round(1000 / world.clock.tickMs),
      dilation: slowestFactor(world.directory) / 100,
      cpuSaturated: cpu.saturated,
      players: gauge(SHARD_GAUGE.players),
      entities: gauge(SHARD_GAUGE.entities),
      bots: bots(),
      shards: shardBlocks.map((block, id) => this.shard(block, id, reports[id].incarnation)),
      gateways: gatewayBlocks.map((block, id) => ({
        id,
        connections: block.gauge(GATEWAY_GAUGE.connections),
        bytesOutPerSecond: this.bytesPerSecond[id],
      })),
      totals: {
        handovers: sum(SHARD_COUNTER.handoversIn),
        crossings: sum(SHARD_COUNTER.crossings),
        splits: reshaper.counts.splits,
        merges: reshaper.counts.merges,
        moves: reshaper.counts.moves,
        shardRestarts: supervisor.restarts,
        actionsApplied: sum(SHARD_COUNTER.actionsApplied),
        actionsRejected: sum(SHARD_COUNTER.actionsRejected),
        itemsCreated: totals.created,
        itemsConsumed: totals.consumed,
        items: census.items,
        ticksFrozen: sum(SHARD_COUNTER.ticksFrozen),
      },
      handoverMs: {
        p50: round(handovers.percentile(0.5)),
        p99: round(handovers.percentile(0.99)),
        max: round(handovers.max),
      },
      ticksMissed: sum(SHARD_COUNTER.ticksMissed),
      ticksDoubled: sum(SHARD_COUNTER.ticksDoubled),
      durableTick: 0,
      decisions: [...reshaper.decisions],
      alarms,
    };
  }

  tiles(): TilesStatus {
    const { world, clock } = this.parts;
    const leaves = new Map<string, TilesStatus['tiles'][number]>();
    for (const [square, count] of this.counted().census.squares) {
      const leaf = leafAt(world.directory, square);
      if (leaf === null) continue;
      const tile = formatTile(leaf.address);
      const before = leaves.get(tile) ?? { tile, shard: leaf.shard, entities: 0, players: 0 };
      before.entities += count.entities;
      before.players += count.players;
      leaves.set(tile, before);
    }
    const tiles = [...leaves.values()];
    return { tick: world.clock.tickAt(clock.now()), tileLevel: LIMITS.baseTileLevel, tiles };
  }

  private shard(block: ShardBlock, id: number, incarnation: number): Status['shards'][number] {
    const ticks = copyOf(block);
    const before = this.windows.at(-1)?.copies[id];
    if (before !== undefined && before.total < ticks.total) ticks.subtract(before);
    return {
      id,
      incarnation,
      tiles: block.tiles,
      players: block.gauge(SHARD_GAUGE.players),
      entities: block.gauge(SHARD_GAUGE.entities),
      tickMs: { p50: round(ticks.percentile(0.5)), p99: round(ticks.percentile(0.99)) },
      busy: round(this.parts.cpu.busy(`shard ${id}`) ?? block.gauge(SHARD_GAUGE.busyShare)),
      gcMaxMs: round(block.gauge(SHARD_GAUGE.gcMaxMs)),
    };
  }

  /** Sums over all kinds and shards, each at its newest committed tick. */
  private itemTotals(): ItemTotals {
    const created = new Float64Array(LIMITS.itemKinds);
    const consumed = new Float64Array(LIMITS.itemKinds);
    const sums = { created: 0, consumed: 0 };
    for (const block of this.parts.world.shardBlocks) {
      block.totals(created, consumed);
      for (let kind = 0; kind < LIMITS.itemKinds; kind++) {
        sums.created += created[kind];
        sums.consumed += consumed[kind];
      }
    }
    return sums;
  }

  /** Items and their totals of one moment, at most a second old. */
  private counted(): ReturnType<typeof takeCensus> {
    const now = this.parts.clock.now();
    if (this.counting === null || now - this.counting.at >= CENSUS_MS) {
      this.counting = { at: now, ...takeCensus(this.parts.world, () => this.itemTotals()) };
    }
    return this.counting;
  }
}

function copyOf(block: ShardBlock): HistogramCopy {
  const copy = new HistogramCopy();
  block.tickMs.addTo(copy);
  return copy;
}

/** Three places: enough for milliseconds and shares, short enough to read. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
