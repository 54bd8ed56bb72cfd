/**
 * The setting of a leaf: what it gets of time and of frame rate when its shard is overloaded; one Int32 for each entry
 * of the directory, in the directory's buffer. Read by every thread with one load; set by the main thread; cleared by
 * whoever places or releases a base tile.
 *
 * ```
 *  bits   23 … 16      15 … 8      7 … 0
 *       ┌───────────┬───────────┬───────────┐   each in percent that is taken away, so that a zeroed word is
 *       │ far rate  │ near rate │ dilation  │   everything in full
 *       └───────────┴───────────┴───────────┘
 *  counts: entries that are not full │ entries whose time is slowed       (both on the directory's line of versions)
 * ```
 * Order of a set: the word, then the counts. A reader that finds a count of 0 takes everything for full, so a setting
 * takes effect a moment later than its word; swapped, a count would announce a word that is not there yet, which costs
 * a lookup. A thread that dies between the two, clearing a word, leaves a count too high: lookups that find nothing.
 * Words other than 0 are set by the main thread alone, whose death is the process's.
 */
import { assert } from '../base/assert.js';

const FULL = 100;

/**
 * @param dilation share of time, 0 … 100 (100 = all) @param near, far share of the frame rate of near and far cells
 * @returns the packed word; 0 = everything in full
 */
export function packService(dilation: number, near: number, far: number): number {
  for (const percent of [dilation, near, far])
    assert(Number.isInteger(percent) && percent >= 0 && percent <= FULL, 'I7: a service is 0 … 100 percent');
  return (FULL - dilation) | ((FULL - near) << 8) | ((FULL - far) << 16);
}

/** Percent of time that a leaf gets. */
export function dilation(word: number): number {
  return FULL - (word & 0xff);
}

/** Percent of the frame rate that its cells get near a viewer. */
export function nearRate(word: number): number {
  return FULL - ((word >> 8) & 0xff);
}

/** Percent of the frame rate that its cells get far from a viewer. */
export function farRate(word: number): number {
  return FULL - ((word >> 16) & 0xff);
}

/** The least of each: what a merged tile gets of its four children. */
export function leastService(a: number, b: number): number {
  return packService(
    Math.min(dilation(a), dilation(b)),
    Math.min(nearRate(a), nearRate(b)),
    Math.min(farRate(a), farRate(b)),
  );
}

/** The words of all entries of one directory. */
export class Services {
  /**
   * @param i32 words of the directory's buffer
   * @param start word of the first entry's setting
   * @param counts word of the count of entries that are not full; the next one counts those whose time is slowed
   */
  constructor(
    private readonly i32: Int32Array,
    private readonly start: number,
    private readonly counts: number,
  ) {}

  /** Entries that are not full. */
  get any(): number {
    return Atomics.load(this.i32, this.counts);
  }

  /** Entries whose time is slowed. */
  get anySlow(): number {
    return Atomics.load(this.i32, this.counts + 1);
  }

  /** Setting of an entry. */
  at(entry: number): number {
    return Atomics.load(this.i32, this.start + entry);
  }

  set(entry: number, word: number): void {
    const before = Atomics.exchange(this.i32, this.start + entry, word);
    this.count(0, before !== 0, word !== 0);
    this.count(1, dilation(before) < FULL, dilation(word) < FULL);
  }

  /** The same for a word of 0, by any thread: counts only what it itself has cleared. */
  clear(entry: number): void {
    if (this.at(entry) !== 0) this.set(entry, 0);
  }

  private count(which: number, before: boolean, after: boolean): void {
    if (before !== after) Atomics.add(this.i32, this.counts + which, after ? 1 : -1);
  }
}
