/**
 * A ring of records of varying length for one producer thread and one consumer thread; neither ever blocks or waits, a
 * full ring is told to the producer, an empty one to the consumer.
 *
 * ```
 *  64 B      64 B    64 B    ring of 2^n bytes
 * ┌────────┬───────┬───────┬─────────────────────────────────────────────────────────────┐
 * │ header │ tail  │ head  │  … │ record │ record │ free … │ record │ SKIP to the start   │
 * └────────┴───────┴───────┴─────────────────────────────────────────────────────────────┘
 *
 *  record, 8-byte aligned, never split by the end of the ring:
 *   +0 length of the body   +4 seven words of the caller   +32 body …
 * ```
 * Counters count bytes, run freely through all Int32 values (the ring's length divides 2^32), and are only ever
 * compared by their difference |0; each side reads its own plainly, since nobody else writes it. A record is at most half the ring, so that it fits behind a skip sooner or later.
 * Order: record first, then tail (release); swapped, the consumer reads bytes not yet written. Reads first, then head;
 * swapped, the producer overwrites what is being read.
 * Death of the producer between reserve and commit: the record (and a skip before it) was never there. Death of the
 * consumer between next and release: the record is seen again. Replacements attach with `from()`.
 */
import { assert } from '../base/assert.js';
import { LINE, PARAMETERS, checkHeader, isPowerOfTwo, magicOf, writeHeader } from './header.js';

const MAGIC = magicOf('BMby');
const TAIL = LINE >> 2;
const HEAD = (2 * LINE) >> 2;
const FIRST = 3 * LINE;
const SKIP = -1;

/** Bytes before a record's body: its length and seven words of the caller. */
export const RECORD_HEADER_BYTES = 32;

export class ByteRing {
  readonly bytes: number;
  /** Longest body that `reserve` accepts. */
  readonly maxBody: number;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  private readonly mask: number;
  private fromStart = false;
  private seenHead: number;
  private seenTail: number;
  /** Counter at which the reserved record starts (behind a skip, if there is one). */
  private reserved = 0;

  private constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'byte ring');
    this.u32 = new Uint32Array(sab);
    this.f64 = new Float64Array(sab);
    this.u8 = new Uint8Array(sab);
    this.bytes = this.i32[PARAMETERS];
    this.mask = this.bytes - 1;
    this.maxBody = (this.bytes >> 1) - RECORD_HEADER_BYTES;
    this.seenHead = Atomics.load(this.i32, HEAD);
    this.seenTail = Atomics.load(this.i32, TAIL);
  }

  /**
   * @param bytes length of the ring: power of two, 128 … 2^30
   * @param start first value of both counters, a multiple of 8 (tests begin near their wrap)
   */
  static create(bytes: number, start = 0): ByteRing {
    assert(isPowerOfTwo(bytes) && bytes >= 128 && bytes <= 2 ** 30, 'byte ring: length is a power of two');
    assert((start & 7) === 0, 'byte ring: records are 8-byte aligned');
    const sab = new SharedArrayBuffer(FIRST + bytes);
    const i32 = new Int32Array(sab);
    writeHeader(i32, MAGIC, [bytes]);
    i32[TAIL] = start;
    i32[HEAD] = start;
    return new ByteRing(sab);
  }

  /** @throws AssertionError when the buffer is not a byte ring of this version */
  static from(sab: SharedArrayBuffer): ByteRing {
    return new ByteRing(sab);
  }

  /**
   * Producer: makes room for a record whose body has at most `body` bytes. Its caller's words are at offset + 4 … + 31,
   * its body starts at offset + RECORD_HEADER_BYTES. Nothing is shown before `commit`; a second reserve replaces the first.
   * @returns byte offset of the record, or −1 when the ring is too full now
   */
  reserve(body: number): number {
    assert(body >= 0 && body <= this.maxBody, 'I7: a record is at most half its ring');
    const need = (RECORD_HEADER_BYTES + body + 7) & ~7;
    const tail = this.i32[TAIL];
    const toEnd = this.bytes - (tail & this.mask);
    const again = this.fromStart && need <= (tail & this.mask);
    const skip = need > toEnd || again ? toEnd : 0;
    if (((tail - this.seenHead) | 0) + skip + need > this.bytes) {
      this.seenHead = Atomics.load(this.i32, HEAD);
      if (((tail - this.seenHead) | 0) + skip + need > this.bytes) return -1;
    }
    if (skip > 0) this.i32[(FIRST + (tail & this.mask)) >> 2] = SKIP;
    this.reserved = (tail + skip) | 0;
    return FIRST + (this.reserved & this.mask);
  }

  /** Producer: shows the reserved record. @param body its bytes, at most what was reserved */
  commit(body: number): void {
    this.fromStart = false;
    this.i32[(FIRST + (this.reserved & this.mask)) >> 2] = body;
    // One store shows skip and record together; shown alone, the skip would do no harm.
    Atomics.store(this.i32, TAIL, (this.reserved + ((RECORD_HEADER_BYTES + body + 7) & ~7)) | 0);
  }

  /**
   * Producer: if all was read, and the way to the end is the shorter half, the next record stands at the ring's start: a
   * large ring touches little more than it needs. What is skipped is full until the consumer has passed it, so a longer
   * way would leave no room for what follows.
   */
  rewind(): void {
    const tail = this.i32[TAIL];
    this.fromStart = Atomics.load(this.i32, HEAD) === tail && (tail & this.mask) >= this.bytes >> 1;
  }

  /** Consumer: byte offset of the oldest record, or −1 when there is none. The same one until `release`. */
  next(): number {
    let head = this.i32[HEAD];
    if (((this.seenTail - head) | 0) <= 0) {
      this.seenTail = Atomics.load(this.i32, TAIL);
      if (head === this.seenTail) return -1;
    }
    if (this.i32[(FIRST + (head & this.mask)) >> 2] === SKIP) {
      head = (head + this.bytes - (head & this.mask)) | 0;
      Atomics.store(this.i32, HEAD, head);
    }
    return FIRST + (head & this.mask);
  }

  /** Consumer: what has been committed so far, for `isPast`. */
  get end(): number {
    return Atomics.load(this.i32, TAIL);
  }
  /** Consumer: whether all that had been committed at this end is given back. */
  isPast(end: number): boolean {
    return ((end - this.i32[HEAD]) | 0) <= 0;
  }

  /** Bytes of the body of the record at a byte offset. */
  length(offset: number): number {
    return this.i32[offset >> 2];
  }

  /** Consumer: gives back the record that `next` returned; its bytes must not be read any more. */
  release(): void {
    const head = this.i32[HEAD];
    const body = this.i32[(FIRST + (head & this.mask)) >> 2];
    Atomics.store(this.i32, HEAD, (head + ((RECORD_HEADER_BYTES + body + 7) & ~7)) | 0);
  }

  /** Bytes between head and tail, skips included. */
  used(): number {
    return (Atomics.load(this.i32, TAIL) - Atomics.load(this.i32, HEAD)) | 0;
  }
}
