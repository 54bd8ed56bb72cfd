/**
 * The journal of transfers of one shard number: the newest lines about items that changed hands. Written by the shard's
 * thread alone, inside its tick; read by any thread; nobody waits, the oldest lines are overwritten.
 *
 * ```
 *  64 B      64 B               64 B each
 * ┌────────┬──────────────────┬──────┬──────┬───────┐
 * │ header │ written, told    │ line │ line │ … 2^n │      line number i lies in place i & (places − 1)
 * └────────┴──────────────────┴──────┴──────┴───────┘
 *
 *  line   0 source   8 from   16 to   24 counter   28 tick   32 item   36 count   40 how   44 kinds   48 its number
 * ```
 * A line of tick k is part of tick k: readers take it once k is committed, and a replacement takes back those of a tick
 * that was not (`rollBack`), so the journal says what happened, each thing once. Order of a push: line, then `written`;
 * swapped, a reader sees an old line under a new number. A reader copies a line and looks at `written` again: a line
 * less than a whole ring behind it was not touched meanwhile. The number in the line tells of one that was overwritten by
 * a later line which then was taken back.
 */
import { assert } from '../base/assert.js';
import { fence } from './fence.js';
import { LINE, PARAMETERS, checkHeader, isPowerOfTwo, magicOf, writeHeader } from './header.js';

const MAGIC = magicOf('BMtr');
const WRITTEN = LINE >> 2;
const TOLD = WRITTEN + 1;
const FIRST = 2 * LINE;
const LINE_BYTES = 64;
export const TRANSFER_PLACES = 4096;

/** How a line came about. */
export const HOW = {
  /** Both in one shard, in one tick. */
  direct: 1,
  /** By a message that was accepted. */
  message: 2,
  /** No transfer: `to` was found with `count` more (or fewer) than its shard had noted. */
  difference: 3,
} as const;
export const NO_KIND = 0xffff;

/** One line. (source, counter) is unique for ever; `fromKind`, `toKind` are entity kinds, NO_KIND = not known. */
export interface Transfer {
  source: number;
  counter: number;
  from: number;
  to: number;
  item: number;
  count: number;
  tick: number;
  how: number;
  fromKind: number;
  toKind: number;
}

export class TransferRing {
  readonly places: number;
  private readonly i32: Int32Array;
  private readonly u32: Uint32Array;
  private readonly u16: Uint16Array;
  private readonly f64: Float64Array;
  private readonly line: Transfer = {
    source: 0,
    counter: 0,
    from: 0,
    to: 0,
    item: 0,
    count: 0,
    tick: 0,
    how: 0,
    fromKind: 0,
    toKind: 0,
  };

  private constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'transfer ring');
    this.u32 = new Uint32Array(sab);
    this.u16 = new Uint16Array(sab);
    this.f64 = new Float64Array(sab);
    this.places = this.i32[PARAMETERS];
  }

  /** @param places power of two; @param start number of the first line (tests begin near the wrap) */
  static create(places: number = TRANSFER_PLACES, start = 0): TransferRing {
    assert(isPowerOfTwo(places), 'transfer ring: places are masked');
    const sab = new SharedArrayBuffer(FIRST + places * LINE_BYTES);
    const i32 = new Int32Array(sab);
    writeHeader(i32, MAGIC, [places, start]);
    i32[WRITTEN] = start;
    i32[TOLD] = start;
    return new TransferRing(sab);
  }

  /** @throws AssertionError when the buffer is not a transfer ring of this version */
  static from(sab: SharedArrayBuffer): TransferRing {
    return new TransferRing(sab);
  }

  /** Number of the next line; a cursor to begin with. */
  get written(): number {
    return Atomics.load(this.i32, WRITTEN);
  }

  /** Shard: number of the first line that the store was not told yet. It outlives the thread. */
  get told(): number {
    return Atomics.load(this.i32, TOLD);
  }
  set told(number: number) {
    Atomics.store(this.i32, TOLD, number);
  }

  /** Number of the oldest line that may still be there. */
  get oldest(): number {
    const start = this.i32[PARAMETERS + 1];
    const { written } = this;
    return ((written - start) | 0) > this.places - 1 ? (written - this.places + 1) | 0 : start;
  }

  /** Shard: adds a line. Allocates nothing. */
  push(
    source: number,
    counter: number,
    from: number,
    to: number,
    item: number,
    count: number,
    tick: number,
    how: number,
    fromKind: number,
    toKind: number,
  ): void {
    const number = this.i32[WRITTEN];
    const at = this.byteOf(number);
    this.f64[at >> 3] = source;
    this.f64[(at + 8) >> 3] = from;
    this.f64[(at + 16) >> 3] = to;
    this.u32[(at + 24) >> 2] = counter;
    this.i32[(at + 28) >> 2] = tick;
    this.i32[(at + 32) >> 2] = item;
    this.i32[(at + 36) >> 2] = count;
    this.i32[(at + 40) >> 2] = how;
    this.u16[(at + 44) >> 1] = fromKind;
    this.u16[(at + 46) >> 1] = toKind;
    this.i32[(at + 48) >> 2] = number;
    Atomics.store(this.i32, WRITTEN, (number + 1) | 0);
  }

  /** Shard: takes back the latest line; its tick is not committed, so nobody has read it. */
  takeBack(): void {
    Atomics.store(this.i32, WRITTEN, (this.i32[WRITTEN] - 1) | 0);
  }

  /** Replacement, before its first tick: takes back the lines of ticks that were not committed. */
  rollBack(committedTick: number): void {
    const oldest = this.oldest;
    let number = this.i32[WRITTEN];
    for (; number !== oldest; number = (number - 1) | 0) {
      const before = (number - 1) | 0;
      const at = this.byteOf(before);
      // One that an earlier, longer tick has overwritten before it was taken back: whoever read it stands behind it.
      if (this.i32[(at + 48) >> 2] !== before || this.i32[(at + 28) >> 2] <= committedTick) break;
    }
    Atomics.store(this.i32, WRITTEN, number);
  }

  /**
   * Any thread: the lines from number `cursor` on whose tick is committed, in order; overwritten ones are left out.
   * @param take is given the same object each time; false: no more now, this one again the next time
   * @returns the cursor for the next call
   */
  read(cursor: number, committedTick: number, take: (line: Transfer) => boolean | void): number {
    let number = ((cursor - this.oldest) | 0) < 0 ? this.oldest : cursor;
    for (; ((number - this.written) | 0) < 0; number = (number + 1) | 0) {
      const line = this.lineAt(number);
      const isThis = this.i32[(this.byteOf(number) + 48) >> 2] === number;
      fence();
      if (!isThis || ((this.written - number) | 0) >= this.places) continue; // overwritten, before or just now
      if (line.tick > committedTick) break;
      if (take(line) === false) break;
    }
    return number;
  }

  private lineAt(number: number): Transfer {
    const at = this.byteOf(number);
    const { line } = this;
    line.source = this.f64[at >> 3];
    line.from = this.f64[(at + 8) >> 3];
    line.to = this.f64[(at + 16) >> 3];
    line.counter = this.u32[(at + 24) >> 2];
    line.tick = this.i32[(at + 28) >> 2];
    line.item = this.i32[(at + 32) >> 2];
    line.count = this.i32[(at + 36) >> 2];
    line.how = this.i32[(at + 40) >> 2];
    line.fromKind = this.u16[(at + 44) >> 1];
    line.toKind = this.u16[(at + 46) >> 1];
    return line;
  }

  private byteOf(number: number): number {
    return FIRST + (number & (this.places - 1)) * LINE_BYTES;
  }
}
