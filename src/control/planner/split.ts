/**
 * Splits: which tile, into which children, on which shards. The children are judged by where the players stand.
 */
import { type TileAddress, childrenOf, formatTile } from '../../geo/address.js';
import { FORESIGHT_S } from '../../world/drift.js';
import type { Draft } from './draft.js';
import { playersIn, tileKey } from './squares.js';
import type { Decision, Placed, SplitStep, TileSample } from './types.js';

interface Hot {
  readonly leaf: TileSample;
  readonly load: number;
  readonly emergency: boolean;
}

/** A child to be, and its share of the tile's players. */
interface Piece {
  readonly tile: TileAddress;
  readonly share: number;
}

/** Loads from which a tile asks for a split, hottest first. */
export function splitHotTiles(draft: Draft): void {
  const hot: Hot[] = [];
  for (const leaf of draft.leaves.values()) {
    const found = judge(draft, leaf);
    if (found !== undefined) hot.push(found);
  }
  hot.sort((a, b) => b.load - a.load || tileKey(a.leaf.tile) - tileKey(b.leaf.tile));
  const isStarting = draft.planned.some((_, s) => draft.isStarting(s));
  for (const { leaf, emergency, load } of hot) {
    if (!draft.hasRoom) return;
    if (!emergency && isStarting) continue; // the threads first
    split(draft, leaf, load, thresholdOf(draft, load, emergency));
  }
}

/** What the load was held against. */
function thresholdOf({ limits }: Draft, load: number, emergency: boolean): number {
  if (emergency) return limits.emergencyLoadShare;
  return load >= limits.splitLoadShare ? limits.splitLoadShare : limits.foreseenSplitShare;
}

/** May be split by its level and owner; says nothing about loads and dwell. */
export function isSplittable(draft: Draft, leaf: TileSample): boolean {
  return leaf.tile.z < draft.limits.deepestTileLevel && draft.isAlive(leaf.shard) && !draft.isHeld(leaf.tile);
}

function judge(draft: Draft, leaf: TileSample): Hot | undefined {
  const { limits } = draft;
  // Players are counted, not measured: an emergency by them needs no smoothing.
  const load = Math.max(draft.movableLoad(leaf.tile), emergencyPlayers(draft, leaf));
  const foreseen = load >= limits.foreseenSplitShare && draft.isForeseen(leaf.tile, 0);
  if ((load < limits.splitLoadShare && !foreseen) || !isSplittable(draft, leaf)) return undefined;
  const emergency = load >= limits.emergencyLoadShare;
  const goesOn = emergency && draft.memory(leaf.tile).bornOfSplit;
  return draft.hasRested(leaf.tile) || goesOn ? { leaf, load, emergency } : undefined;
}

function emergencyPlayers(draft: Draft, leaf: TileSample): number {
  const share = leaf.players / draft.limits.capacityPlayers;
  return share >= draft.limits.emergencyLoadShare ? share : 0;
}

/** Decides the split of a splittable leaf. @param threshold what `load` was held against, 0 = asked for */
export function split(draft: Draft, leaf: TileSample, load: number, threshold: number): Decision | undefined {
  const { tile, shard: from, squares } = leaf;
  const pieces = piecesOf(draft, leaf, load);
  const memory = draft.memory(tile);
  draft.shift(from, draft.loadOf(tile), -1);
  const children = place(draft, pieces, from, Math.max(load, draft.loadOf(tile)));
  if (children === undefined) {
    draft.shift(from, draft.loadOf(tile), 1);
    return undefined;
  }
  for (const { tile: child, share } of pieces) {
    const players = Math.max(memory.players, leaf.players / draft.limits.capacityPlayers);
    draft.seed(child, players * share, memory.busy * share, memory.rung);
  }
  draft.hold({ kind: 'split', tile, shard: -1, children });
  const hottest = Math.max(...quarters(squares)) * load;
  const where = children.map((child) => `${formatTile(child.tile)} to shard ${child.shard}`).join(', ');
  const decision: Decision = {
    kind: 'split',
    tile,
    from,
    children,
    steps: stepsOf(tile, from, children),
    degrade: draft.degradeAt(memory.rung),
    timeS: draft.timeS,
    numbers: {
      load,
      threshold,
      players: leaf.players,
      capacity: draft.limits.capacityPlayers,
      busy: memory.busy,
      hottestChild: hottest,
      children: children.length,
    },
    reason: `${why(draft, tile, load, threshold)}: ${where}.`,
  };
  draft.decisions.push(decision);
  return decision;
}

function why({ limits }: Draft, tile: TileAddress, load: number, threshold: number): string {
  const name = formatTile(tile);
  if (threshold === 0) return `${name} at load ${load.toFixed(2)} was asked to split`;
  if (threshold === limits.foreseenSplitShare)
    return `${name} at load ${load.toFixed(2)} is foreseen to be hot within ${FORESIGHT_S[0]} s`;
  return `${name} has reached load ${load.toFixed(2)} of ${threshold}`;
}

/** Shares of the players in the four quarters; even where nobody stands. */
function quarters(squares: ArrayLike<number>, from = 0, count = squares.length): number[] {
  const quarter = count / 4;
  const total = playersIn(squares, from, count);
  return [0, 1, 2, 3].map((q) =>
    total > 0 ? playersIn(squares, from + q * quarter, quarter) / total : 1 / 4,
  );
}

/** The four children, and in the place of each that would be hot at once its own four, while levels allow it. */
function piecesOf(draft: Draft, leaf: TileSample, load: number): Piece[] {
  const { deepestTileLevel, splitLevelsAtOnce, splitLoadShare } = draft.limits;
  const { squares } = leaf;
  const into = (tile: TileAddress, share: number, from: number, count: number, level: number): Piece[] => {
    const shares = quarters(squares, from, count);
    return childrenOf(tile).flatMap((child, q) => {
      const piece = { tile: child, share: share * shares[q] };
      const relieved = piece.share * load < splitLoadShare;
      if (relieved || child.z === deepestTileLevel || level === splitLevelsAtOnce) return [piece];
      return into(child, piece.share, from + (q * count) / 4, count / 4, level + 1);
    });
  };
  return into(leaf.tile, 1, 0, squares.length, 1);
}

/** Gives each piece a shard, the hottest first; undefined when no shard may take one. */
function place(draft: Draft, pieces: readonly Piece[], from: number, load: number): Placed[] | undefined {
  const order = [...pieces].sort((a, b) => b.share - a.share || tileKey(a.tile) - tileKey(b.tile));
  const placed: Placed[] = [];
  for (const { tile, share } of order) {
    const stays = placed.length === 0 ? from : -1;
    const fits = (s: number) => draft.planned[s].load + share * load < draft.limits.splitLoadShare;
    const cool = draft.choose(tile, stays, placed, fits);
    const shard = cool >= 0 ? cool : draft.choose(tile, stays, placed);
    if (shard < 0) {
      for (const other of placed) draft.shift(other.shard, other.load, -1);
      return undefined;
    }
    placed.push({ tile, shard, load: share * load });
    draft.shift(shard, share * load, 1);
  }
  return placed.sort((a, b) => tileKey(a.tile) - tileKey(b.tile));
}

/** The stores that show the children, a tile before what lies in it; until its own store a divided child stays. */
function stepsOf(tile: TileAddress, from: number, children: readonly Placed[]): SplitStep[] {
  const deeper: SplitStep[] = [];
  const owners = childrenOf(tile).map((child) => {
    const name = formatTile(child);
    const leaf = children.find((other) => formatTile(other.tile) === name);
    if (leaf === undefined) deeper.push(...stepsOf(child, from, children));
    return leaf?.shard ?? from;
  });
  return [{ tile, from, owners }, ...deeper];
}
