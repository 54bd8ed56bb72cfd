/**
 * The status of a node: what `/api/status` and `/api/tiles` say, read from the shared blocks without stopping anyone.
 *
 * Contract: `sample` is called once a second and keeps what rates need; `status` and `tiles` only read. The census
 * behind items and tiles is taken when asked for, at most once a second. Figures of capabilities that a version does
 * not have are there and zero.
 */
import type { Clock } from '../base/clock.js';
import type { DecisionRecord } from './elastic.js';
import type { ForecastStatus, Foreseer } from './forecast/foreseer.js';
import type { LoadSample } from './load.js';
import type { Reshaper } from './reshape.js';
import { slowestFactor } from '../world/dilation.js';
import { LIMITS } from '../base/limits.js';
import { formatTile } from '../geo/address.js';
import { GATEWAY_COUNTER, GATEWAY_GAUGE } from '../memory/gateway-block.js';
import { HistogramCopy } from '../memory/histogram.js';
import { dilation, farRate, nearRate } from '../memory/service.js';
import { SHARD_COUNTER, SHARD_GAUGE, type ShardBlock } from '../memory/shard-block.js';
import type { SharedWorld } from '../memory/shared-world.js';
import type { StoreStatus } from '../store/types.js';
import type { Audit, AuditStatus } from './audit.js';
import { type ItemTotals, takeCensus } from './census.js';
import { roomAlarms } from './room.js';
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
    tickMs: Percentiles & { max: number };
    /** CPU time over wall time of the last second, 0…1. */
    busy: number;
    /** Share of the last quarter of a second in which the thread was ready to run and got no core. */
    waiting: number;
    actionsPerSecond: number;
    /** Frames and self updates to the gateways. */
    bytesPerSecond: number;
    /** Since the planet started. */
    handoversIn: number;
    handoversOut: number;
    /** Greatest filling of rings so far, 0…1: entities coming in, messages of other shards, frames to a gateway. */
    ringHighWater: { arrivals: number; messages: number; frames: number };
    /** Longest garbage collection of the present thread, ms; and how many there were. */
    gcMaxMs: number;
    collections: number;
    /** Entities whose step is left out because it throws. */
    frozen: number;
    /** none, starting, running, closing or dead. */
    state: string;
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
    /** Errors of the game's code, each of them undone. */
    gameFaults: number;
  };
  handoverMs: Percentiles & { max: number };
  ticksMissed: number;
  ticksDoubled: number;
  durableTick: number;
  /** The disk and what rests on it; null before the data is open. `durableLagMs`: age of what is durable. */
  store: (Omit<StoreStatus, 'durableTick'> & { durableLagMs: number }) | null;
  /** Whether items are conserved, since the start of the process. */
  audit: AuditStatus;
  /** Last 20 decisions of the planner, with reasons. */
  decisions: readonly DecisionRecord[];
  /** How well load was foreseen in the last hour, and what is foreseen. */
  forecast: ForecastStatus;
  /** What an operator should look at now, one sentence each. */
  alarms: string[];
}

export interface TilesStatus {
  tick: number;
  tileLevel: number;
  /** Every leaf of a tile that is split, and every other tile that a shard holds and in which anything is. */
  tiles: TileStatus[];
}

/** A leaf. Shares: 1 = all of it. */
export interface TileStatus {
  tile: string;
  shard: number;
  players: number;
  entities: number;
  /** The greater of players ÷ capacity and `busy`, as of now: the planner goes by a mean over 3 s. */
  load: number;
  /** Estimated CPU time of its entities in a tick ÷ the tick's length. */
  busy: number;
  /** Share of time that it gets, and of the frame rate near and far from a viewer. */
  dilation: number;
  nearRate: number;
  farRate: number;
  actionsPerSecond: number;
}

export interface StatusParts {
  readonly world: SharedWorld;
  readonly clock: Clock;
  readonly cpu: ThreadCpu;
  readonly reshaper: Pick<Reshaper, 'counts'>;
  readonly elastic: { readonly decisions: readonly DecisionRecord[]; readonly saturated: boolean };
  readonly foreseer: Foreseer;
  readonly load: { readonly latest: LoadSample };
  /** Players that one tile carries. */
  readonly capacity: number;
  readonly supervisor: { report(): ShardReport[]; readonly restarts: number };
  readonly bots: () => number;
  readonly faults?: { alarms(): string[] };
  readonly audit: Pick<Audit, 'status'>;
  readonly store?: () => StoreStatus | null;
  /** Items created and consumed by earlier processes. */
  readonly before?: () => ItemTotals;
}

const CENSUS_MS = 1_000;
const WINDOW_MS = 30_000;
const SHOWN_DECISIONS = 20;
const STATES = ['none', 'starting', 'running', 'closing', 'dead'];

export class StatusSource {
  private readonly startedMs: number;
  private counting: (ReturnType<typeof takeCensus> & { at: number }) | null = null;
  private lastBytes: number[];
  private bytesPerSecond: number[];
  private sampledMs: number;
  /** By shard. */
  private rates: { actionsPerSecond: number; bytesPerSecond: number }[];
  private lastCounts: { actions: number; bytes: number }[];
  /** Copies of the tick histograms at the start of this window and of the one before. */
  private windows: { at: number; copies: HistogramCopy[] }[] = [];

  constructor(private readonly parts: StatusParts) {
    this.startedMs = this.sampledMs = parts.clock.now();
    this.lastBytes = parts.world.gatewayBlocks.map(() => 0);
    this.bytesPerSecond = parts.world.gatewayBlocks.map(() => 0);
    this.rates = parts.world.shardBlocks.map(() => ({ actionsPerSecond: 0, bytesPerSecond: 0 }));
    this.lastCounts = parts.world.shardBlocks.map(countsOf);
  }

  /** Once a second: rates. */
  sample(): void {
    const { world, clock } = this.parts;
    const now = clock.now();
    const seconds = Math.max(0.001, (now - this.sampledMs) / 1000);
    this.sampledMs = now;
    const bytes = world.gatewayBlocks.map((block) => block.counter(GATEWAY_COUNTER.bytesOut));
    this.bytesPerSecond = bytes.map((sum, g) => Math.round((sum - this.lastBytes[g]) / seconds));
    this.lastBytes = bytes;
    const counts = world.shardBlocks.map(countsOf);
    this.rates = counts.map(({ actions, bytes: sent }, s) => ({
      actionsPerSecond: Math.round((actions - this.lastCounts[s].actions) / seconds),
      bytesPerSecond: Math.round((sent - this.lastCounts[s].bytes) / seconds),
    }));
    this.lastCounts = counts;
    if (now - (this.windows[0]?.at ?? Number.NEGATIVE_INFINITY) < WINDOW_MS) return;
    this.windows = [
      { at: now, copies: world.shardBlocks.map((block) => copyOf(block)) },
      ...this.windows.slice(0, 1),
    ];
  }

  status(): Status {
    const { world, clock, supervisor, reshaper, elastic, bots } = this.parts;
    const { shardBlocks, gatewayBlocks } = world;
    const sum = (counter: number) => shardBlocks.reduce((n, block) => n + block.counter(counter), 0);
    const gauge = (index: number) => shardBlocks.reduce((n, block) => n + block.gauge(index), 0);
    const handovers = new HistogramCopy();
    for (const block of shardBlocks) block.handoverMs.addTo(handovers);
    const { census, totals } = this.counted();
    const reports = supervisor.report();
    const alarms = reports.flatMap((report) => (report.alarm === null ? [] : [report.alarm]));
    alarms.push(...(this.parts.faults?.alarms() ?? []));
    const audit = this.parts.audit.status();
    if (!audit.ok) alarms.push(`items are not conserved: the audit found ${audit.differences} differences`);
    const store = this.store();
    alarms.push(...storeAlarms(store), ...roomAlarms(world));
    if (elastic.saturated)
      alarms.push('the machine is full: threads wait for a core more than 20 % of the time');
    return {
      uptimeSeconds: round((clock.now() - this.startedMs) / 1000),
      tick: world.clock.tickAt(clock.now()),
      tickRate: round(1000 / world.clock.tickMs),
      dilation: slowestFactor(world.directory) / 100,
      cpuSaturated: elastic.saturated,
      players: gauge(SHARD_GAUGE.players),
      entities: gauge(SHARD_GAUGE.entities),
      bots: bots(),
      shards: shardBlocks.map((block, id) => this.shard(block, reports[id])),
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
        gameFaults: sum(SHARD_COUNTER.gameFaults),
      },
      handoverMs: {
        p50: round(handovers.percentile(0.5)),
        p99: round(handovers.percentile(0.99)),
        max: round(handovers.max),
      },
      ticksMissed: sum(SHARD_COUNTER.ticksMissed),
      ticksDoubled: sum(SHARD_COUNTER.ticksDoubled),
      durableTick: world.cut.durableTick,
      store,
      audit,
      decisions: elastic.decisions.slice(-SHOWN_DECISIONS),
      forecast: this.parts.foreseer.status(this.parts.load.latest),
      alarms,
    };
  }

  private store(): Status['store'] {
    const status = this.parts.store?.() ?? null;
    if (status === null) return null;
    const { durableTick: _, ...rest } = status;
    const { world, clock } = this.parts;
    const lag = clock.now() - world.clock.startOf(world.cut.durableTick + 1);
    return { ...rest, durableLagMs: Math.max(0, Math.round(lag)) };
  }

  tiles(): TilesStatus {
    const { load, world, clock } = this.parts;
    const tiles = load.latest.tiles.map((leaf) => this.tile(leaf));
    return { tick: world.clock.tickAt(clock.now()), tileLevel: LIMITS.baseTileLevel, tiles };
  }

  private tile(leaf: LoadSample['tiles'][number]): TileStatus {
    const { directory } = this.parts.world;
    const levels = LIMITS.deepestTileLevel - leaf.tile.z;
    const word = directory.service(leaf.tile.x << levels, leaf.tile.y << levels);
    return {
      tile: formatTile(leaf.tile),
      shard: leaf.shard,
      players: leaf.players,
      entities: leaf.entities,
      load: round(Math.max(leaf.players / this.parts.capacity, leaf.busy)),
      busy: round(leaf.busy),
      dilation: dilation(word) / 100,
      nearRate: nearRate(word) / 100,
      farRate: farRate(word) / 100,
      actionsPerSecond: round(leaf.actionsPerSecond),
    };
  }

  private shard(block: ShardBlock, { shard: id, incarnation }: ShardReport): Status['shards'][number] {
    const ticks = copyOf(block);
    const before = this.windows.at(-1)?.copies[id];
    if (before !== undefined && before.total < ticks.total) ticks.subtract(before);
    return {
      id,
      incarnation,
      tiles: block.tiles,
      players: block.gauge(SHARD_GAUGE.players),
      entities: block.gauge(SHARD_GAUGE.entities),
      tickMs: {
        p50: round(ticks.percentile(0.5)),
        p99: round(ticks.percentile(0.99)),
        max: round(ticks.max),
      },
      busy: round(this.parts.cpu.busy(`shard ${id}`) ?? block.gauge(SHARD_GAUGE.busyShare)),
      waiting: round(this.parts.cpu.latest(`shard ${id}`)?.waiting ?? 0),
      ...this.rates[id],
      handoversIn: block.counter(SHARD_COUNTER.handoversIn),
      handoversOut: block.counter(SHARD_COUNTER.handoversOut),
      ringHighWater: {
        arrivals: round(block.gauge(SHARD_GAUGE.arrivalsHigh)),
        messages: round(block.gauge(SHARD_GAUGE.messagesHigh)),
        frames: round(block.gauge(SHARD_GAUGE.framesHigh)),
      },
      gcMaxMs: round(block.gauge(SHARD_GAUGE.gcMaxMs)),
      collections: block.counter(SHARD_COUNTER.collections),
      frozen: block.gauge(SHARD_GAUGE.frozen),
      state: STATES[block.state],
    };
  }

  /** Sums over all kinds and shards, each at its newest committed tick. */
  private itemTotals(): ItemTotals {
    const created = new Float64Array(LIMITS.itemKinds);
    const consumed = new Float64Array(LIMITS.itemKinds);
    const sums = { ...(this.parts.before?.() ?? { created: 0, consumed: 0 }) };
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

/** What is wrong with the disk, or with what it gave back, one sentence each. */
export function storeAlarms(store: Status['store']): string[] {
  if (store === null) return [];
  const alarms = store.refused.map(
    ({ entity, reason, hasMail }) =>
      `the stored record of entity ${entity} is refused (${reason})${hasMail ? '; who has sent it something waits' : ''}: restore a snapshot`,
  );
  if (store.state === 'failing')
    alarms.push(
      `the disk fails (${store.trouble}): nobody is let in, nothing is durable since ${Math.round(store.durableLagMs / 1000)} s`,
    );
  return alarms;
}

function countsOf(block: ShardBlock): { actions: number; bytes: number } {
  const { actionsApplied, actionsRejected, frameBytes } = SHARD_COUNTER;
  return {
    actions: block.counter(actionsApplied) + block.counter(actionsRejected),
    bytes: block.counter(frameBytes),
  };
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
