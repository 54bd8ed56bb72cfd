/**
 * From one sample to the next: what the planner remembers of tiles, shards and the machine. Pure.
 *
 * Smoothing is an exponential mean whose time constant is half of the window: it lags behind a steady rise as the
 * plain mean over the window does, by half of it, without keeping the samples. Players of a tile first seen are
 * believed at once (they were counted); its busy share grows from nothing (one tick that fills a tile is no load).
 */
import { assert } from '../../base/assert.js';
import { type TileAddress, formatTile } from '../../geo/address.js';
import { rungOf } from './ladder.js';
import { ancestorOf, overlaps, tileKey } from './squares.js';
import type {
  Pending,
  PlannerLimits,
  PlannerState,
  Sample,
  ShardMemory,
  ShardSample,
  TileMemory,
  TileSample,
} from './types.js';

const NEVER = -Infinity;

export const NEW_TILE: TileMemory = Object.freeze({
  players: 0,
  busy: 0,
  reshapedS: NEVER,
  bornOfSplit: false,
  rung: 0,
  rungS: NEVER,
});

const NEW_SHARD: ShardMemory = Object.freeze({
  players: 0,
  busy: 0,
  waiting: 0,
  idleS: Infinity,
  startAskedS: NEVER,
  stopAskedS: NEVER,
});

/** Before the first sample. */
export function initialState(): PlannerState {
  return {
    timeS: NEVER,
    tiles: new Map(),
    shards: [],
    pending: [],
    waiting: 0,
    saturated: false,
    emptying: -1,
  };
}

export function isHeld(pending: readonly Pending[], tile: TileAddress): boolean {
  return pending.some((p) => overlaps(p.tile, tile));
}

/** Leaves in the order of their keys, so that the order of the sample decides nothing. */
export function leavesOf(sample: Sample, limits: PlannerLimits): ReadonlyMap<number, TileSample> {
  const leaves = new Map<number, TileSample>();
  const keyed = sample.tiles.map((leaf) => ({ key: tileKey(leaf.tile), leaf }));
  for (const { key, leaf } of keyed.sort((a, b) => a.key - b.key)) {
    const { tile, players, busy, squares } = leaf;
    assert(tile.z >= limits.baseTileLevel && tile.z <= limits.deepestTileLevel, 'I9: level of a leaf');
    assert(squares.length === 4 ** (limits.deepestTileLevel - tile.z), 'a leaf tells all squares below it');
    assert(players >= 0 && busy >= 0 && Number.isFinite(players + busy), 'loads are finite');
    assert(!leaves.has(key), 'I9: leaves do not overlap');
    for (let z = tile.z - 1; z >= limits.baseTileLevel; z--) {
      assert(!leaves.has(tileKey(ancestorOf(tile, z))), 'I9: leaves do not overlap');
    }
    leaves.set(key, leaf);
  }
  return leaves;
}

export function observe(
  state: PlannerState,
  sample: Sample,
  leaves: ReadonlyMap<number, TileSample>,
  limits: PlannerLimits,
): PlannerState {
  const { timeS } = sample;
  assert(timeS >= state.timeS, 'the clock of the planner never goes back');
  const passedS = state.timeS === NEVER ? 0 : timeS - state.timeS;
  const weight = (windowS: number) => 1 - Math.exp((-2 * passedS) / windowS);
  const w = weight(limits.loadSmoothingS);
  const full = weight(limits.fullWindowS);
  const tiles = new Map<number, TileMemory>();
  for (const [key, leaf] of leaves) {
    tiles.set(key, observeTile(state.tiles.get(key), leaf, w, limits));
  }
  const awaited = new Set(state.pending.flatMap((p) => p.children.map((child) => tileKey(child.tile))));
  for (const [key, memory] of state.tiles) {
    const kept = timeS - memory.reshapedS < limits.dwellS || awaited.has(key);
    if (kept && !tiles.has(key)) tiles.set(key, memory);
  }
  const hidden = leftOut(state, leaves, sample.shards.length, limits);
  const shards = sample.shards.map((shard, s) => {
    const asked = { ...shard, busy: shard.busy + hidden[s] };
    return observeShard(state.shards[s] ?? NEW_SHARD, asked, timeS, w, full, limits);
  });
  const waiting = Math.max(sample.waiting, ...shards.map((shard) => shard.waiting));
  return { ...state, timeS, tiles, shards, waiting, saturated: isFull(state.saturated, waiting, limits) };
}

/** By shard: tick budget that dilation leaves out, of tiles whose degrade setting was in force at the sample. */
function leftOut(
  state: PlannerState,
  leaves: ReadonlyMap<number, TileSample>,
  shards: number,
  limits: PlannerLimits,
): number[] {
  const hidden = new Array<number>(shards).fill(0);
  for (const [key, { shard, busy }] of leaves) {
    const rung = state.tiles.get(key)?.rung ?? 0;
    if (rung > 0 && shard >= 0) hidden[shard] += busy * (1 - rungOf(rung, limits).dilation);
  }
  return hidden;
}

function observeTile(
  before: TileMemory | undefined,
  leaf: TileSample,
  w: number,
  limits: PlannerLimits,
): TileMemory {
  const share = leaf.players / limits.capacityPlayers;
  if (before === undefined) return { ...NEW_TILE, players: share };
  if (before.players === share && before.busy === leaf.busy) return before;
  return {
    ...before,
    players: before.players + (share - before.players) * w,
    busy: before.busy + (leaf.busy - before.busy) * w,
  };
}

function observeShard(
  before: ShardMemory,
  shard: ShardSample,
  timeS: number,
  w: number,
  full: number,
  limits: PlannerLimits,
): ShardMemory {
  if (!shard.alive) return { ...NEW_SHARD, startAskedS: before.startAskedS };
  const players = before.players + (shard.players / limits.capacityPlayers - before.players) * w;
  const busy = before.busy + (shard.busy - before.busy) * w;
  const waits = shard.busy >= limits.fullOwnShare ? shard.waiting : 0;
  const idle = Math.max(players, busy, shard.players / limits.capacityPlayers) < limits.packLoadShare;
  return {
    players,
    busy,
    waiting: before.waiting + (waits - before.waiting) * full,
    idleS: idle ? Math.min(before.idleS, timeS) : Infinity,
    startAskedS: before.startAskedS,
    stopAskedS: before.stopAskedS,
  };
}

/** Full above the share of waiting, free again below half of it. */
function isFull(before: boolean, waiting: number, limits: PlannerLimits): boolean {
  return waiting > limits.fullWaitingShare * (before ? 0.5 : 1);
}

/**
 * Ends the pending reshape of a tile; without one nothing changes. Afterwards the tile and its children rest for the
 * dwell, a failed one as well: what cannot be done is tried again once a dwell, not at once.
 * @param outcome 'failed' = it was given up and the directory is as before
 */
export function done(
  state: PlannerState,
  tile: TileAddress,
  timeS: number,
  outcome: 'done' | 'failed' = 'done',
): PlannerState {
  const ended = state.pending.find((p) => formatTile(p.tile) === formatTile(tile));
  if (ended === undefined) return state;
  const tiles = new Map(state.tiles);
  const rest = (at: TileAddress, bornOfSplit: boolean) => {
    const key = tileKey(at);
    tiles.set(key, { ...(tiles.get(key) ?? NEW_TILE), reshapedS: timeS, bornOfSplit });
  };
  rest(tile, false);
  if (outcome === 'done') for (const child of ended.children) rest(child.tile, true);
  return { ...state, tiles, pending: state.pending.filter((p) => p !== ended) };
}
