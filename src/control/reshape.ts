/**
 * Carries out changes of layout: split, merge and move are one mechanism, a store in the directory that the shards
 * notice at their next tick (shard/migration.ts). Main thread only. A change is done when every live shard goes by the
 * new layout and has nothing left to hand over because of it.
 */
import type { Timers } from '../base/clock.js';
import { LIMITS } from '../base/limits.js';
import { type TileAddress, formatTile, parseTile } from '../geo/address.js';
import { tileColumns } from '../geo/tile.js';
import { GATEWAY_THREAD } from '../memory/record.js';
import { SHARD_GAUGE, SHARD_STATE } from '../memory/shard-block.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { choosePlacement } from '../world/placement.js';
import { WAKE } from '../world/placing.js';
import type { Log } from './log.js';
import type { LayoutWatch } from './traces.js';
import { tileKey } from './planner/squares.js';
import type { Decision, SplitStep } from './planner/types.js';

/** Why a change of layout was refused. */
export type ReshapeRefusal =
  | 'BAD_TILE'
  | 'NOBODYS_TILE'
  | 'NOT_A_LEAF'
  | 'DEEPEST_LEVEL'
  | 'NOT_SPLIT'
  | 'UNKNOWN_SHARD'
  | 'RESHAPE_IN_PROGRESS';

export type Reshape = Extract<Decision, { readonly kind: 'split' | 'merge' | 'move' }>;
/** Failed: it was given up, and what it had moved is back. */
export type Outcome = 'done' | 'failed';

const LEVELS = LIMITS.deepestTileLevel - LIMITS.baseTileLevel;
const POLL_MS = 50;
const VERBS = { splits: 'split', merges: 'merge', moves: 'move' };

/** A tile as the directory addresses it. */
export interface Entry {
  readonly tile: number;
  readonly path: number;
  readonly depth: number;
}

/** A change that is shown and not done yet. */
interface Pending {
  readonly address: string;
  readonly entry: Entry;
  /** Version of the directory that shows it. */
  version: number;
  /** Who had the tile, −1 = several. */
  readonly from: number;
  /** Who must go by the new layout before it is done. */
  shards: readonly number[];
  outcome: Outcome;
}

export class Reshaper {
  readonly counts = { splits: 0, merges: 0, moves: 0 };
  /** Told of each change when it has settled. */
  onSettled: (address: string, outcome: Outcome) => void = () => {};
  /** By address. */
  private readonly pending = new Map<string, Pending>();
  private cancel: (() => void) | null = null;

  /** @param isStuck whether a shard died and does not come back: what was given to it goes back to where it was */
  constructor(
    private readonly world: SharedWorld,
    private readonly timers: Timers,
    private readonly tick: () => number,
    private readonly log: Log,
    private readonly watch: LayoutWatch | null = null,
    private readonly isStuck: (shard: number) => boolean = () => false,
  ) {}

  /** Whether a change of this base tile, or of a part of it, is under way. */
  isPending(tile: number): boolean {
    return [...this.pending.values()].some(({ entry }) => entry.tile === tile);
  }

  stop(): void {
    this.cancel?.();
    this.cancel = null;
  }

  /**
   * Carries out what the planner decided. The caller keeps changes apart that touch one tile.
   * @returns false when nothing was changed: somebody who has or gets a part of it does not run, its natural content is
   * being made (a new owner would make it again), or the layout is not what the decision went by
   */
  carryOut(decision: Reshape): boolean {
    this.watch?.decided();
    const address = formatTile(decision.tile);
    const entry = entryOf(address);
    if (entry === null || this.world.directory.generatedTick(entry.tile) <= 0) return false;
    switch (decision.kind) {
      case 'split':
        return this.splitInto(decision.steps, entry, address, decision.reason);
      case 'merge':
        return this.mergeTo(entry, decision.shard, address, decision.reason);
      case 'move':
        return this.moveTo(entry, decision.from, decision.shard, address, decision.reason);
    }
  }

  /** By hand: splits a leaf into four; the children go to the least loaded shards. @returns null, or why not */
  split(address: string, reason: string): ReshapeRefusal | null {
    this.watch?.decided();
    const entry = entryOf(address);
    if (entry === null) return 'BAD_TILE';
    if (entry.depth >= LEVELS) return 'DEEPEST_LEVEL';
    const refused = this.refuse(entry);
    if (refused !== null) return refused;
    const from = this.world.directory.lookup(entry.tile, entry.path);
    const steps = [{ tile: parseTile(address)!, from, owners: this.spread(from) }];
    return this.splitInto(steps, entry, address, reason) ? null : 'NOT_A_LEAF';
  }

  /** By hand: makes four leaves one again, on the shard that has most of them. @returns null, or why not */
  merge(address: string, reason: string): ReshapeRefusal | null {
    this.watch?.decided();
    const entry = entryOf(address);
    if (entry === null) return 'BAD_TILE';
    if (this.isPending(entry.tile)) return 'RESHAPE_IN_PROGRESS';
    const owners = this.childrenOwners(entry);
    return owners !== null && this.mergeTo(entry, mostOften(owners), address, reason) ? null : 'NOT_SPLIT';
  }

  /** By hand: gives a leaf to another shard. @returns null, or why not */
  move(address: string, to: number, reason: string): ReshapeRefusal | null {
    this.watch?.decided();
    const entry = entryOf(address);
    if (entry === null) return 'BAD_TILE';
    if (!this.runs(to)) return 'UNKNOWN_SHARD';
    const refused = this.refuse(entry);
    if (refused !== null) return refused;
    const from = this.world.directory.lookup(entry.tile, entry.path);
    return from === to || this.moveTo(entry, from, to, address, reason) ? null : 'NOT_A_LEAF';
  }

  private runs(shard: number): boolean {
    return this.world.shardBlocks[shard]?.state === SHARD_STATE.RUNNING;
  }

  private splitInto(steps: readonly SplitStep[], entry: Entry, address: string, reason: string): boolean {
    const { from } = steps[0];
    const shards = [...new Set([from, ...steps.flatMap((step) => step.owners)])];
    if (!shards.every((shard) => this.runs(shard))) return false;
    for (const [i, step] of steps.entries()) {
      const at = entryOf(formatTile(step.tile));
      // Blocks used up: what is there so far is a legal layout, too.
      if (at === null || !this.world.directory.split(at.tile, at.path, at.depth, step.from, step.owners))
        return i > 0 && this.begin({ address, entry, from, shards }, 'splits', reason);
      this.world.shardBlocks[step.from].addTiles(-1);
      for (const to of step.owners) this.give(at.tile, to);
    }
    return this.begin({ address, entry, from, shards }, 'splits', reason);
  }

  private mergeTo(entry: Entry, to: number, address: string, reason: string): boolean {
    const owners = this.childrenOwners(entry);
    const shards = [...new Set([to, ...(owners ?? [])])];
    if (owners === null || !shards.every((shard) => this.runs(shard))) return false;
    if (!this.world.directory.merge(entry.tile, entry.path, entry.depth, to)) return false;
    for (const owner of owners) this.world.shardBlocks[owner].addTiles(-1);
    this.give(entry.tile, to);
    return this.begin({ address, entry, from: -1, shards }, 'merges', reason);
  }

  private moveTo(entry: Entry, from: number, to: number, address: string, reason: string): boolean {
    if (!this.runs(from) || !this.runs(to)) return false;
    if (!this.world.directory.move(entry.tile, from, to, entry.path, entry.depth)) return false;
    this.world.shardBlocks[from].addTiles(-1);
    this.give(entry.tile, to);
    return this.begin({ address, entry, from, shards: [from, to] }, 'moves', reason);
  }

  /** Who has the four leaves below a tile; null when it is not divided into just these. */
  private childrenOwners({ tile, path, depth }: Entry): number[] | null {
    const { directory } = this.world;
    if (depth >= LEVELS) return null;
    const children = [0, 1, 2, 3].map((q) => path | (q << ((LEVELS - 1 - depth) * 2)));
    if (children.some((p) => directory.depthOf(tile, p) !== depth + 1)) return null;
    return children.map((p) => directory.lookup(tile, p));
  }

  private refuse(entry: Entry): ReshapeRefusal | null {
    const { directory } = this.world;
    if (this.isPending(entry.tile)) return 'RESHAPE_IN_PROGRESS';
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
    this.world.shardBlocks[shard].ring(); // it may be resting
  }

  private begin(
    change: Omit<Pending, 'version' | 'outcome'>,
    counter: keyof Reshaper['counts'],
    reason: string,
  ): true {
    const { address, shards } = change;
    this.counts[counter]++;
    this.pending.set(address, { ...change, version: this.world.directory.version, outcome: 'done' });
    const made = { tick: this.tick(), decision: `${VERBS[counter]} ${address}`, reason };
    this.watch?.stored(keyOf(address), { ...made, version: this.world.directory.version });
    this.log.info(
      { tick: this.tick(), change: counter, tile: address, shards, reason },
      'the layout changes',
    );
    this.cancel ??= this.timers.every(POLL_MS, () => this.poll());
    return true;
  }

  /** Public for tests and the simulation, which have no timers of their own. */
  poll(): void {
    for (const [address, change] of this.pending) {
      const stuck =
        change.from >= 0 ? change.shards.find((s) => s !== change.from && this.isStuck(s)) : undefined;
      if (stuck !== undefined) this.takeBack(change, stuck);
      if (!this.isDone(change)) continue;
      this.pending.delete(address);
      this.watch?.done(keyOf(address));
      this.onSettled(address, change.outcome);
    }
    if (this.pending.size === 0) this.stop();
  }

  /**
   * A shard that got a part of a tile does not come back: what is left of it returns to who had it. Whoever was handed
   * over already waits for the replacement.
   */
  private takeBack(change: Pending, stuck: number): void {
    const { directory } = this.world;
    const { tile, path, depth } = change.entry;
    for (let p = path; p < path + 4 ** (LEVELS - depth); p++) {
      if (directory.lookup(tile, p) !== stuck) continue;
      if (!directory.move(tile, stuck, change.from, p, directory.depthOf(tile, p))) continue;
      this.world.shardBlocks[stuck].addTiles(-1);
      this.give(tile, change.from);
    }
    change.version = directory.version;
    change.shards = change.shards.filter((shard) => shard !== stuck);
    change.outcome = 'failed';
    this.log.error({ tile: change.address, shard: stuck }, 'a shard does not come up: its tiles go back');
  }

  private isDone({ shards, version }: Pending): boolean {
    return this.world.shardBlocks.every((block, s) => {
      // One that has ended in good order has nothing left, or it would have been started again: see supervisor.ts.
      if (block.state !== SHARD_STATE.RUNNING) return block.state === SHARD_STATE.NONE || !shards.includes(s);
      return block.gauge(SHARD_GAUGE.layoutSeen) >= version && block.gauge(SHARD_GAUGE.leaving) === 0;
    });
  }
}

/** @returns the directory's address of a tile, null if it is none of the levels that the directory knows */
export function entryOf(address: string): Entry | null {
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

/** Of a change that is watched. */
function keyOf(address: string): number {
  return tileKey(parseTile(address)!);
}
