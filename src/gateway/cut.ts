/**
 * Which squares a client is shown and how often: a cut of the quadtree through its view, fine and fast where it stands,
 * coarse and slow further out, such that the bytes a second stay within a budget. Pure.
 *
 * Everything is decided by rings: leaf squares (19.1 m) at the same distance, in leaves, from the client's own leaf. A
 * *reach* says up to which ring each rate class goes; whoever stands in the same leaf has the same cut, and one leaf
 * further only the rims of the rings differ. Nearest first: first everybody in view at the slowest class of which all
 * are sure, then ring after ring faster ones, until the next would cost more than there is.
 */
import { CLASSES, CLASS_FRAMES, SLOWEST } from '../base/rates.js';
import { LIMITS } from '../base/limits.js';
import { CELL_COLUMNS, cellsAround, columnOfCell, rowOfCell } from '../geo/cell.js';
import {
  LEAF_SIDE,
  WHOLE,
  cellOfKey,
  depthOf,
  firstLeaf,
  leafColumn,
  leafRow,
  partOf,
  rateOfKey,
  squareOfKey,
  streamKey,
} from '../geo/square.js';

const SIDE = LIMITS.viewCells;
/** Rings around a leaf in a view: it may stand at the edge of its cell. */
export const RINGS = ((SIDE + 1) / 2) * LEAF_SIDE;
const LAST = RINGS - 1;
/** Of one who moves: a move each time, now and then a full state (it came into the square). */
export const MOVER_BYTES = 18;
/** Of one frame without its content, and of its WebSocket frame. */
export const FRAME_BYTES = 104;
/** Share of the budget for the far ones where not even the slowest class is there for all. */
const FAR_SHARE = 0.6;

/** Who stands around a leaf, ring by ring. */
export interface Rings {
  /** Bytes a frame at class 0 that they cost, frames themselves not counted. */
  readonly bytes: Float64Array;
  /** Leaves with somebody in them. */
  readonly leaves: Float64Array;
}

/** By class: the last ring that it reaches, −1 = none; not falling. What lies beyond the last is in class 4. */
export type Reach = readonly [number, number, number, number];
export const EVERYTHING: Reach = [LAST, LAST, LAST, LAST];

export function isWhole(reach: Reach): boolean {
  return reach[0] === LAST;
}

export function classOf(reach: Reach, ring: number): number {
  for (let c = 0; c <= SLOWEST; c++) if (ring <= reach[c]!) return c;
  return CLASSES - 1;
}

/** Bytes a second. @param framesPerS of class 0 */
export function costOf(rings: Rings, reach: Reach, framesPerS: number): number {
  let cost = 0;
  let from = 0;
  for (let c = 0; c < CLASSES; c++) {
    const to = c <= SLOWEST ? reach[c]! : LAST;
    let bytes = 0;
    let leaves = 0;
    for (let k = from; k <= to; k++) {
      bytes += rings.bytes[k]!;
      leaves += rings.leaves[k]!;
    }
    // Leaves of a broad band grow together into larger squares.
    const width = to - from + 1;
    const frames = leaves / (width > LEAF_SIDE ? 24 : width > 2 ? 3 : 1);
    cost += ((bytes + frames * FRAME_BYTES) * framesPerS) / CLASS_FRAMES[c]!;
    from = Math.max(from, to + 1);
  }
  return cost;
}

/** The furthest reach that a budget allows. @param budget bytes a second */
export function chooseReach(rings: Rings, budget: number, framesPerS: number): Reach {
  const fits = (reach: Reach, share = 1) => costOf(rings, reach, framesPerS) <= budget * share;
  if (fits(EVERYTHING)) return EVERYTHING;
  let reach: Reach = [-1, -1, -1, LAST];
  while (reach[SLOWEST] >= 0 && !fits(reach, reach[SLOWEST] === LAST ? 1 : FAR_SHARE))
    reach = [-1, -1, -1, reach[SLOWEST] - 1];
  for (let round = 0; ; round++) {
    const before = reach;
    // Half the frame rate for the nearest, the full one for those before them, a fifth for twice as many rings.
    for (const [c, ring] of [
      [1, round],
      [0, round - 1],
      [2, 2 * round + 1],
    ] as const) {
      for (let next = further(reach, c); next[c]! <= Math.min(ring, LAST); next = further(reach, c)) {
        if (next === reach || !fits(next)) break;
        reach = next;
      }
    }
    if (before === reach && round > 0) return reach;
  }
}

/** One ring more for a class, and for the slower ones where they have to make room. */
function further(reach: Reach, c: number): Reach {
  const ring = reach[c]! + 1;
  return reach.map((last, i) => (i >= c ? Math.max(last, ring) : last)) as unknown as Reach;
}

/**
 * The stream keys of a cut, nearest first; every place in view in exactly one of them.
 * @param leaf of the centre cell
 */
export function cutAround(centre: number, leaf: number, reach: Reach): number[] {
  const around = new Float64Array(SIDE * SIDE);
  const cells = cellsAround(centre, SIDE, around);
  const found: { key: number; ring: number }[] = [];
  for (let i = 0; i < cells; i++) {
    const cell = around[i]!;
    const corner = cornerFrom(centre, leaf, cell);
    cut(cell, WHOLE, corner.x, corner.y, reach, found);
  }
  return found.sort((a, b) => a.ring - b.ring).map(({ key }) => key);
}

function cut(
  cell: number,
  square: number,
  x: number,
  y: number,
  reach: Reach,
  found: { key: number; ring: number }[],
): void {
  const side = LEAF_SIDE >> depthOf(square);
  const near = Math.max(nearest(x, side), nearest(y, side));
  const far = Math.max(farthest(x, side), farthest(y, side));
  const rate = classOf(reach, near);
  if (rate === classOf(reach, far)) {
    found.push({ key: streamKey(cell, square, rate), ring: near });
    return;
  }
  const half = side >> 1;
  for (let q = 0; q < 4; q++)
    cut(cell, partOf(square, q), x + (q & 1) * half, y + (q >> 1) * half, reach, found);
}

/** From a leaf to the leaves `from` … `from + side − 1` along one axis. */
function nearest(from: number, side: number): number {
  return from > 0 ? from : from + side <= 0 ? 1 - from - side : 0;
}
function farthest(from: number, side: number): number {
  return Math.max(Math.abs(from), Math.abs(from + side - 1));
}

/** Leaves from the client's own to the south-western one of a cell: east, north. */
function cornerFrom(centre: number, leaf: number, cell: number): { x: number; y: number } {
  let columns = columnOfCell(cell) - columnOfCell(centre);
  if (columns > CELL_COLUMNS / 2) columns -= CELL_COLUMNS;
  else if (columns < -CELL_COLUMNS / 2) columns += CELL_COLUMNS;
  const rows = rowOfCell(centre) - rowOfCell(cell); // rows count from the north
  return { x: columns * LEAF_SIDE - leafColumn(leaf), y: rows * LEAF_SIDE - leafRow(leaf) };
}

/** Entities of a square that are told at once: what holds more comes in parts, each with a key frame of its own. */
export const MOST_AT_ONCE = 384;

/** What stands in a cell: all, and by leaf. */
export interface Standing {
  readonly total: number;
  readonly entities: ArrayLike<number>;
}

/** The same squares in their order, those in which too many stand in parts. */
export function inParts(keys: readonly number[], standingIn: (cell: number) => Standing): number[] {
  return keys.flatMap((key) => {
    const cell = cellOfKey(key);
    const squares = squaresWithin(squareOfKey(key), standingIn(cell));
    return squares.map((square) => streamKey(cell, square, rateOfKey(key)));
  });
}

function squaresWithin(square: number, standing: Standing): number[] {
  const isLeaf = LEAF_SIDE >> depthOf(square) === 1;
  if (isLeaf || numberIn(square, standing) <= MOST_AT_ONCE) return [square];
  return [0, 1, 2, 3].flatMap((q) => squaresWithin(partOf(square, q), standing));
}

/** Whether some square holds more than twice what is told at once, and could be cut. */
export function isCrowded(keys: readonly number[], standingIn: (cell: number) => Standing): boolean {
  return keys.some((key) => {
    const square = squareOfKey(key);
    if (LEAF_SIDE >> depthOf(square) === 1) return false;
    return numberIn(square, standingIn(cellOfKey(key))) > 2 * MOST_AT_ONCE;
  });
}

function numberIn(square: number, { total, entities }: Standing): number {
  return square === WHOLE || total <= MOST_AT_ONCE ? total : entitiesIn(square, entities);
}

/** What one cell of the view weighs, by leaf: bytes a frame at class 0, entities. */
export interface Weights {
  readonly bytes: ArrayLike<number>;
}

/** Adds a cell of the view to the rings around a leaf. */
export function addToRings(rings: Rings, centre: number, leaf: number, cell: number, weights: Weights): void {
  const corner = cornerFrom(centre, leaf, cell);
  for (let i = 0; i < LEAF_SIDE * LEAF_SIDE; i++) {
    const bytes = weights.bytes[i]!;
    if (bytes === 0) continue;
    const ring = Math.max(Math.abs(corner.x + leafColumn(i)), Math.abs(corner.y + leafRow(i)));
    rings.bytes[ring]! += bytes;
    rings.leaves[ring]!++;
  }
}

/** Entities in a square, of those by leaf. */
export function entitiesIn(square: number, byLeaf: ArrayLike<number>): number {
  const first = firstLeaf(square);
  const end = first + (LEAF_SIDE * LEAF_SIDE) / 4 ** depthOf(square);
  let sum = 0;
  for (let leaf = first; leaf < end; leaf++) sum += byLeaf[leaf]!;
  return sum;
}
