/**
 * Where a shard's load lies, by square of the deepest tile level: the table of loads (players, entities, actions), and the
 * table of flows (players that their drift puts there in 30, 60 and 300 s, players who have come there since the copy
 * before). Written by the shard's thread a few times a second, read by the main thread at any time, nobody waits.
 *
 * ```
 *  64 B      64 B                                    places × words × 4 B      the same
 * ┌────────┬───────────────────────────────────────┬─────────────────────────┬──────────┐
 * │ header │ version · of each copy: rows, ticks   │ copy 0: row, row, …     │ copy 1   │   valid: copy version & 1
 * └────────┴───────────────────────────────────────┴─────────────────────────┴──────────┘
 *   row: Int32 square (row × columns + column), then of loads   players · entities · actions since the copy before
 *                                                   of flows   in 30 s · in 60 s · in 300 s · came
 * ```
 * The writer fills the copy that is not valid, then stores the version. A reader whose version has changed meanwhile
 * reads again: a copy is written over only after the next version. Death of the writer: its last copy stays valid.
 * Statistics: an entity on its way between two shards may be in neither table.
 */
import { assert } from '../base/assert.js';
import { fence } from './fence.js';
import { LINE, PARAMETERS, checkHeader, magicOf, writeHeader } from './header.js';

const MAGIC = magicOf('BMlo');
const VERSION = LINE >> 2;
const COPIES = VERSION + 2;
const FIRST = (2 * LINE) >> 2;
/** Words of a row of loads, and of flows. */
export const LOAD_ROW = 4;
export const FLOW_ROW = 5;
/** A reader gives up when the copy changed under it so often: it is read again a quarter of a second later anyway. */
const TRIES = 3;

export class LoadTable {
  readonly places: number;
  /** Of a row: LOAD_ROW or FLOW_ROW. */
  readonly words: number;
  private readonly i32: Int32Array;
  /** Writer: open addressing, square → row, valid where the stamp is the running version's. */
  private found: { squares: Int32Array; rows: Int32Array; stamps: Int32Array } | null = null;
  private mask = 0;
  private stamp = 0;
  private base = 0;
  private rows = 0;

  private constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'load table');
    this.places = this.i32[PARAMETERS];
    this.words = this.i32[PARAMETERS + 1];
  }

  /**
   * @param places squares in which anything may be at a time: of loads as many as there are entities is always enough; of
   *   flows, who finds no place is not counted
   * @param words LOAD_ROW or FLOW_ROW
   */
  static create(places: number, words = LOAD_ROW): LoadTable {
    assert(places > 0 && FIRST + places * words * 2 < 2 ** 29, 'load table: offsets are Int32');
    const sab = new SharedArrayBuffer((FIRST + places * words * 2) * 4);
    writeHeader(new Int32Array(sab), MAGIC, [places, words]);
    return new LoadTable(sab);
  }

  /** @throws AssertionError when the buffer is not a load table of this version */
  static from(sab: SharedArrayBuffer): LoadTable {
    return new LoadTable(sab);
  }

  /** Writer: begins the next copy. */
  begin(): void {
    this.base = FIRST + ((Atomics.load(this.i32, VERSION) + 1) & 1) * this.places * this.words;
    this.rows = 0;
    this.stamp++;
    if (this.found !== null) return;
    let size = 16;
    while (size < this.places * 2) size *= 2;
    this.mask = size - 1;
    this.found = {
      squares: new Int32Array(size),
      rows: new Int32Array(size),
      stamps: new Int32Array(size),
    };
  }

  /** Writer: counts an entity in a square. @param player 1 for a player, else 0 @param actions it did */
  add(square: number, player: number, actions: number): void {
    const at = this.rowOf(square);
    if (at < 0) return; // more squares than places: only when there are fewer places than entities
    this.i32[at + 1] += player;
    this.i32[at + 2]++;
    this.i32[at + 3] += actions;
  }

  /** Writer: counts one in a column of a square, 1 … words − 1. */
  count(square: number, column: number): void {
    const at = this.rowOf(square);
    if (at >= 0) this.i32[at + column]++;
  }

  /** Writer: shows the copy. @param ticks that its actions were counted over */
  publish(ticks: number): void {
    const version = Atomics.load(this.i32, VERSION) + 1;
    this.i32[COPIES + (version & 1) * 2] = this.rows;
    this.i32[COPIES + (version & 1) * 2 + 1] = ticks;
    Atomics.store(this.i32, VERSION, version | 0);
  }

  /** How often it was published. */
  get version(): number {
    return Atomics.load(this.i32, VERSION);
  }

  /**
   * Any thread: copies the newest rows.
   * @param rows is overwritten with rows one after the other, `words` numbers each
   * @returns ticks that the actions were counted over; 0 when there is nothing to be had
   */
  read(rows: number[]): number {
    for (let tries = 0; tries < TRIES; tries++) {
      const version = Atomics.load(this.i32, VERSION);
      const copy = COPIES + (version & 1) * 2;
      const [count, ticks] = [this.i32[copy], this.i32[copy + 1]];
      const from = FIRST + (version & 1) * this.places * this.words;
      const words = Math.min(count, this.places) * this.words;
      for (let i = 0; i < words; i++) rows[i] = this.i32[from + i];
      rows.length = words; // not emptied first: that gives its memory back
      fence();
      if (Atomics.load(this.i32, VERSION) === version) return ticks;
    }
    rows.length = 0;
    return 0;
  }

  private rowOf(square: number): number {
    const { squares, rows, stamps } = this.found!;
    let h = Math.imul(square, 0x9e3779b1);
    h = (h ^ (h >>> 15)) & this.mask;
    while (stamps[h] === this.stamp && squares[h] !== square) h = (h + 1) & this.mask;
    if (stamps[h] === this.stamp) return rows[h];
    if (this.rows === this.places) return -1;
    const at = this.base + this.rows++ * this.words;
    stamps[h] = this.stamp;
    squares[h] = square;
    rows[h] = at;
    this.i32[at] = square;
    for (let i = 1; i < this.words; i++) this.i32[at + i] = 0;
    return at;
  }
}
