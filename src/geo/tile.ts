/**
 * The quadtree of the plane: which tile of a level a place is in, and where a tile begins; pure, allocation-free.
 *
 * Tile matrix set WorldCRS84Quad of OGC 17-083r4 (annex D.3): level 0 is 2 columns × 1 row, each level halves
 * the size, column 0 begins at the antimeridian, row 0 at the north wall. Half-open: a tile holds its west and
 * north edge, the southernmost row also the wall.
 *
 *   WIDTH/4  ┌────────┬────────┐     An edge is the float64 column · size − WIDTH/2, and the index is decided by
 *            │ 0/0/0  │ 0/1/0  │     comparing with it, not by rounding a quotient: so a place on an edge is never
 *  −WIDTH/4  └────────┴────────┘     west of it, and the edges of all levels nest exactly (2c · size/2 = c · size).
 *        −WIDTH/2     0    WIDTH/2
 */
import { HALF_WIDTH, QUARTER_WIDTH, WIDTH } from './world.js';

export { WIDTH } from './world.js';

/** Deepest level: its numbers and Morton codes stay below 2^53. */
export const MAX_LEVEL = 25;

const SIZES = Float64Array.from({ length: MAX_LEVEL + 1 }, (_, level) => WIDTH / 2 ** (level + 1));

/** Edge of a tile of this level (0…MAX_LEVEL), metres: 19.57 m at level 20. Halving is exact. */
export function tileSize(level: number): number {
  return SIZES[level];
}

export function tileColumns(level: number): number {
  return 2 << level;
}

export function tileRows(level: number): number {
  return 1 << level;
}

/** x of the west edge of a column, metres; column = tileColumns(level) gives WIDTH/2. */
export function tileWest(column: number, level: number): number {
  return column * SIZES[level] - HALF_WIDTH;
}

/** y of the north edge of a row, metres; row = tileRows(level) gives the south wall. */
export function tileNorth(row: number, level: number): number {
  return QUARTER_WIDTH - row * SIZES[level];
}

/** Column of a wrapped x (metres), an integer in 0…tileColumns(level) − 1. */
export function tileX(x: number, level: number): number {
  const size = SIZES[level];
  const column = Math.floor((x + HALF_WIDTH) / size); // off by at most one
  if (x < column * size - HALF_WIDTH) return column - 1;
  return x >= (column + 1) * size - HALF_WIDTH ? column + 1 : column;
}

/** Row of a y between the walls (metres), an integer in 0…tileRows(level) − 1; the south wall is in the last row. */
export function tileY(y: number, level: number): number {
  const size = SIZES[level];
  let row = Math.floor((QUARTER_WIDTH - y) / size); // off by at most one
  if (y > QUARTER_WIDTH - row * size) row--;
  else if (y <= QUARTER_WIDTH - (row + 1) * size) row++;
  return Math.min(row, (1 << level) - 1);
}

/**
 * `tileX` of the x that stands at a place of an array.
 *
 * Why by its place: V8 keeps a number that is no small integer (a position, an id, a number of a cell) as an object on the
 * heap whenever it is passed to or returned from a function that is not inlined, or kept in a field with mixed values. In
 * a tick that would be megabytes a second, collected in the middle of some tick. So what runs for every entity passes
 * places, not numbers, and is written out; test/shard/allocation.test.ts holds it to that.
 */
export function columnAt(xs: Float64Array, at: number, level: number): number {
  const x = xs[at];
  const size = SIZES[level];
  const column = Math.floor((x + HALF_WIDTH) / size) | 0;
  if (x < column * size - HALF_WIDTH) return column - 1;
  return x >= (column + 1) * size - HALF_WIDTH ? column + 1 : column;
}

/** The same for `tileY`. */
export function rowAt(ys: Float64Array, at: number, level: number): number {
  const y = ys[at];
  const size = SIZES[level];
  let row = Math.floor((QUARTER_WIDTH - y) / size) | 0;
  if (y > QUARTER_WIDTH - row * size) row--;
  else if (y <= QUARTER_WIDTH - (row + 1) * size) row++;
  const last = (1 << level) - 1;
  return row < last ? row : last;
}

/** Number of the tile of a place: row · columns + column; below 2^53, at level 11 below 2^23. */
export function tileIndex(x: number, y: number, level: number): number {
  return tileY(y, level) * (2 << level) + tileX(x, level);
}
