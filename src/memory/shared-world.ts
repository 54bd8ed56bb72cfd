/**
 * Everything that the threads of a node share, made once by the main thread before any other starts, attached by each
 * thread from the same handles; each structure's own file says who may read and write it.
 *
 * ```
 *  arena · inboxes · ids · clock · directory · nature · admission · stamps · bags · drifts    one each
 *  shardBlocks[s] · views[s] · jobs[s] · results[s]                  one a shard number
 *  traces[s] · loadTables[s] · flowTables[s] · transfers[s]          one a shard number
 *  gatewayBlocks[g] · filters[g]                       one a gateway
 *  arrivals[t][s]      producer thread t (shards 0…, gateways 64…) → shard s
 *  arrivals[100][s]    the store → shard: a tile is loaded
 *  messages[s][s′]     shard → shard          frames[s][g]   shard → gateway
 *  stored[s]           shard → store          loads[s]       shard → store: load this tile
 *  cut                 store ↔ shards: as of which tick everything is durable
 * ```
 */
import { assert } from '../base/assert.js';
import { LIMITS } from '../base/limits.js';
import { Admission } from './admission.js';
import { Arena } from './arena.js';
import { BagNotes } from './bag-notes.js';
import { ByteRing } from './byte-ring.js';
import { CutBlock } from './cut-block.js';
import { Directory } from './directory.js';
import { Drifts } from './drift.js';
import { GatewayBlock } from './gateway-block.js';
import { Ids } from './ids.js';
import { Inboxes } from './inbox.js';
import { InterestFilter } from './interest-filter.js';
import { FLOW_ROW, LoadTable } from './load-table.js';
import { Nature } from './nature.js';
import { GATEWAY_THREAD } from './record.js';
import { SpscRing } from './ring.js';
import { ShardBlock } from './shard-block.js';
import { LOAD_PLACES, LOAD_WORDS, STORE_THREAD, storeRingBytes } from './store-ring.js';
import { TickClock } from './tick-clock.js';
import { TraceRing } from './trace-ring.js';
import { TransitStamps } from './transit-stamps.js';
import { TransferRing } from './transfer-ring.js';
import { ViewReader, ViewWriter } from './view.js';

/** Words of an arrivals entry: slot (or −1: wake the base tile in word 1), generation, epoch, tick of the decision (0: at once). */
export const ARRIVAL_WORDS = 4;
/** Words of a message entry. */
export const MESSAGE_WORDS = 24;

export interface SharedWorldOptions {
  /** Shard numbers, at most LIMITS.maxShards. */
  shards: number;
  /** Gateways, at most LIMITS.maxGateways. */
  gateways: number;
  /** Clock ms at which tick 0 starts. */
  startMs: number;
  maxEntities?: number;
  tickRateHz?: number;
  baseTileLevel?: number;
  deepestTileLevel?: number;
  inboxPlaces?: number;
  arrivalsPlaces?: number;
  messagePlaces?: number;
  frameRingBytes?: number;
  jobRingBytes?: number;
  storeRingBytes?: number;
  /** First lease of entity ids, and the highest one that may be taken now (default: all). */
  firstIdLease?: number;
  grantedIdLease?: number;
}

/** What a thread needs to attach: shared buffers only; goes through `workerData` and `postMessage` as it is. */
export interface SharedWorldHandles {
  arena: SharedArrayBuffer;
  inboxes: SharedArrayBuffer;
  ids: SharedArrayBuffer;
  clock: SharedArrayBuffer;
  directory: SharedArrayBuffer;
  nature: SharedArrayBuffer;
  admission: SharedArrayBuffer;
  shardBlocks: SharedArrayBuffer[];
  gatewayBlocks: SharedArrayBuffer[];
  views: SharedArrayBuffer[];
  filters: SharedArrayBuffer[];
  jobs: SharedArrayBuffer[];
  results: SharedArrayBuffer[];
  traces: SharedArrayBuffer[];
  stamps: SharedArrayBuffer;
  bags: SharedArrayBuffer;
  drifts: SharedArrayBuffer;
  loadTables: SharedArrayBuffer[];
  flowTables: SharedArrayBuffer[];
  transfers: SharedArrayBuffer[];
  /** By producer thread, then shard; null where no thread has that number. */
  arrivals: (SharedArrayBuffer[] | null)[];
  messages: SharedArrayBuffer[][];
  frames: SharedArrayBuffer[][];
  stored: SharedArrayBuffer[];
  loads: SharedArrayBuffer[];
  cut: SharedArrayBuffer;
}

/** The shared structures as one thread sees them. */
export class SharedWorld {
  readonly arena: Arena;
  readonly inboxes: Inboxes;
  readonly ids: Ids;
  readonly clock: TickClock;
  readonly directory: Directory;
  /** What of the natural content is as it was made. */
  readonly nature: Nature;
  /** Tiles that newcomers wait for. */
  readonly admission: Admission;
  readonly shardBlocks: readonly ShardBlock[];
  readonly gatewayBlocks: readonly GatewayBlock[];
  /** One reader a shard for this thread; where reads nest, `viewReaders()` makes others. */
  readonly views: readonly ViewReader[];
  /** For the shard's own thread. */
  readonly viewWriters: readonly ViewWriter[];
  /** Cells that the clients of each gateway watch. */
  readonly filters: readonly InterestFilter[];
  /** Shard → main thread: work for the pool. */
  readonly jobs: readonly ByteRing[];
  /** Main thread → shard: its results. */
  readonly results: readonly ByteRing[];
  /** Shard → main thread: crossings with the times of their steps. */
  readonly traces: readonly TraceRing[];
  /** Times of handovers under way. */
  readonly stamps: TransitStamps;
  /** What the bag of each entity should hold. */
  readonly bags: BagNotes;
  /** Where each entity has been heading of late. */
  readonly drifts: Drifts;
  /** Where each shard's load lies. */
  readonly loadTables: readonly LoadTable[];
  /** Where its players are heading. */
  readonly flowTables: readonly LoadTable[];
  /** Journal of each shard's transfers. */
  readonly transfers: readonly TransferRing[];
  /** Producer thread → shard, ARRIVAL_WORDS an entry. */
  readonly arrivals: readonly (readonly SpscRing[] | undefined)[];
  /** Shard → shard, MESSAGE_WORDS an entry. */
  readonly messages: readonly (readonly SpscRing[])[];
  /** Shard → gateway. */
  readonly frames: readonly (readonly ByteRing[])[];
  /** Shard → store, records of store-ring.ts. */
  readonly stored: readonly ByteRing[];
  /** Shard → store, LOAD_WORDS an entry. */
  readonly loads: readonly SpscRing[];
  readonly cut: CutBlock;

  constructor(private readonly shared: SharedWorldHandles) {
    this.arena = Arena.from(shared.arena);
    this.inboxes = Inboxes.from(shared.inboxes);
    this.ids = Ids.from(shared.ids, this.arena);
    this.clock = TickClock.from(shared.clock);
    this.directory = Directory.from(shared.directory);
    this.nature = Nature.from(shared.nature);
    this.admission = Admission.from(shared.admission);
    this.shardBlocks = shared.shardBlocks.map((sab) => ShardBlock.from(sab));
    this.gatewayBlocks = shared.gatewayBlocks.map((sab) => GatewayBlock.from(sab));
    this.views = shared.views.map((sab) => ViewReader.from(sab));
    this.viewWriters = shared.views.map((sab) => ViewWriter.from(sab));
    this.filters = shared.filters.map((sab) => InterestFilter.from(sab));
    this.jobs = shared.jobs.map((sab) => ByteRing.from(sab));
    this.results = shared.results.map((sab) => ByteRing.from(sab));
    this.traces = shared.traces.map((sab) => TraceRing.from(sab));
    this.stamps = TransitStamps.from(shared.stamps);
    this.bags = BagNotes.from(shared.bags);
    this.drifts = Drifts.from(shared.drifts);
    this.loadTables = shared.loadTables.map((sab) => LoadTable.from(sab));
    this.flowTables = shared.flowTables.map((sab) => LoadTable.from(sab));
    this.transfers = shared.transfers.map((sab) => TransferRing.from(sab));
    this.arrivals = shared.arrivals.map((row) => row?.map((sab) => SpscRing.from(sab)));
    this.messages = shared.messages.map((row) => row.map((sab) => SpscRing.from(sab)));
    this.frames = shared.frames.map((row) => row.map((sab) => ByteRing.from(sab)));
    this.stored = shared.stored.map((sab) => ByteRing.from(sab));
    this.loads = shared.loads.map((sab) => SpscRing.from(sab));
    this.cut = CutBlock.from(shared.cut);
  }

  /** A set of view readers of its own, for a use that may run inside another one. */
  viewReaders(): ViewReader[] {
    return this.shared.views.map((sab) => ViewReader.from(sab));
  }

  /** For `workerData`; the receiving thread calls `attachSharedWorld`. */
  handles(): SharedWorldHandles {
    return this.shared;
  }
}

/** Makes all shared structures of a node. Pages that are never used cost no memory. */
export function createSharedWorld(options: SharedWorldOptions): SharedWorld {
  const { shards, gateways, startMs } = options;
  assert(shards >= 1 && shards <= LIMITS.maxShards, 'I7: number of shards');
  assert(gateways >= 1 && gateways <= LIMITS.maxGateways + 1, 'I7: number of gateways, one of links');
  const entities = options.maxEntities ?? LIMITS.maxEntities;
  const baseTileLevel = options.baseTileLevel ?? LIMITS.baseTileLevel;
  const frameBytes = options.frameRingBytes ?? LIMITS.frameRingBytes;
  const jobBytes = options.jobRingBytes ?? 2 ** 18;
  const arrivalsPlaces = options.arrivalsPlaces ?? LIMITS.arrivalsPlaces;
  const messagePlaces = options.messagePlaces ?? LIMITS.messagePlaces;
  const storeBytes = options.storeRingBytes ?? storeRingBytes(entities);
  const arena = Arena.create(entities);
  const perShard = <T>(make: () => T): T[] => Array.from({ length: shards }, make);
  const perGateway = <T>(make: () => T): T[] => Array.from({ length: gateways }, make);
  const arrivals = () => perShard(() => SpscRing.create(arrivalsPlaces, ARRIVAL_WORDS).sab);
  return new SharedWorld({
    arena: arena.sab,
    inboxes: Inboxes.create(entities, options.inboxPlaces ?? LIMITS.inboxPlaces).sab,
    ids: Ids.create(arena, options.firstIdLease, options.grantedIdLease).sab,
    clock: TickClock.create(startMs, 1000 / (options.tickRateHz ?? LIMITS.tickRateHz)).sab,
    directory: Directory.create(baseTileLevel, options.deepestTileLevel).sab,
    nature: Nature.create(2 ** (2 * baseTileLevel + 1)).sab,
    admission: Admission.create().sab,
    shardBlocks: perShard(() => ShardBlock.create().sab),
    gatewayBlocks: perGateway(() => GatewayBlock.create().sab),
    // Cells: each entity may stand in its own, and half as many may be watched without anybody in them.
    views: perShard(() => ViewReader.create(entities, entities + (entities >> 1) + 1).sab),
    filters: perGateway(() => InterestFilter.create(entities * LIMITS.mostFarCells ** 2).sab),
    jobs: perShard(() => ByteRing.create(jobBytes).sab),
    results: perShard(() => ByteRing.create(jobBytes).sab),
    traces: perShard(() => TraceRing.create().sab),
    stamps: TransitStamps.create(entities).sab,
    bags: BagNotes.create(entities).sab,
    drifts: Drifts.create(entities).sab,
    loadTables: perShard(() => LoadTable.create(entities).sab),
    flowTables: perShard(() => LoadTable.create(entities, FLOW_ROW).sab),
    transfers: perShard(() => TransferRing.create().sab),
    arrivals: Array.from({ length: STORE_THREAD + 1 }, (_, thread) =>
      thread < shards || thread === STORE_THREAD || isGateway(thread, gateways) ? arrivals() : null,
    ),
    messages: perShard(() => perShard(() => SpscRing.create(messagePlaces, MESSAGE_WORDS).sab)),
    frames: perShard(() => perGateway(() => ByteRing.create(frameBytes).sab)),
    stored: perShard(() => ByteRing.create(storeBytes).sab),
    loads: perShard(() => SpscRing.create(LOAD_PLACES, LOAD_WORDS).sab),
    cut: CutBlock.create(entities, shards).sab,
  });
}

function isGateway(thread: number, gateways: number): boolean {
  return thread >= GATEWAY_THREAD && thread < GATEWAY_THREAD + gateways;
}

/** Attaches a thread to the structures of its node. @throws AssertionError when a buffer is not what it should be */
export function attachSharedWorld(handles: SharedWorldHandles): SharedWorld {
  return new SharedWorld(handles);
}
