/** How tiles lie to each other: keys, covering, touching, and the counts of the squares below a tile. Pure. */
import { type TileAddress, indexOfTile, neighboursOf } from '../../geo/address.js';
import { MAX_LEVEL } from '../../geo/tile.js';

/** Tiles of all levels above each level. */
const ABOVE = Float64Array.from({ length: MAX_LEVEL + 1 }, (_, z) => (2 * (4 ** z - 1)) / 3);

/** Number of a tile over all levels, below 2^53: the tiles of the levels above come first. */
export function tileKey(tile: TileAddress): number {
  return ABOVE[tile.z] + indexOfTile(tile);
}

/** The tile of a level above (or the same) that holds this one. */
export function ancestorOf(tile: TileAddress, z: number): TileAddress {
  const shift = tile.z - z;
  return { z, x: tile.x >> shift, y: tile.y >> shift };
}

/** Whether `inner` is `outer` or lies in it. */
export function covers(outer: TileAddress, inner: TileAddress): boolean {
  const shift = inner.z - outer.z;
  return shift >= 0 && inner.x >> shift === outer.x && inner.y >> shift === outer.y;
}

export function overlaps(a: TileAddress, b: TileAddress): boolean {
  return covers(a, b) || covers(b, a);
}

/** Whether two tiles that do not overlap have an edge or a corner in common. */
export function touches(a: TileAddress, b: TileAddress): boolean {
  const [coarse, fine] = a.z <= b.z ? [a, b] : [b, a];
  return neighboursOf(fine).some((n) => covers(coarse, n));
}

/** Players in `count` squares from `from` on. */
export function playersIn(squares: ArrayLike<number>, from: number, count: number): number {
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += squares[i];
  return sum;
}
