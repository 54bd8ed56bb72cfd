/**
 * The first cache line of every shared structure: written once by `create()` before the buffer is given to another
 * thread, read-only afterwards, so it needs no atomics.
 *
 * ```
 *  word   0       1         2 … 15
 *       ┌───────┬─────────┬──────────────────────────────┐
 *       │ magic │ version │ parameters of the structure  │  64 bytes
 *       └───────┴─────────┴──────────────────────────────┘
 * ```
 */
import { assert } from '../base/assert.js';

/** Bytes of the header line; also the cache line that protocol words are kept apart by. */
export const LINE = 64;

/** Version of every layout in this folder; one number, since all of them live and die with one process. */
export const LAYOUT_VERSION = 1;

/** Parameters start at this word. */
export const PARAMETERS = 2;

/** Four letters as an Int32, so that a hex dump names the structure. */
export function magicOf(name: string): number {
  assert(name.length === 4, 'a magic has four letters');
  return (
    name.charCodeAt(0) | (name.charCodeAt(1) << 8) | (name.charCodeAt(2) << 16) | (name.charCodeAt(3) << 24)
  );
}

/** Fills the header of a fresh buffer. @param parameters at most 14 Int32 */
export function writeHeader(i32: Int32Array, magic: number, parameters: readonly number[]): void {
  assert(parameters.length <= LINE / 4 - PARAMETERS, 'header parameters fit in one line');
  i32[0] = magic;
  i32[1] = LAYOUT_VERSION;
  for (let i = 0; i < parameters.length; i++) i32[PARAMETERS + i] = parameters[i];
}

/**
 * Checks that a buffer holds the structure that the caller expects.
 * @returns its words
 * @throws AssertionError when the buffer is too short, holds something else, or another version of it
 */
export function checkHeader(sab: SharedArrayBuffer, magic: number, name: string): Int32Array {
  assert(sab.byteLength >= LINE, `${name}: buffer shorter than its header`);
  const i32 = new Int32Array(sab);
  assert(i32[0] === magic, `${name}: wrong magic`);
  assert(i32[1] === LAYOUT_VERSION, `${name}: wrong layout version`);
  return i32;
}

/** Rounds up to a multiple of a power of two. */
export function roundUp(value: number, powerOfTwo: number): number {
  return Math.ceil(value / powerOfTwo) * powerOfTwo;
}

/** Whether a positive Int32 is a power of two. */
export function isPowerOfTwo(n: number): boolean {
  return n > 0 && (n & (n - 1)) === 0;
}
