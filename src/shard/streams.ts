/**
 * The streams of one shard: what it publishes of each square at each rate, by stream key (geo/square.ts). Local to the shard's thread (a replacement is a new
 * publisher with streams of its own), fixed in size, no allocation after construction.
 *
 * A stream exists while some gateway wants it. Its sequence is the tick of its newest frame; a gateway whose
 * bit in `keyed` is missing gets a key frame next.
 */
import { assert } from '../base/assert.js';
import { columnOfCell, rowOfCell } from '../geo/cell.js';
import { cellOfKey, partOfKey, phaseOf, rateOfKey, squareOfKey } from '../geo/square.js';

const EMPTY = -1;

export class Streams {
  readonly capacity: number;
  /** Key of each stream; −1 = free place. */
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
  private readonly scratch = new Float64Array(1);
  private readonly live: Int32Array;
  private readonly livePlace: Int32Array;

  /** @param places power of two, twice the streams that shall fit */
  constructor(places: number) {
    assert((places & (places - 1)) === 0, 'the stream table is a power of two');
    this.capacity = places >> 1;
    this.mask = places - 1;
    this.key = new Float64Array(places).fill(EMPTY);
    this.cell = new Float64Array(places);
    this.column = new Int32Array(places);
    this.row = new Int32Array(places);
    this.square = new Int32Array(places);
    this.rate = new Int32Array(places);
    this.part = new Int32Array(places);
    this.lastTick = new Int32Array(places);
    this.shownTick = new Int32Array(places);
    this.phase = new Int32Array(places);
    this.keyed = new Int32Array(places);
    this.wanted = new Int32Array(places);
    this.asked = new Int32Array(places);
    this.removals = new Int32Array(places).fill(-1);
    this.events = new Int32Array(places).fill(-1);
    this.mark = new Int32Array(places);
    this.live = new Int32Array(places);
    this.livePlace = new Int32Array(places);
  }

  private home(keys: Float64Array, place: number): number {
    const key = keys[place]!;
    const low = key % 4294967296;
    const high = (key - low) / 4294967296;
    return (Math.imul((low | 0) ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b) >>> 7) & this.mask;
  }

  /** @returns the place of the stream with the key that stands at a place of an array, or −1 */
  findAt(keys: Float64Array, place: number): number {
    const key = keys[place]!;
    let at = this.home(keys, place);
    for (;;) {
      const here = this.key[at]!;
      if (here === key) return at;
      if (here === EMPTY) return -1;
      at = (at + 1) & this.mask;
    }
  }

  /** @returns the place of a new stream, or −1 when the table is full (counted by the caller) */
  create(key: number): number {
    if (this.count >= this.capacity) return -1;
    this.scratch[0] = key;
    let at = this.home(this.scratch, 0);
    while (this.key[at] !== EMPTY) at = (at + 1) & this.mask;
    this.reset(at, key);
    this.describe(at, key);
    this.livePlace[at] = this.count;
    this.live[this.count++] = at;
    return at;
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

  /** The i-th live stream, 0 ≤ i < count; removing it moves the last one to i. */
  at(i: number): number {
    return this.live[i]!;
  }

  /** Ends a stream. Places behind it move up (linear probing), so places are valid only until the next removal. */
  remove(place: number): void {
    const i = this.livePlace[place]!;
    const last = this.live[--this.count]!;
    this.live[i] = last;
    this.livePlace[last] = i;
    let hole = place;
    let at = place;
    for (;;) {
      at = (at + 1) & this.mask;
      if (this.key[at]! === EMPTY) break;
      const home = this.home(this.key, at);
      if (((at - home) & this.mask) < ((at - hole) & this.mask)) continue;
      this.move(at, hole);
      hole = at;
    }
    this.reset(hole, EMPTY);
  }

  private describe(place: number, key: number): void {
    const cell = cellOfKey(key);
    this.cell[place] = cell;
    this.column[place] = columnOfCell(cell);
    this.row[place] = rowOfCell(cell);
    this.square[place] = squareOfKey(key);
    this.rate[place] = rateOfKey(key);
    this.part[place] = partOfKey(key);
    this.phase[place] = phaseOf(key);
  }

  private reset(place: number, key: number): void {
    this.key[place] = key;
    this.lastTick[place] = 0;
    this.shownTick[place] = 0;
    this.keyed[place] = 0;
    this.wanted[place] = 0;
    this.asked[place] = 0;
    this.removals[place] = -1;
    this.events[place] = -1;
    this.mark[place] = 0;
  }

  private move(from: number, to: number): void {
    this.key[to] = this.key[from]!;
    this.cell[to] = this.cell[from]!;
    this.column[to] = this.column[from]!;
    this.row[to] = this.row[from]!;
    this.square[to] = this.square[from]!;
    this.rate[to] = this.rate[from]!;
    this.part[to] = this.part[from]!;
    this.lastTick[to] = this.lastTick[from]!;
    this.shownTick[to] = this.shownTick[from]!;
    this.phase[to] = this.phase[from]!;
    this.keyed[to] = this.keyed[from]!;
    this.wanted[to] = this.wanted[from]!;
    this.asked[to] = this.asked[from]!;
    this.removals[to] = this.removals[from]!;
    this.events[to] = this.events[from]!;
    this.mark[to] = this.mark[from]!;
    const i = this.livePlace[from]!;
    this.livePlace[to] = i;
    this.live[i] = to;
  }
}
