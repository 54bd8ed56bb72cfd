/**
 * A plan in the making: the layout as it will be once everything decided is done, to which each rule adds what it
 * decides, so that the next rule already sees it. Lives for one call of the planner; nothing of it is kept.
 */
import { type TileAddress, formatTile, neighboursOf } from '../../geo/address.js';
import { type ShardLoad, choosePlacement } from '../../world/placement.js';
import { rungOf } from './ladder.js';
import { NEW_TILE, isHeld } from './observe.js';
import { ancestorOf, covers, overlaps, tileKey, touches } from './squares.js';
import type {
  Decision,
  Foresight,
  Pending,
  Placed,
  PlannerLimits,
  PlannerState,
  Sample,
  ShardMemory,
  TileMemory,
  TileSample,
} from './types.js';

/** What staying where it is saves a tile, in shares of a tick budget: equal choices move nobody. */
const STAY_GAIN = 0.05;

export class Draft {
  readonly decisions: Decision[] = [];
  /** By shard: loads and tiles once all that is decided is done. */
  readonly planned: { load: number; tiles: number }[];
  readonly timeS: number;
  readonly saturated: boolean;
  emptying: number;
  pending: readonly Pending[];
  readonly tiles: Map<number, TileMemory>;
  readonly shards: ShardMemory[];

  /** @param state as observed with this sample @param leaves of the sample, by key in order */
  constructor(
    private readonly state: PlannerState,
    readonly sample: Sample,
    readonly leaves: ReadonlyMap<number, TileSample>,
    readonly limits: PlannerLimits,
    private readonly foresight: Foresight | null = null,
  ) {
    this.timeS = sample.timeS;
    this.saturated = state.saturated;
    this.emptying = state.emptying;
    this.pending = state.pending;
    this.tiles = new Map(state.tiles);
    this.shards = [...state.shards];
    this.planned = sample.shards.map(() => ({ load: 0, tiles: 0 }));
    for (const [key, leaf] of leaves) this.addLeaf(leaf, this.loadAt(key));
  }

  /** The state that the plan leaves behind. */
  finish(): PlannerState {
    const { tiles, shards, pending, emptying } = this;
    return { ...this.state, tiles, shards, pending, emptying };
  }

  memory(tile: TileAddress): TileMemory {
    return this.tiles.get(tileKey(tile)) ?? NEW_TILE;
  }

  loadOf(tile: TileAddress): number {
    return this.loadAt(tileKey(tile));
  }

  /** Load that a split or move may act on: on a full machine only what players count for. */
  movableLoad(tile: TileAddress): number {
    const { players, busy } = this.memory(tile);
    return this.saturated ? players : Math.max(players, busy);
  }

  /** Whether it is foreseen that a leaf becomes hot. @param h 0 = within 30 s, 1 = 60 s, 2 = 300 s */
  isForeseen(tile: TileAddress, h: 0 | 1 | 2): boolean {
    return this.foresight !== null && this.foresight.chance(tile, h) >= this.limits.foreseenShare;
  }

  shardLoad(s: number): number {
    const { players, busy } = this.shards[s];
    return this.saturated ? players : Math.max(players, busy);
  }

  /** Since the last reshape of the tile the dwell has passed. */
  hasRested(tile: TileAddress): boolean {
    return this.timeS - this.memory(tile).reshapedS >= this.limits.dwellS;
  }

  isHeld(tile: TileAddress): boolean {
    return isHeld(this.pending, tile);
  }

  /** Room for one more reshape. */
  get hasRoom(): boolean {
    return this.pending.length < this.limits.reshapesAtOnce;
  }

  isAlive(s: number): boolean {
    return s >= 0 && s < this.sample.shards.length && this.sample.shards[s].alive;
  }

  /** Runs, and neither emptied nor asked to end: tiles may go to it. */
  isTarget(s: number): boolean {
    return this.isAlive(s) && s !== this.emptying && !this.isEnding(s);
  }

  isEnding(s: number): boolean {
    return this.timeS - this.shards[s].stopAskedS < this.limits.dwellS;
  }

  /** Was asked to start not long ago and does not run yet. */
  isStarting(s: number): boolean {
    return !this.isAlive(s) && this.timeS - this.shards[s].startAskedS < this.limits.startWaitS;
  }

  /**
   * Least loaded shard for a tile, among those with `fits`; neighbouring tiles spread, equal choices stay.
   * @param from shard that has it now, −1 = none; its load must have been taken off
   * @param siblings tiles placed in the same breath
   * @returns −1 when no shard may take it
   */
  choose(
    tile: TileAddress,
    from: number,
    siblings: readonly Placed[] = [],
    fits: (s: number) => boolean = () => true,
  ): number {
    const loads: ShardLoad[] = this.planned.map(({ load, tiles }, s) => ({
      alive: this.isTarget(s) && fits(s),
      load: load - (s === from ? STAY_GAIN : 0),
      tiles,
    }));
    const around = new Set<{ shard: number }>(siblings.filter((other) => touches(other.tile, tile)));
    for (const n of neighboursOf(tile)) {
      const leaf = this.leafOver(n);
      // Not the tile that is being split: its other children are among the siblings, or have no place yet.
      if (leaf !== undefined && !covers(leaf.tile, tile)) around.add(leaf);
    }
    const neighbours = [...around].map((other) => other.shard);
    return choosePlacement(loads, neighbours);
  }

  /** Takes a load and a tile from a shard, or gives them to it. */
  shift(shard: number, load: number, tiles: 1 | -1): void {
    if (shard < 0 || shard >= this.planned.length) return;
    this.planned[shard].load += load * tiles;
    this.planned[shard].tiles += tiles;
  }

  /** Notes a reshape as under way. */
  hold(pending: Omit<Pending, 'sinceS'>): void {
    this.pending = [...this.pending, { ...pending, sinceS: this.timeS }];
  }

  /** Memory that a tile begins with, from the loads expected in it. */
  seed(tile: TileAddress, players: number, busy: number, rung: number): void {
    this.tiles.set(tileKey(tile), { ...NEW_TILE, players, busy, rung, rungS: this.timeS });
  }

  degradeAt(rung: number) {
    return rungOf(rung, this.limits);
  }

  private loadAt(key: number): number {
    const { players, busy } = this.tiles.get(key) ?? NEW_TILE;
    return Math.max(players, busy);
  }

  /** The leaf that is the tile or holds it; undefined where the layout is finer or nobody is. */
  private leafOver(tile: TileAddress): TileSample | undefined {
    for (let z = tile.z; z >= this.limits.baseTileLevel; z--) {
      const leaf = this.leaves.get(tileKey(ancestorOf(tile, z)));
      if (leaf !== undefined) return leaf;
    }
    return undefined;
  }

  /** Counts a leaf where it will be: a pending reshape may not show in the directory yet. */
  private addLeaf(leaf: TileSample, load: number): void {
    const pending = this.pending.find((p) => overlaps(p.tile, leaf.tile));
    if (pending === undefined) this.shift(leaf.shard, load, 1);
    else if (pending.kind !== 'split') this.shift(pending.shard, load, 1);
    else if (formatTile(pending.tile) !== formatTile(leaf.tile)) this.shift(leaf.shard, load, 1);
    else for (const child of pending.children) this.shift(child.shard, child.load, 1);
  }
}
