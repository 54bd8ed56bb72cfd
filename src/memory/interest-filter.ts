/**
 * Which streams a gateway's clients watch: written by that gateway alone, read by every shard at any time, nobody waits.
 * A stream is a cell and the number of a part: 0 … 7 are of the whole cell, one a rate, the others of its squares.
 *
 * ```
 *  64 B      64 B × 2^n                                                    96 B × lines
 * ┌────────┬──────────┬─────────┬───┬──────────────────────┬──────────┬──┬──────────────────┐
 * │ header │ overflow │ tag × 7 │top│ word × 7             │ bucket 2 │ …│ a bit a part ≥ 8 │
 * └────────┴──────────┴─────────┴───┴──────────────────────┴──────────┴──┴──────────────────┘
 *   tag = cell mod 2^31, + 1; 0 = free       30 … 21   20 … 8   7 … 0
 *   top = 4 bits each: cell div 2^31       ┌─────────┬────────┬─────────┐
 *                                          │ count ≥8│ line   │ bits <8 │
 *                                          └─────────┴────────┴─────────┘
 * ```
 * One question tells all about a cell: its word, and where that counts parts ≥ 8 the bits in their line. So what nobody
 * watches costs a shard one line of the cache a cell, and what is watched is told exactly: nothing is sent in vain but
 * for an overtaken reader, and for a cell whose parts found no line of their own (line 0: all parts).
 *
 * Entries never move. Orders; swapped, a reader misses what is watched: a line's bits before the word that counts them,
 * word and top before the tag, a bucket's overflow before a tag that stands further on; and backwards when they go.
 * A gateway's death is the process's; a stopped gateway's entries are all gone.
 */
import { AssertionError, assert } from '../base/assert.js';
import { LINE, PARAMETERS, checkHeader, magicOf, writeHeader } from './header.js';

const MAGIC = magicOf('BMif');
const FIRST = LINE >> 2;
const BUCKET_WORDS = LINE >> 2;
const ENTRIES = 7;
/** From an entry's tag to its word; from a bucket to its tops. */
const WORD = 8;
const TOPS = 8;
/** Parts of the whole cell: they stand in the word. */
export const WHOLE_PARTS = 8;
/** Words of a line, a bit for each other part. */
export const PART_WORDS = 24;
const WHOLES = (1 << WHOLE_PARTS) - 1;
const LINE_BITS = 13;
const MOST_LINES = 2 ** LINE_BITS;
const COUNT_SHIFT = WHOLE_PARTS + LINE_BITS;
const ONE_PART = 1 << COUNT_SHIFT;

/** Parts < 8 that a word names, as bits. */
export function wholeOf(word: number): number {
  return word & WHOLES;
}
/** Whether a word has other parts. */
export function hasParts(word: number): boolean {
  return word >>> COUNT_SHIFT !== 0;
}
function lineOf(word: number): number {
  return (word >>> WHOLE_PARTS) & (MOST_LINES - 1);
}

export class InterestFilter {
  private readonly i32: Int32Array;
  private readonly mask: number;
  readonly lines: number;
  private readonly lineStart: number;
  private readonly scratch = new Float64Array(1);
  /** Of the gateway: free lines. */
  private free: number[] | undefined;

  private constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'interest filter');
    this.mask = this.i32[PARAMETERS] - 1;
    this.lines = this.i32[PARAMETERS + 1];
    this.lineStart = FIRST + (this.mask + 1) * BUCKET_WORDS;
    assert(
      sab.byteLength === (this.lineStart + this.lines * PART_WORDS) * 4,
      'interest filter: length fits its capacity',
    );
  }

  /**
   * Memory that is never touched costs nothing, so there is room for the rarest case.
   * @param cells most cells that are watched at a time
   * @param lines most cells whose parts are told one by one, and one
   */
  static create(cells: number, lines = Math.min(MOST_LINES, cells + 1)): InterestFilter {
    assert(cells > 0 && lines > 0 && lines <= MOST_LINES, 'interest filter: a line fits in 13 bits');
    const buckets = 2 ** Math.ceil(Math.log2(Math.ceil(cells / ENTRIES)));
    const start = FIRST + buckets * BUCKET_WORDS;
    const sab = new SharedArrayBuffer((start + lines * PART_WORDS) * 4);
    const i32 = new Int32Array(sab);
    writeHeader(i32, MAGIC, [buckets, lines]);
    i32.fill(-1, start, start + PART_WORDS);
    return new InterestFilter(sab);
  }

  /** @throws AssertionError when the buffer is not an interest filter of this version */
  static from(sab: SharedArrayBuffer): InterestFilter {
    return new InterestFilter(sab);
  }

  /** Gateway: somebody watches a stream from now on. Once for each, until it is removed. */
  add(cell: number, part = 0): void {
    const { i32 } = this;
    this.scratch[0] = cell;
    let at = this.entryOf(this.scratch, 0);
    if (at < 0) at = this.place();
    const word = i32[at + WORD];
    const isToldExactly = part < WHOLE_PARTS || lineOf(word) !== 0;
    assert(!isToldExactly || !this.isIn(word, part), 'I7: a subscription is added once');
    Atomics.store(i32, at + WORD, part < WHOLE_PARTS ? word | (1 << part) : this.addPart(word, part));
    Atomics.store(i32, at, tagOf(this.scratch, 0));
  }

  /** Gateway: nobody watches a stream any more. */
  remove(cell: number, part = 0): void {
    const { i32 } = this;
    this.scratch[0] = cell;
    const at = this.entryOf(this.scratch, 0);
    assert(at >= 0 && this.isIn(i32[at + WORD], part), 'I7: a subscription is removed once');
    const word = i32[at + WORD];
    const left = part < WHOLE_PARTS ? word & ~(1 << part) : this.removePart(word, part);
    if (left === 0) Atomics.store(i32, at, 0);
    Atomics.store(i32, at + WORD, left);
    if (left === 0) this.countPassed(at, -1);
  }

  /** Whether some client of the gateway watches a stream. */
  wants(cell: number, part = 0): boolean {
    this.scratch[0] = cell;
    return this.isIn(this.wordAt(this.scratch, 0), part);
  }

  /**
   * Shard: the word of the cell whose number stands at a place of an array (why: `columnAt`, geo/tile.ts); 0 = nobody
   * watches anything of it.
   */
  wordAt(cells: Float64Array, at: number): number {
    const entry = this.entryOf(cells, at);
    return entry < 0 ? 0 : Atomics.load(this.i32, entry + WORD);
  }

  /** Shard: of a word that has them, the parts 8 + 32 n … 39 + 32 n as bits. */
  partsAt(word: number, n: number): number {
    return Atomics.load(this.i32, this.lineStart + lineOf(word) * PART_WORDS + n);
  }

  /** Whether a word names a part. */
  isIn(word: number, part: number): boolean {
    if (part < WHOLE_PARTS) return (word & (1 << part)) !== 0;
    const i = part - WHOLE_PARTS;
    return hasParts(word) && (this.partsAt(word, i >> 5) & (1 << (i & 31))) !== 0;
  }

  /** @returns the word with one part more */
  private addPart(word: number, part: number): number {
    let after = word;
    if (!hasParts(word)) {
      this.free ??= Array.from({ length: this.lines - 1 }, (_, i) => i + 1);
      after |= (this.free.pop() ?? 0) << WHOLE_PARTS;
    }
    if (lineOf(after) !== 0) this.flip(after, part);
    return after + ONE_PART;
  }

  /** @returns the word without a part */
  private removePart(word: number, part: number): number {
    const after = word - ONE_PART;
    const line = lineOf(word);
    if (line !== 0) this.flip(word, part);
    if (hasParts(after)) return after;
    if (line !== 0) this.free!.push(line);
    return wholeOf(after);
  }

  private flip(word: number, part: number): void {
    const i = part - WHOLE_PARTS;
    Atomics.xor(this.i32, this.lineStart + lineOf(word) * PART_WORDS + (i >> 5), 1 << (i & 31));
  }

  /** Where the entry of a cell has its tag, or −1. */
  private entryOf(cells: Float64Array, from: number): number {
    const { i32, mask } = this;
    const tag = tagOf(cells, from);
    const top = topOf(cells, from);
    let bucket = hashOf(cells, from) & mask;
    for (let tries = 0; tries <= mask; tries++) {
      const first = FIRST + bucket * BUCKET_WORDS;
      for (let e = 0; e < ENTRIES; e++)
        if (Atomics.load(i32, first + 1 + e) === tag && ((i32[first + TOPS] >> (4 * e)) & 15) === top)
          return first + 1 + e;
      if (Atomics.load(i32, first) === 0) return -1;
      bucket = (bucket + 1) & mask;
    }
    return -1;
  }

  /** A free place for the cell in `scratch`; its word is 0. */
  private place(): number {
    const { i32, mask } = this;
    let bucket = hashOf(this.scratch, 0) & mask;
    for (let tries = 0; tries <= mask; tries++) {
      const first = FIRST + bucket * BUCKET_WORDS;
      for (let e = 0; e < ENTRIES; e++) {
        if (i32[first + 1 + e] !== 0) continue;
        this.countPassed(first, 1);
        i32[first + TOPS] = (i32[first + TOPS] & ~(15 << (4 * e))) | (topOf(this.scratch, 0) << (4 * e));
        return first + 1 + e;
      }
      bucket = (bucket + 1) & mask;
    }
    throw new AssertionError('I7: a filter has room for all cells that its gateway watches');
  }

  /** Counts an entry of the cell in `scratch` in the buckets before its own. */
  private countPassed(at: number, by: number): void {
    const { i32, mask } = this;
    const own = Math.floor((at - FIRST) / BUCKET_WORDS);
    for (let bucket = hashOf(this.scratch, 0) & mask; bucket !== own; bucket = (bucket + 1) & mask)
      Atomics.add(i32, FIRST + bucket * BUCKET_WORDS, by);
  }
}

/** Never 0, and no Int32 twice for cells of one top: 2^31 is −2^31. */
function tagOf(cells: Float64Array, at: number): number {
  return (((cells[at] >>> 0) & 0x7fffffff) + 1) | 0;
}
function topOf(cells: Float64Array, at: number): number {
  return Math.floor(cells[at] / 2147483648);
}
function hashOf(cells: Float64Array, at: number): number {
  const cell = cells[at];
  let h = Math.imul((cell >>> 0) ^ Math.imul((cell / 4294967296) >>> 0, 0x9e3779b1), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
