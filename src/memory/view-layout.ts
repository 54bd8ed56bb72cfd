/** Where things stand in a view (view.ts has the drawing): words of a buffer's head and of a cell, bytes of a row. */
import { LINE } from './header.js';

export const CELL_BYTES = 32;

/** Words of a buffer's head. */
export const BUFFER = { tick: 0, publisher: 1, cells: 2, rows: 3, stamp: 4, placed: 5 } as const;
/** Words of a cell. */
export const CELL = { start: 2, count: 3, lastSeq: 4, filled: 5 } as const;

/** Bytes of a row. */
export const ROW_BYTES = 64;
/** Byte offsets in a row. */
export const ROW = {
  id: 0, // f64
  x: 8, // f64 m
  y: 16, // f64 m
  vx: 24, // f32 m/s
  vy: 28, // f32 m/s
  pub0: 32, // u32: public columns of the game
  pub1: 36, // u32
  slot: 40, // i32
  epoch: 44, // u32
  kind: 48, // u16
  flags: 50, // u16
} as const;

/** Places of the hash for so many cells, a power of two. */
export function hashPlaces(cells: number): number {
  return 2 ** Math.ceil(Math.log2(cells * 2));
}

/** Bytes of one of the two buffers. */
export function bytesOfBuffer(rows: number, cells: number): number {
  return LINE + hashPlaces(cells) * 8 + cells * CELL_BYTES + rows * ROW_BYTES;
}

/** Hash of the cell's number at a place of an array. */
export function hashAt(numbers: Float64Array, at: number): number {
  const cell = numbers[at];
  const h = Math.imul((cell >>> 0) ^ Math.imul((cell / 4294967296) >>> 0, 0x9e3779b1), 0x85ebca6b);
  return h ^ (h >>> 15);
}
