/**
 * The streams of one shard: what it publishes of each square at each rate, by stream key (geo/square.ts). Local to the
 * shard's thread (a replacement is a new publisher with streams of its own), fixed in size, no allocation after
 * construction.
 *
 * A stream exists while some gateway wants it. Its sequence is the tick of its newest frame; a gateway whose
 * bit in `keyed` is missing gets a key frame next.
 *
 * Their places are 0 … count − 1, without holes: a tick goes through all of them from one to the next, and one line of
 * the processor's cache brings sixteen.
 */
import { assert } from '../base/assert.js';
import { columnOfCell, rowOfCell } from '../geo/cell.js';
import { cellOfKey, partOfKey, phaseOf, rateOfKey, squareOfKey } from '../geo/square.js';

export class Streams {
  readonly capacity: number;
  /** Key of each stream. */
  readonly key: Float64Array;
  /** What the key names: the cell's number, its column and row, the square, the rate class, square and class as one. */
  readonly cell: Float64Array;
  readonly column: Int32Array;
  readonly row: Int32Array;
  readonly square: Int32Array;
  readonly rate: Int32Array;
  readonly part: Int32Array;
  /** Tick of the newest frame; 0 = none yet. */
  readonly lastTick: Int32Array;
  /** Tick of the newest frame with states: what changed up to it has been shown. */
  readonly shownTick: Int32Array;
  /** By which slow streams take turns. */
  readonly phase: Int32Array;
  /** Bit g: gateway g has had a key frame of this stream (gateways 0…31). */
  readonly keyed: Int32Array;
  /** Which gateways want it, as bits, and the tick in which they were asked. */
  readonly wanted: Int32Array;
  private readonly asked: Int32Array;
  /** Heads of the removal and event chains of the coming frame; −1 = none. */
  readonly removals: Int32Array;
  readonly events: Int32Array;
  /** 1 + its entry in the view of this tick, 0 = none: it is younger, or there was no room. */
  readonly mark: Int32Array;
  count = 0;
  private readonly mask: number;
  private readonly numbers: readonly Int32Array[];
  /** 1 + place of the stream with the key of that hash, 0 = none; linear probing. */
  private readonly places: Int32Array;
  private readonly scratch = new Float64Array(1);

  /** @param places power of two, twice the streams that shall fit */
  constructor(places: number) {
    assert((places & (places - 1)) === 0, 'the stream table is a power of two');
    const n = places >> 1;
    this.capacity = n;
    this.mask = places - 1;
    this.places = new Int32Array(places);
    this.key = new Float64Array(n);
    this.cell = new Float64Array(n);
    this.numbers = [
      (this.column = new Int32Array(n)),
      (this.row = new Int32Array(n)),
      (this.square = new Int32Array(n)),
      (this.rate = new Int32Array(n)),
      (this.part = new Int32Array(n)),
      (this.lastTick = new Int32Array(n)),
      (this.shownTick = new Int32Array(n)),
      (this.phase = new Int32Array(n)),
      (this.keyed = new Int32Array(n)),
      (this.wanted = new Int32Array(n)),
      (this.asked = new Int32Array(n)),
      (this.removals = new Int32Array(n)),
      (this.events = new Int32Array(n)),
      (this.mark = new Int32Array(n)),
    ];
  }

  private home(keys: Float64Array, place: number): number {
    const key = keys[place]!;
    const low = key % 4294967296;
    const high = (key - low) / 4294967296;
    return (Math.imul((low | 0) ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b) >>> 7) & this.mask;
  }

  /** @returns the place of the stream with the key that stands at a place of an array, or −1 */
  findAt(keys: Float64Array, at: number): number {
    return this.places[this.entryOf(keys, at)]! - 1;
  }

  /** Where the hash table has a key, or would have it. */
  private entryOf(keys: Float64Array, from: number): number {
    const { places, key, mask } = this;
    const wanted = keys[from]!;
    let at = this.home(keys, from);
    while (places[at] !== 0 && key[places[at]! - 1] !== wanted) at = (at + 1) & mask;
    return at;
  }

  /** @returns the place of a new stream, or −1 when the table is full (counted by the caller) */
  create(key: number): number {
    if (this.count >= this.capacity) return -1;
    this.scratch[0] = key;
    const place = this.count++;
    this.places[this.entryOf(this.scratch, 0)] = place + 1;
    for (let i = 0; i < this.numbers.length; i++) this.numbers[i]![place] = 0;
    this.removals[place] = -1;
    this.events[place] = -1;
    this.describe(place, key);
    return place;
  }

  private describe(place: number, key: number): void {
    const cell = cellOfKey(key);
    this.key[place] = key;
    this.cell[place] = cell;
    this.column[place] = columnOfCell(cell);
    this.row[place] = rowOfCell(cell);
    this.square[place] = squareOfKey(key);
    this.rate[place] = rateOfKey(key);
    this.part[place] = partOfKey(key);
    this.phase[place] = phaseOf(key);
  }

  /** Notes who wants a stream in this tick. */
  want(place: number, gateways: number, tick: number): void {
    this.wanted[place] = gateways;
    this.asked[place] = tick;
  }
  /** Whether that was noted in this tick. */
  isAsked(place: number, tick: number): boolean {
    return this.asked[place] === tick;
  }

  /** Ends a stream. The last one takes its place, so places are valid only until the next removal. */
  remove(place: number): void {
    this.forget(this.entryOf(this.key, place));
    const last = --this.count;
    if (place === last) return;
    this.places[this.entryOf(this.key, last)] = place + 1;
    this.key[place] = this.key[last]!;
    this.cell[place] = this.cell[last]!;
    for (let i = 0; i < this.numbers.length; i++) this.numbers[i]![place] = this.numbers[i]![last]!;
  }

  /** Clears an entry of the hash table; those behind it move up. */
  private forget(entry: number): void {
    const { places, mask } = this;
    let hole = entry;
    let at = entry;
    for (;;) {
      at = (at + 1) & mask;
      if (places[at] === 0) break;
      const home = this.home(this.key, places[at]! - 1);
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      places[hole] = places[at]!;
      hole = at;
    }
    places[hole] = 0;
  }
}
