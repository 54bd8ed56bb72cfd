/**
 * Which of a base tile's natural content is as `populate` makes it: it follows from (world seed, tile), so it is stored
 * nowhere, and made anew when it is wanted. By base tile, written by the shard that owns the tile or the entity, read by
 * whoever populates.
 *
 * ```
 *  64 B      5 Int32 a base tile
 * ┌────────┬───────┬──────────┬──────────┐
 * │ header │ state │ taken × 2│ made × 2 │ × tiles        a bit for each spawn of `populate`, in its order
 * └────────┴───────┴──────────┴──────────┘
 *  state   WHOLE    stored as a whole, or nothing made in this process      taken   has a life of its own: never made again
 *          ALIVE    made, and can be made again                             made    was made when the tile woke
 *          t > 0    its untouched content is removed with the commit of tick t
 * ```
 * Order of a touch: the bit of `taken`, then the commit. A death in between leaves a bit of somebody who is untouched
 * again: it is stored then, which is harmless; swapped, it would be made a second time (I2).
 * Bits are set by atomic OR: entities of one tile that is split have several owners. Only tiles that were ever woken
 * cost memory.
 */
import { assert } from '../base/assert.js';
import { LINE, PARAMETERS, checkHeader, magicOf, writeHeader } from './header.js';

const MAGIC = magicOf('BMna');
const FIRST = LINE >> 2;
const WORDS = 5;
const TAKEN = 1;
const MADE = 3;

/** Spawns of one tile's `populate` that can be told apart; a tile with more is stored as a whole. */
export const NATURE_PLACES = 64;
export const NATURE_STATE = { WHOLE: 0, ALIVE: -1 } as const;

export class Nature {
  private readonly i32: Int32Array;

  private constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'nature');
    assert(sab.byteLength === (FIRST + this.i32[PARAMETERS] * WORDS) * 4, 'nature: length fits its tiles');
  }

  /** @param tiles base tiles of the world */
  static create(tiles: number): Nature {
    assert(FIRST + tiles * WORDS < 2 ** 30, 'nature: offsets are Int32');
    const sab = new SharedArrayBuffer((FIRST + tiles * WORDS) * 4);
    writeHeader(new Int32Array(sab), MAGIC, [tiles]);
    return new Nature(sab);
  }

  /** @throws AssertionError when the buffer is not one of this version */
  static from(sab: SharedArrayBuffer): Nature {
    return new Nature(sab);
  }

  /** NATURE_STATE, or the tick in which the tile's untouched content is removed. */
  state(tile: number): number {
    return Atomics.load(this.i32, FIRST + tile * WORDS);
  }
  setState(tile: number, state: number): void {
    Atomics.store(this.i32, FIRST + tile * WORDS, state);
  }

  /** Whoever populates, or has removed it: nothing of this tile is made. */
  begin(tile: number): void {
    const at = FIRST + tile * WORDS + MADE;
    Atomics.store(this.i32, at, 0);
    Atomics.store(this.i32, at + 1, 0);
  }
  /** Spawn number `index` stands in the world, untouched. */
  made(tile: number, index: number): void {
    Atomics.or(this.i32, FIRST + tile * WORDS + MADE + (index >> 5), 1 << (index & 31));
  }

  /** Its owner: spawn number `index` is stored from here on, or gone for ever. */
  take(tile: number, index: number): void {
    Atomics.or(this.i32, FIRST + tile * WORDS + TAKEN + (index >> 5), 1 << (index & 31));
  }
  isTaken(tile: number, index: number): boolean {
    return (Atomics.load(this.i32, FIRST + tile * WORDS + TAKEN + (index >> 5)) & (1 << (index & 31))) !== 0;
  }

  /** How many of what was made are untouched: so many have to be there before they may be made again. */
  untouched(tile: number): number {
    const at = FIRST + tile * WORDS;
    let count = 0;
    for (let word = 0; word < 2; word++)
      count += bits(Atomics.load(this.i32, at + MADE + word) & ~Atomics.load(this.i32, at + TAKEN + word));
    return count;
  }
}

function bits(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** What a record says of where it comes from (HOT.origin): spawn `index` of a base tile. 0 = no natural content. */
export function originOf(tile: number, index: number): number {
  return tile * NATURE_PLACES + index + 1;
}
export function tileOfOrigin(origin: number): number {
  return Math.floor((origin - 1) / NATURE_PLACES);
}
export function indexOfOrigin(origin: number): number {
  return (origin - 1) % NATURE_PLACES;
}
