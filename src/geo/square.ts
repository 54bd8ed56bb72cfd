/**
 * Squares: a cell and its parts on the same quadtree, three levels down (152.87 m … 19.1 m); pure, allocation-free.
 *
 * ```
 *  square 0 = the cell        parts of square n: 4n + 1 … 4n + 4      leaf = Morton number, x lowest
 *                               ┌────────┬────────┐                     ┌───┬───┐
 *   0 │ 1 … 4 │ 5 … 20 │ 21 … 84 │ 4n + 3 │ 4n + 4 │ north               │ 2 │ 3 │
 *                               ├────────┼────────┤                     ├───┼───┤
 *                               │ 4n + 1 │ 4n + 2 │ south               │ 0 │ 1 │
 *                               └────────┴────────┘                     └───┴───┘
 * ```
 * A *stream key* names (cell, square, rate class) in one number below 2^45; that of a whole cell at class 0 is the cell's.
 */
import { LIMITS } from '../base/limits.js';
import { CELL_ROWS, cellSize, columnOfCell, rowOfCell } from './cell.js';
import { tileNorth, tileWest } from './tile.js';
import { dx } from './world.js';

export const SQUARE_DEPTH = 3;
/** Smallest squares of a cell, along a side and in all. */
export const LEAF_SIDE = 2 ** SQUARE_DEPTH;
export const LEAVES = LEAF_SIDE * LEAF_SIDE;
/** The whole cell. */
export const WHOLE = 0;
/** Number of the first square of each depth, and behind them the number of squares. */
const FIRST = [0, 1, 5, 21, 85] as const;
export const SQUARES = FIRST[SQUARE_DEPTH + 1]!;

const SIZE = cellSize();
const CELL_NUMBERS = 2 ** (2 * LIMITS.cellLevel + 1);
const CLASS_PLACES = 8;

/** How often the cell was cut in two along each axis: 0 … 3. */
export function depthOf(square: number): number {
  return square === 0 ? 0 : square < 5 ? 1 : square < 21 ? 2 : 3;
}

export function partOf(square: number, quarter: number): number {
  return 4 * square + 1 + quarter;
}

/** Whether one of the two is the other, or holds it. */
export function overlap(a: number, b: number): boolean {
  const small = a < b ? a : b;
  let large = a < b ? b : a;
  while (large > small) large = (large - 1) >> 2;
  return large === small;
}

/** Whether `square` is `top` or a part of it. */
export function isWithin(square: number, top: number): boolean {
  let at = square;
  while (at > top) at = (at - 1) >> 2;
  return at === top;
}

/** First leaf of a square; it has 64 >> 2·depth of them, one after the other. */
export function firstLeaf(square: number): number {
  const depth = depthOf(square);
  return (square - FIRST[depth]!) << (2 * (SQUARE_DEPTH - depth));
}
export function leavesOf(square: number): number {
  return LEAVES >> (2 * depthOf(square));
}

/** The square of a depth in which a leaf lies. */
export function squareOfLeaf(leaf: number, depth: number): number {
  return FIRST[depth]! + (leaf >> (2 * (SQUARE_DEPTH - depth)));
}

/** Morton number of the leaf in this column (from the west) and row (from the south), both 0 … 7. */
export function leafAt(column: number, row: number): number {
  return spread(column) | (spread(row) << 1);
}
export function leafColumn(leaf: number): number {
  return (leaf & 1) | ((leaf >> 1) & 2) | ((leaf >> 2) & 4);
}
export function leafRow(leaf: number): number {
  return leafColumn(leaf >> 1);
}
function spread(v: number): number {
  return (v & 1) | ((v & 2) << 1) | ((v & 4) << 2);
}

/** The leaf of a place in a cell, metres; what lies outside by rounding counts as inside. */
export function leafOf(cell: number, x: number, y: number): number {
  const east = Math.floor((dx(tileWest(columnOfCell(cell), LIMITS.cellLevel), x) / SIZE) * LEAF_SIDE);
  // Counted from the south, like a quantised place: the two must agree.
  const south = tileNorth(rowOfCell(cell), LIMITS.cellLevel) - SIZE;
  const north = Math.floor(((y - south) / SIZE) * LEAF_SIDE);
  return leafAt(inside(east), inside(north));
}
/** The same by the cell's column and row, of the x and y that stand at two places of an array. */
export function leafInCell(column: number, row: number, f64: Float64Array, x: number, y: number): number {
  const east = Math.floor((dx(tileWest(column, LIMITS.cellLevel), f64[x]!) / SIZE) * LEAF_SIDE);
  const south = tileNorth(row, LIMITS.cellLevel) - SIZE;
  const north = Math.floor(((f64[y]! - south) / SIZE) * LEAF_SIDE);
  return leafAt(inside(east), inside(north));
}
/** The same of a quantised place: 1/65536 of the cell from its west and south edge. */
export function leafOfQuantised(qx: number, qy: number): number {
  return leafAt(qx >> 13, qy >> 13);
}
function inside(v: number): number {
  return v < 0 ? 0 : v >= LEAF_SIDE ? LEAF_SIDE - 1 : v;
}

export function streamKey(cell: number, square: number, rate: number): number {
  return (square * CLASS_PLACES + rate) * CELL_NUMBERS + cell;
}
/** The same of a part from `cells[at]` to `out[0]`: passed on or returned, so large a number would be an object on the heap. */
export function putStreamKey(cells: Float64Array, at: number, part: number, out: Float64Array): void {
  out[0] = part * CELL_NUMBERS + cells[at]!;
}
export function cellOfKey(key: number): number {
  return key % CELL_NUMBERS;
}
export function squareOfKey(key: number): number {
  return Math.floor(Math.floor(key / CELL_NUMBERS) / CLASS_PLACES);
}
export function rateOfKey(key: number): number {
  return Math.floor(key / CELL_NUMBERS) % CLASS_PLACES;
}
/** Square and class as one number below 680; 0: a whole cell at class 0. Those of whole cells are below 8. */
export function partOfSquare(square: number, rate: number): number {
  return square * CLASS_PLACES + rate;
}
export function partOfKey(key: number): number {
  return Math.floor(key / CELL_NUMBERS);
}
export function keyOfPart(cell: number, part: number): number {
  return part * CELL_NUMBERS + cell;
}

/**
 * By which slow streams take turns: it grows by one from leaf to leaf towards east and north. So neighbours are shown
 * almost together, and who walks from one into the next seldom slips through between two turns; while those of a whole
 * view are spread over many frames.
 */
export function phaseOf(key: number): number {
  const cell = cellOfKey(key);
  const square = squareOfKey(key);
  const leaf = firstLeaf(square);
  const half = (LEAF_SIDE >> depthOf(square)) >> 1;
  const east = columnOfCell(cell) * LEAF_SIDE + leafColumn(leaf) + half;
  const north = (CELL_ROWS - 1 - rowOfCell(cell)) * LEAF_SIDE + leafRow(leaf) + half;
  return east + north;
}
