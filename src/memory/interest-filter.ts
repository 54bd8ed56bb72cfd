/**
 * Which cells a gateway's clients watch: written by that gateway alone, read by every shard at any time, nobody waits.
 *
 * ```
 *  64 B      Int32 × 2^18
 * ┌────────┬──────────────────────────────────────────┐
 * │ header │ subscriptions of all cells of that hash  │   place = hash(cell)
 * └────────┴──────────────────────────────────────────┘
 * ```
 * Two cells may share a place: a shard then sends frames of a cell that nobody watches, which the gateway drops. Never
 * the other way round: a watched cell's place is positive. Counts are exact, since the gateway removes what it added.
 * A gateway's death is the process's; a stopped gateway's places are all back at 0.
 */
import { assert } from '../base/assert.js';
import { LINE, checkHeader, isPowerOfTwo, magicOf, PARAMETERS, writeHeader } from './header.js';

const MAGIC = magicOf('BMif');
const FIRST = LINE >> 2;
const PLACES = 2 ** 20;

export class InterestFilter {
  private readonly i32: Int32Array;
  private readonly mask: number;
  private readonly scratch = new Float64Array(1);

  private constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'interest filter');
    this.mask = this.i32[PARAMETERS] - 1;
  }

  /** @param places power of two */
  static create(places = PLACES): InterestFilter {
    assert(isPowerOfTwo(places), 'interest filter: places is a power of two');
    const sab = new SharedArrayBuffer(LINE + places * 4);
    writeHeader(new Int32Array(sab), MAGIC, [places]);
    return new InterestFilter(sab);
  }

  /** @throws AssertionError when the buffer is not an interest filter of this version */
  static from(sab: SharedArrayBuffer): InterestFilter {
    return new InterestFilter(sab);
  }

  /** Gateway: a subscription to a cell begins. */
  add(cell: number): void {
    Atomics.add(this.i32, this.place(cell), 1);
  }

  /** Gateway: a subscription that was added ends. */
  remove(cell: number): void {
    const before = Atomics.sub(this.i32, this.place(cell), 1);
    assert(before > 0, 'I7: a subscription is removed once');
  }

  /** Shard: whether some client of the gateway may watch the cell. */
  wants(cell: number): boolean {
    return Atomics.load(this.i32, this.place(cell)) > 0;
  }

  /** The same for the number at a place of an array (why: `columnAt`, geo/tile.ts). */
  wantsAt(cells: Float64Array, at: number): boolean {
    return Atomics.load(this.i32, this.placeAt(cells, at)) > 0;
  }

  private place(cell: number): number {
    this.scratch[0] = cell;
    return this.placeAt(this.scratch, 0);
  }

  private placeAt(cells: Float64Array, at: number): number {
    const cell = cells[at];
    let h = Math.imul((cell >>> 0) ^ Math.imul((cell / 4294967296) >>> 0, 0x9e3779b1), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return FIRST + ((h ^ (h >>> 16)) & this.mask);
  }
}
