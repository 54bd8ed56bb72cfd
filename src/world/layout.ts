/**
 * Places of the world and entries of the directory: the one file that knows both. Pure; a few shared loads each.
 *
 * A base tile may be split into squares of the deepest level; `mask` says which of them a shard has, bit by bit in the
 * order of the directory's paths (first level highest, NW NE SW SE), so that a change of layout is a change of bits.
 */
import { LIMITS } from '../base/limits.js';
import { type TileAddress, tileOfIndex } from '../geo/address.js';
import { tileColumns, tileX, tileY } from '../geo/tile.js';
import type { Directory } from '../memory/directory.js';

const DEEPEST = LIMITS.deepestTileLevel;
const LEVELS = LIMITS.deepestTileLevel - LIMITS.baseTileLevel;
const COLUMNS = tileColumns(LIMITS.baseTileLevel);
/** Squares of the deepest level in a base tile. */
export const SQUARES = 4 ** LEVELS;

/** @param x, y world metres @returns the shard that the directory gives the place to, −1 = nobody */
export function ownerAt(directory: Directory, x: number, y: number): number {
  return directory.lookupDeepest(tileX(x, DEEPEST), tileY(y, DEEPEST));
}

/** Index of the base tile of a square of the deepest level. */
export function baseOf(column: number, row: number): number {
  return (row >> LEVELS) * COLUMNS + (column >> LEVELS);
}

/** Path of a square of the deepest level inside its base tile, 0 … SQUARES − 1. */
export function pathOf(column: number, row: number): number {
  let path = 0;
  for (let shift = LEVELS - 1; shift >= 0; shift--) {
    path = (path << 2) | (((row >> shift) & 1) << 1) | ((column >> shift) & 1);
  }
  return path;
}

/** Path of the place's square of the deepest level. */
export function pathAt(x: number, y: number): number {
  return pathOf(tileX(x, DEEPEST), tileY(y, DEEPEST));
}

/** Which squares of a base tile a shard has: bit p for path p. */
export function maskOf(directory: Directory, tile: number, shard: number): number {
  let mask = 0;
  for (let path = 0; path < SQUARES; path++) if (directory.lookup(tile, path) === shard) mask |= 1 << path;
  return mask;
}

/** How many leaves of a base tile a shard has. */
export function leavesOf(directory: Directory, tile: number, shard: number): number {
  let leaves = 0;
  for (let path = 0; path < SQUARES; path += 4 ** (LEVELS - directory.depthOf(tile, path)))
    if (directory.lookup(tile, path) === shard) leaves++;
  return leaves;
}

/** The leaf that holds a square of the deepest level. @param square row × columns + column @returns null = nobody's */
export function leafAt(directory: Directory, square: number): { address: TileAddress; shard: number } | null {
  const { x, y } = tileOfIndex(square, DEEPEST);
  const tile = baseOf(x, y);
  const path = pathOf(x, y);
  const shard = directory.lookup(tile, path);
  if (shard < 0) return null;
  const depth = directory.depthOf(tile, path);
  const up = LEVELS - depth;
  return { address: { z: LIMITS.baseTileLevel + depth, x: x >> up, y: y >> up }, shard };
}
