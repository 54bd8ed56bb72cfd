/**
 * Tiles that newcomers must wait for: written by the main thread, read by every gateway at any time, nobody waits.
 *
 * ```
 *  64 B      Int32     places × 2 Int32
 * ┌────────┬─────────┬─────────────────────────────────────────────────────┐
 * │ header │ count   │ base tile, bit p for the square of path p; …         │
 * └────────┴─────────┴─────────────────────────────────────────────────────┘
 * ```
 * A hint: who reads in the middle of a change lets a newcomer in a moment too early, or looks again a moment later.
 */
import { LINE, checkHeader, magicOf, writeHeader } from './header.js';

const MAGIC = magicOf('BMad');
const COUNT = LINE >> 2;
const FIRST = COUNT + 1;
/** More tiles than may be split at a time; what exceeds it lets newcomers in. */
export const ADMISSION_PLACES = 16;

export class Admission {
  private readonly i32: Int32Array;

  private constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'admission');
  }

  static create(): Admission {
    const sab = new SharedArrayBuffer(LINE + 4 + ADMISSION_PLACES * 8);
    writeHeader(new Int32Array(sab), MAGIC, []);
    return new Admission(sab);
  }

  /** @throws AssertionError when the buffer is not one of this version */
  static from(sab: SharedArrayBuffer): Admission {
    return new Admission(sab);
  }

  /** Main thread: these tiles and no others. */
  set(tiles: readonly { readonly tile: number; readonly squares: number }[]): void {
    const count = Math.min(tiles.length, ADMISSION_PLACES);
    for (let i = 0; i < count; i++) {
      Atomics.store(this.i32, FIRST + 2 * i, tiles[i].tile);
      Atomics.store(this.i32, FIRST + 2 * i + 1, tiles[i].squares);
    }
    Atomics.store(this.i32, COUNT, count);
  }

  /** Whether nobody has to wait anywhere. */
  get isOpen(): boolean {
    return Atomics.load(this.i32, COUNT) === 0;
  }

  /** Whether newcomers to a square wait. @param path of the square in its base tile */
  waits(tile: number, path: number): boolean {
    for (let i = Atomics.load(this.i32, COUNT) - 1; i >= 0; i--) {
      if (Atomics.load(this.i32, FIRST + 2 * i) !== tile) continue;
      if ((Atomics.load(this.i32, FIRST + 2 * i + 1) & (1 << path)) !== 0) return true;
    }
    return false;
  }
}
