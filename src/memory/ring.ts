/**
 * A ring of fixed entries for one producer thread and one consumer thread; neither ever blocks or waits, a full ring is
 * told to the producer, an empty one to the consumer.
 *
 * ```
 *  64 B      64 B    64 B    entry 0      entry 1            entry places − 1
 * ┌────────┬───────┬───────┬────────────┬────────────┬─────┬────────────┐
 * │ header │ tail  │ head  │ entryWords │            │  …  │            │   place = counter & (places − 1)
 * └────────┴───────┴───────┴────────────┴────────────┴─────┴────────────┘
 *            ▲       ▲
 *  producer stores   consumer stores: each on its own cache line
 * ```
 * Counters run freely through all Int32 values and are only ever compared by their difference |0. Each side reads its
 * own counter plainly: nobody else writes it (an atomic access is a call of 5 to 9 ns in V8, a plain one is none).
 * Order: the producer fills the entry, then stores tail (release); swapped, the consumer reads an entry not yet
 * written. The consumer reads the entry, then stores head; swapped, the producer overwrites what is being read. Both
 * stores are releases of accesses before them, so neither needs a full fence.
 * Death of the producer between offer and commit: the entry was never there. Death of the consumer between peek and
 * advance: the entry is seen again, so consuming must be repeatable. Their replacements attach with `from()`; nothing
 * needs mending. A replacement starts only after the dead thread's exit.
 */
import { assert } from '../base/assert.js';
import { LINE, PARAMETERS, checkHeader, isPowerOfTwo, magicOf, roundUp, writeHeader } from './header.js';

const MAGIC = magicOf('BMrg');
const TAIL = LINE >> 2;
const HEAD = (2 * LINE) >> 2;
const FIRST = 3 * LINE;

export class SpscRing {
  readonly places: number;
  readonly entryBytes: number;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  private readonly mask: number;
  /** The other side's counter as last seen: saves a read of its cache line. Too old is safe. */
  private seenHead: number;
  private seenTail: number;

  private constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'ring');
    this.u32 = new Uint32Array(sab);
    this.f32 = new Float32Array(sab);
    this.f64 = new Float64Array(sab);
    this.u8 = new Uint8Array(sab);
    this.u16 = new Uint16Array(sab);
    this.places = this.i32[PARAMETERS];
    this.entryBytes = this.i32[PARAMETERS + 1];
    this.mask = this.places - 1;
    this.seenHead = Atomics.load(this.i32, HEAD);
    this.seenTail = Atomics.load(this.i32, TAIL);
  }

  /**
   * @param places power of two, at most 2^30
   * @param entryWords Int32 words of an entry; even when it holds doubles
   * @param start first value of both counters (tests begin near their wrap)
   */
  static create(places: number, entryWords: number, start = 0): SpscRing {
    assert(isPowerOfTwo(places) && places <= 2 ** 30, 'ring: places is a power of two');
    assert(entryWords > 0 && FIRST + places * entryWords * 4 < 2 ** 31, 'ring: offsets are Int32');
    const sab = new SharedArrayBuffer(roundUp(FIRST + places * entryWords * 4, 8));
    const i32 = new Int32Array(sab);
    writeHeader(i32, MAGIC, [places, entryWords * 4]);
    i32[TAIL] = start;
    i32[HEAD] = start;
    return new SpscRing(sab);
  }

  /** @throws AssertionError when the buffer is not a ring of this version */
  static from(sab: SharedArrayBuffer): SpscRing {
    return new SpscRing(sab);
  }

  /** Producer: byte offset of the entry to fill, or −1 when the ring is full. Nothing is shown before `commit`. */
  offer(): number {
    const tail = this.i32[TAIL];
    if (((tail - this.seenHead) | 0) >= this.places) {
      this.seenHead = Atomics.load(this.i32, HEAD);
      if (((tail - this.seenHead) | 0) >= this.places) return -1;
    }
    return FIRST + (tail & this.mask) * this.entryBytes;
  }

  /** Producer: shows the offered entry to the consumer. */
  commit(): void {
    Atomics.store(this.i32, TAIL, (this.i32[TAIL] + 1) | 0);
  }

  /** Consumer: byte offset of the oldest entry, or −1 when there is none. */
  peek(): number {
    const head = this.i32[HEAD];
    if (((this.seenTail - head) | 0) <= 0) {
      this.seenTail = Atomics.load(this.i32, TAIL);
      if (head === this.seenTail) return -1;
    }
    return FIRST + (head & this.mask) * this.entryBytes;
  }

  /** Consumer: gives the peeked entry's place back; its bytes must not be read any more. */
  advance(): void {
    Atomics.store(this.i32, HEAD, (this.i32[HEAD] + 1) | 0);
  }

  /** Entries between head and tail: exact for neither side, a lower bound for the consumer, an upper for the producer. */
  available(): number {
    return (Atomics.load(this.i32, TAIL) - Atomics.load(this.i32, HEAD)) | 0;
  }
}
