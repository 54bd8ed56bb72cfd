/**
 * A ring of traced steps that one shard writes and the main thread reads; nobody waits. A full ring is overwritten, and
 * the reader counts what it has missed.
 *
 * ```
 *  64 B      64 B       entry 0           entry 1            entry places − 1
 * ┌────────┬─────────┬────────────────┬────────────────┬─────┬────────────────┐
 * │ header │ written │ f64 × 16       │ f64 × 16       │  …  │                │   place = number & (places − 1)
 * └────────┴─────────┴────────────────┴────────────────┴─────┴────────────────┘
 * ```
 * `written` counts entries for ever (f64 would not be atomic: an Int32, compared by difference). Order: the entry, then
 * `written`; swapped, the reader reads an entry not yet written. Reader: the entry, then `written` again: while entry n
 * is copied the writer may be overwriting it only once `written` has reached n + places.
 * Death of the writer within an entry: it was never there; the replacement writes it anew.
 */
import { assert } from '../base/assert.js';
import { LINE, PARAMETERS, checkHeader, isPowerOfTwo, magicOf, writeHeader } from './header.js';
import { fence } from './fence.js';

const MAGIC = magicOf('BMtr');
const WRITTEN = LINE >> 2;
const FIRST = (2 * LINE) >> 3;
/** Numbers of an entry. */
export const TRACE_WORDS = 16;
const PLACES = 256;

/** What an entry is about (its number 0). */
export const TRACE_KIND = { handover: 1, layoutSeen: 2, layoutLeft: 3 } as const;

/** Numbers of a handover's entry. Times in clock ms. */
export const HANDOVER_TRACE = {
  kind: 0,
  entity: 1,
  from: 2,
  to: 3,
  /** Tick of the source that found the crossing. */
  tick: 4,
  x: 5,
  y: 6,
  /** The source's tick has ended, the target is chosen. */
  decided: 7,
  /** The owner word says "in transit". */
  locked: 8,
  /** The entry stands in the ring to the target. */
  pushed: 9,
  /** The owner word names the target. */
  accepted: 10,
  /** The first tick under the new owner is committed. */
  firstTick: 11,
  /** The first frame that the new owner sends after it is out. */
  firstFrame: 12,
  /** 1: slower than nearly all of late; 0: one of the ordinary ones. */
  slow: 13,
} as const;

/** Numbers of the entries about changes of layout. */
export const LAYOUT_TRACE = {
  kind: 0,
  shard: 1,
  /** Of the directory. */
  version: 2,
  at: 3,
  /** `layoutLeft`: entities handed over because of it. */
  moved: 4,
} as const;

export class TraceRing {
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;
  private readonly mask: number;

  private constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'trace ring');
    this.f64 = new Float64Array(sab);
    this.mask = this.i32[PARAMETERS] - 1;
  }

  /** @param places power of two @param start first value of the counter (tests begin near its wrap) */
  static create(places = PLACES, start = 0): TraceRing {
    assert(isPowerOfTwo(places) && places <= 2 ** 16, 'trace ring: places is a power of two');
    const sab = new SharedArrayBuffer((FIRST + places * TRACE_WORDS) * 8);
    const i32 = new Int32Array(sab);
    writeHeader(i32, MAGIC, [places]);
    i32[WRITTEN] = start;
    return new TraceRing(sab);
  }

  /** @throws AssertionError when the buffer is not a trace ring of this version */
  static from(sab: SharedArrayBuffer): TraceRing {
    return new TraceRing(sab);
  }

  /** Writer: index of the entry to fill in `values`, TRACE_WORDS numbers, all zero. */
  begin(): number {
    const at = FIRST + (this.i32[WRITTEN] & this.mask) * TRACE_WORDS;
    for (let i = 0; i < TRACE_WORDS; i++) this.f64[at + i] = 0;
    return at;
  }

  /** Writer: where `begin` points into. */
  get values(): Float64Array {
    return this.f64;
  }

  /** Writer: shows the entry. */
  commit(): void {
    Atomics.store(this.i32, WRITTEN, (this.i32[WRITTEN] + 1) | 0);
  }

  /** Entries written so far, wrapping. */
  get written(): number {
    return Atomics.load(this.i32, WRITTEN);
  }

  /** Reader: copies entry number `n`; false when it is overwritten, or may be. */
  copy(n: number, into: Float64Array): boolean {
    const at = FIRST + (n & this.mask) * TRACE_WORDS;
    for (let i = 0; i < TRACE_WORDS; i++) into[i] = this.f64[at + i];
    fence();
    return ((this.written - n) | 0) <= this.mask;
  }

  /** Reader: oldest entry that can still be there, seen from the newest. */
  get oldest(): number {
    return (this.written - this.mask) | 0;
  }
}

/** Reads a ring from where it stood last. */
export class TraceReader {
  /** Entries overwritten before they were read. */
  lost = 0;
  private next: number;
  private readonly entry = new Float64Array(TRACE_WORDS);

  constructor(private readonly ring: TraceRing) {
    this.next = ring.written;
  }

  /** Calls `visit` for every new entry; the array is valid within the call only. */
  read(visit: (entry: Float64Array) => void): void {
    const { ring } = this;
    const end = ring.written;
    const behind = (ring.oldest - this.next) | 0;
    if (behind > 0) {
      this.lost += behind;
      this.next = (this.next + behind) | 0;
    }
    for (; this.next !== end; this.next = (this.next + 1) | 0) {
      if (ring.copy(this.next, this.entry)) visit(this.entry);
      else this.lost++;
    }
  }
}
