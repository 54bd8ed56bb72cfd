/**
 * What a client is shown beyond its near view: rings of whole cells, each ring at a slow class, nearest first, from the
 * bytes that its near squares leave over. Pure.
 *
 * Nothing here is ever faster than what is nearer, near squares included. A far cell that does not fit at its class comes
 * slower; if that is too much as well, it and all beyond it are not shown. Only the cells of a crowd come in parts, so
 * that no key frame is larger than what a client can be sent at once.
 */
import { CLASS_FRAMES, SLOWEST } from '../base/rates.js';
import { LIMITS } from '../base/limits.js';
import { CELL_COLUMNS, cellsAround, columnOfCell, rowOfCell } from '../geo/cell.js';
import { SQUARE_DEPTH, WHOLE, partOf, streamKey } from '../geo/square.js';
import { FRAME_BYTES, entitiesIn } from './cut.js';

const NEAR_RINGS = (LIMITS.viewCells - 1) / 2;
/** Class of the first ring behind the near view; those behind it are at the slowest. */
export const FIRST_CLASS = 2;
/** Entities of a key frame: a part with more is cut, four parts are one again when they hold fewer. */
const MOST_IN_PART = 400;
const FEW_IN_PART = 200;

/** What stands in a cell (crowds.ts). */
export interface Weight {
  readonly total: number;
  readonly entities: ArrayLike<number>;
  /** Bytes a frame at class 0. */
  readonly allBytes: number;
}

/** Cells, nearest first, and how many cells each lies from the middle one. */
export interface FarCells {
  readonly cells: Float64Array;
  readonly rings: Uint8Array;
}

export interface Served {
  readonly rate: number;
  /** How often the cell is cut in two along each axis. */
  readonly depth: number;
}

/** Each of the few that there are, once: of thousands of places. By rate and depth. */
const SERVED: readonly (readonly Served[])[] = Array.from({ length: SLOWEST + 1 }, (_, rate) =>
  Array.from({ length: SQUARE_DEPTH + 1 }, (__, depth) => ({ rate, depth })),
);

export interface FarPlan {
  /** Stream keys, nearest first. */
  readonly keys: readonly number[];
  readonly set: ReadonlySet<number>;
  /** The cells that are shown; the same in the order in which they were given. */
  readonly cells: ReadonlyMap<number, Served>;
  readonly served: readonly Served[];
}

export const NO_FAR: FarPlan = { keys: [], set: new Set(), cells: new Map(), served: [] };

/** Bytes a second that there are: for what is shown as it was, and for what is new. */
export interface Room {
  readonly kept: number;
  readonly added: number;
}

/** Slowest of what a ring is shown at while there is room. */
export function classOfRing(ring: number): number {
  return ring <= NEAR_RINGS ? 0 : ring === NEAR_RINGS + 1 ? FIRST_CLASS : SLOWEST;
}

/** What clients are told: ticks from frame to frame in each ring beyond the near view. @param ticks of a frame */
export function farIntervals(side: number, ticks: number): number[] {
  const rings = (side >> 1) - NEAR_RINGS;
  return Array.from({ length: rings }, (_, i) => CLASS_FRAMES[classOfRing(NEAR_RINGS + 1 + i)]! * ticks);
}

/** Cells between two, along both axes. */
function apart(a: number, b: number): { across: number; along: number } {
  const columns = Math.abs(columnOfCell(a) - columnOfCell(b));
  return { across: Math.min(columns, CELL_COLUMNS - columns), along: Math.abs(rowOfCell(a) - rowOfCell(b)) };
}

/** Whether a cell lies in the far square around another. @param side in cells, odd */
export function isInFarView(centre: number, cell: number, side: number): boolean {
  const { across, along } = apart(centre, cell);
  return Math.max(across, along) <= side >> 1;
}

/** The cells of the far square around a cell that are not in its near view. @param side in cells, odd */
export function farCells(centre: number, side: number): FarCells {
  const around = new Float64Array(side * side);
  const found: { cell: number; ring: number; sum: number }[] = [];
  for (const cell of around.subarray(0, cellsAround(centre, side, around))) {
    const { across, along } = apart(centre, cell);
    const ring = Math.max(across, along);
    if (ring > NEAR_RINGS) found.push({ cell, ring, sum: across + along });
  }
  found.sort((a, b) => a.ring - b.ring || a.sum - b.sum);
  return {
    cells: Float64Array.from(found, ({ cell }) => cell),
    rings: Uint8Array.from(found, ({ ring }) => ring),
  };
}

/** Bytes a second. @param framesPerS of class 0 */
export function costOfFar({ allBytes }: Weight, rate: number, depth: number, framesPerS: number): number {
  return allBytes === 0 ? 0 : ((allBytes + 4 ** depth * FRAME_BYTES) * framesPerS) / CLASS_FRAMES[rate]!;
}

/**
 * @param far what there is @param weights of these cells, in their order
 * @param floor slowest class of the near view: nothing here is faster
 * @param known what was shown of the same cells until now; it is returned if it stays as it is
 */
export function chooseFar(
  far: FarCells,
  weights: readonly Weight[],
  room: Room,
  floor: number,
  framesPerS: number,
  known: FarPlan,
): FarPlan {
  const chosen: Served[] = [];
  let cost = 0;
  let least = floor;
  let isSame = true;
  const { cells, rings } = far;
  for (let i = 0; i < cells.length; i++) {
    const weight = weights[i]!;
    const before = known.served[i];
    const depth = depthFor(weight, before?.depth);
    let rate = Math.max(least, classOfRing(rings[i]!));
    for (; rate <= SLOWEST; rate++) {
      const bytes = costOfFar(weight, rate, depth, framesPerS);
      const isKept = before !== undefined && before.rate <= rate;
      if (cost + bytes > (isKept ? room.kept : room.added)) continue;
      cost += bytes;
      break;
    }
    if (rate > SLOWEST) break;
    least = rate;
    const served = SERVED[rate]![depth]!;
    isSame &&= served === before;
    chosen.push(served);
  }
  return isSame && chosen.length === known.served.length ? known : planOf(cells, chosen);
}

/** How finely a cell has to be cut; as it was, while that is good enough. */
function depthFor(weight: Weight, before: number | undefined): number {
  let depth = 0;
  while (depth < SQUARE_DEPTH && most(weight, depth) > MOST_IN_PART) depth++;
  if (before === undefined || before <= depth) return depth;
  return most(weight, before - 1) > FEW_IN_PART ? before : depth;
}

/** Entities of the fullest square of a depth. */
function most(weight: Weight, depth: number): number {
  if (weight.total <= FEW_IN_PART || depth === 0) return weight.total;
  return Math.max(...partsOf(depth).map((square) => entitiesIn(square, weight.entities)));
}

function partsOf(depth: number): number[] {
  let squares: number[] = [WHOLE];
  for (let d = 0; d < depth; d++) squares = squares.flatMap((s) => [0, 1, 2, 3].map((q) => partOf(s, q)));
  return squares;
}

/** @param chosen of the first cells, in their order */
function planOf(cells: Float64Array, chosen: readonly Served[]): FarPlan {
  const served = new Map(chosen.map((one, i) => [cells[i]!, one]));
  const keys = [...served].flatMap(([cell, { rate, depth }]) =>
    partsOf(depth).map((square) => streamKey(cell, square, rate)),
  );
  return { keys, set: new Set(keys), cells: served, served: chosen };
}
