/**
 * Carries out changes of layout: split, merge and move are one mechanism, a store in the directory that the shards
 * notice at their next tick (shard/migration.ts). Main thread only. One plan at a time touches a base tile; it is done
 * when every live shard goes by the new layout and has nothing left to hand over because of it.
 */
import type { Timers } from '../base/clock.js';
import { LIMITS } from '../base/limits.js';
import { type TileAddress, parseTile } from '../geo/address.js';
import { tileColumns } from '../geo/tile.js';
import { GATEWAY_THREAD } from '../memory/record.js';
import { SHARD_GAUGE, SHARD_STATE } from '../memory/shard-block.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { choosePlacement } from '../world/placement.js';
import { WAKE } from '../world/placing.js';
import type { Log } from './log.js';
import type { LayoutWatch } from './traces.js';

/** Why a change of layout was refused. */
export type ReshapeRefusal =
  | 'BAD_TILE'
  | 'NOBODYS_TILE'
  | 'NOT_A_LEAF'
  | 'DEEPEST_LEVEL'
  | 'NOT_SPLIT'
  | 'UNKNOWN_SHARD'
  | 'RESHAPE_IN_PROGRESS';

export interface Decision {
  readonly tick: number;
  readonly decision: string;
  readonly reason: string;
}

const LEVELS = LIMITS.deepestTileLevel - LIMITS.baseTileLevel;
const POLL_MS = 50;
const KEPT_DECISIONS = 20;

/** A tile as the directory addresses it. */
interface Entry {
  readonly tile: number;
  readonly path: number;
  readonly depth: number;
}

export class Reshaper {
  readonly counts = { splits: 0, merges: 0, moves: 0 };
  readonly decisions: Decision[] = [];
  /** By base tile: version of the directory that shows the change. */
  private readonly pending = new Map<number, number>();
  private cancel: (() => void) | null = null;

  constructor(
    private readonly world: SharedWorld,
    private readonly timers: Timers,
    private readonly tick: () => number,
    private readonly log: Log,
    private readonly watch: LayoutWatch | null = null,
  ) {}

  /** Whether a change of this base tile is under way. */
  isPending(tile: number): boolean {
    return this.pending.has(tile);
  }

  stop(): void {
    this.cancel?.();
    this.cancel = null;
  }

  /** Splits a leaf into four; the children go to the least loaded shards. @returns null, or why not */
  split(address: string, reason: string): ReshapeRefusal | null {
    this.watch?.decided();
    const entry = entryOf(address);
    if (entry === null) return 'BAD_TILE';
    if (entry.depth >= LEVELS) return 'DEEPEST_LEVEL';
    const refused = this.refuse(entry);
    if (refused !== null) return refused;
    const { directory } = this.world;
    const owner = directory.lookup(entry.tile, entry.path);
    const owners = this.spread(owner);
    if (!directory.split(entry.tile, entry.path, entry.depth, owner, owners)) return 'NOT_A_LEAF';
    for (const to of owners) this.give(entry.tile, to);
    this.world.shardBlocks[owner].addTiles(-1);
    this.counts.splits++;
    this.begin(entry, `split ${address} of shard ${owner} to shards ${owners.join(', ')}`, reason);
    return null;
  }

  /** Makes four leaves one again, on the shard that has most of them. @returns null, or why not */
  merge(address: string, reason: string): ReshapeRefusal | null {
    this.watch?.decided();
    const entry = entryOf(address);
    if (entry === null) return 'BAD_TILE';
    if (this.pending.has(entry.tile)) return 'RESHAPE_IN_PROGRESS';
    const { directory } = this.world;
    const step = (LEVELS - 1 - entry.depth) * 2;
    const children = entry.depth < LEVELS ? [0, 1, 2, 3].map((q) => entry.path | (q << step)) : [];
    if (children.length === 0 || children.some((p) => directory.depthOf(entry.tile, p) !== entry.depth + 1))
      return 'NOT_SPLIT';
    const owners = children.map((p) => directory.lookup(entry.tile, p));
    const owner = mostOften(owners);
    if (!directory.merge(entry.tile, entry.path, entry.depth, owner)) return 'NOT_SPLIT';
    for (const from of owners) this.world.shardBlocks[from].addTiles(-1);
    this.give(entry.tile, owner);
    this.counts.merges++;
    this.begin(entry, `merge ${address} of shards ${owners.join(', ')} to shard ${owner}`, reason);
    return null;
  }

  /** Gives a leaf to another shard. @returns null, or why not */
  move(address: string, to: number, reason: string): ReshapeRefusal | null {
    this.watch?.decided();
    const entry = entryOf(address);
    if (entry === null) return 'BAD_TILE';
    if (this.world.shardBlocks[to]?.state !== SHARD_STATE.RUNNING) return 'UNKNOWN_SHARD';
    const refused = this.refuse(entry);
    if (refused !== null) return refused;
    const { directory } = this.world;
    const from = directory.lookup(entry.tile, entry.path);
    if (from === to) return null;
    if (!directory.move(entry.tile, from, to, entry.path, entry.depth)) return 'NOT_A_LEAF';
    this.world.shardBlocks[from].addTiles(-1);
    this.give(entry.tile, to);
    this.counts.moves++;
    this.begin(entry, `move ${address} from shard ${from} to shard ${to}`, reason);
    return null;
  }

  private refuse(entry: Entry): ReshapeRefusal | null {
    const { directory } = this.world;
    if (this.pending.has(entry.tile)) return 'RESHAPE_IN_PROGRESS';
    if (directory.lookup(entry.tile, entry.path) < 0) return 'NOBODYS_TILE';
    return directory.depthOf(entry.tile, entry.path) === entry.depth ? null : 'NOT_A_LEAF';
  }

  /** Four shards for four children, least loaded first, different ones where there are. */
  private spread(owner: number): number[] {
    const loads = this.world.shardBlocks.map((block) => ({
      alive: block.state === SHARD_STATE.RUNNING,
      load: block.gauge(SHARD_GAUGE.players) / LIMITS.capacityPlayers,
      tiles: block.tiles,
    }));
    const owners: number[] = [];
    for (let child = 0; child < 4; child++) {
      const shard = choosePlacement(loads, owners);
      owners.push(shard < 0 ? owner : shard);
    }
    return owners;
  }

  /** A new owner counts the tile and holds it: it may be asleep to it so far. */
  private give(tile: number, shard: number): void {
    this.world.shardBlocks[shard].addTiles(1);
    // The main thread's own ring (gateway 0 lives here). Full: the shard holds the tile with its first arrival.
    const ring = this.world.arrivals[GATEWAY_THREAD]?.[shard];
    const at = ring?.offer() ?? -1;
    if (ring === undefined || at < 0) return;
    ring.i32[at >> 2] = WAKE;
    ring.i32[(at >> 2) + 1] = tile;
    ring.commit();
  }

  private begin(entry: Entry, decision: string, reason: string): void {
    const { version } = this.world.directory;
    this.pending.set(entry.tile, version);
    const made = { tick: this.tick(), decision, reason };
    this.watch?.stored(entry.tile, { ...made, version });
    this.decisions.push(made);
    if (this.decisions.length > KEPT_DECISIONS) this.decisions.shift();
    this.log.info(made, 'the layout changes');
    this.cancel ??= this.timers.every(POLL_MS, () => this.poll());
  }

  /** Public for tests and the simulation, which have no timers of their own. */
  poll(): void {
    for (const [tile, version] of this.pending) {
      if (!this.isDone(version)) continue;
      this.pending.delete(tile);
      this.watch?.done(tile);
    }
    if (this.pending.size === 0) this.stop();
  }

  private isDone(version: number): boolean {
    return this.world.shardBlocks.every(
      (block) =>
        block.state === SHARD_STATE.NONE ||
        (block.state === SHARD_STATE.RUNNING &&
          block.gauge(SHARD_GAUGE.layoutSeen) >= version &&
          block.gauge(SHARD_GAUGE.leaving) === 0),
    );
  }
}

/** @returns the directory's address of a tile, null if it is none of the levels that the directory knows */
function entryOf(address: string): Entry | null {
  const tile = parseTile(address);
  if (tile === undefined) return null;
  const depth = tile.z - LIMITS.baseTileLevel;
  if (depth < 0 || depth > LEVELS) return null;
  return {
    tile: (tile.y >> depth) * tileColumns(LIMITS.baseTileLevel) + (tile.x >> depth),
    path: pathOfTile(tile, depth),
    depth,
  };
}

/** Path of a tile's north-western square of the deepest level. */
function pathOfTile({ x, y }: TileAddress, depth: number): number {
  let path = 0;
  for (let level = depth - 1; level >= 0; level--)
    path = (path << 2) | (((y >> level) & 1) << 1) | ((x >> level) & 1);
  return path << ((LEVELS - depth) * 2);
}

function mostOften(shards: readonly number[]): number {
  const count = (shard: number) => shards.filter((s) => s === shard).length;
  return shards.reduce((best, shard) => (count(shard) > count(best) ? shard : best));
}
