/**
 * The published view of one shard: written by the shard once a tick, read by any thread at any time; nobody waits, a
 * reader that was overtaken is told so by `valid()` and reads again.
 *
 * ```
 *  64 B      64 B               buffer 0                                      buffer 1
 * ┌────────┬──────────────────┬──────────┬───────────┬───────────┬─────────┬─────────
 * │ header │ version, writing │ 64 B     │ cell hash │ cells     │ rows    │ the same
 * └────────┴──────────────────┤ tick     │ stamp,    │ 32 B each │ 64 B    │
 *   version v: buffer v & 1   │ publisher│ index     │ number    │ each,   │
 *   is the newest; writing w: │ counts   │ Int32 × 2 │ start     │ grouped │
 *   buffer w & 1 is (or was)  │ stamp    │ per place │ count     │ by cell │
 *   being filled              │          │           │ lastSeq   │         │
 *                             └──────────┴───────────┴───────────┴─────────┴─────────
 * ```
 * Two alternating buffers: a reader has at least one whole tick before its buffer is touched again. A hash place counts
 * only under the buffer's present stamp, so nothing is cleared between ticks.
 * Order of the writer: `writing`, fence, rows, `version`. Rows before writing shows: a reader takes half-overwritten rows
 * for valid. Version before rows: a reader takes unwritten ones. The reader looks at `writing` behind a fence: without it
 * the row reads may be served after the look (fence.ts).
 * A death in the middle leaves `writing` ahead of `version`: readers keep the last whole view; the replacement begins
 * the same version again, under a new stamp.
 */
import { assert } from '../base/assert.js';
import type { Arena } from './arena.js';
import { fence } from './fence.js';
import { LINE, PARAMETERS, checkHeader, magicOf, writeHeader } from './header.js';
import { HEADER, HOT } from './record.js';
import {
  BUFFER,
  CELL,
  CELL_BYTES,
  ROW,
  ROW_BYTES,
  bytesOfBuffer,
  hashAt,
  hashPlaces,
} from './view-layout.js';

export { ROW };

const MAGIC = magicOf('BMvw');
const VERSION = LINE >> 2;
const WRITING = (LINE >> 2) + 1;
const LAST_STAMP = 0x7fffffff;
/** Of a row that are in use. */
const ROW_WORDS = (ROW.flags + 2) >> 2;

/** Where the parts of a view lie, and the reading of the buffer that is open. */
class View {
  readonly rows: number;
  readonly cells: number;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly u16: Uint16Array;
  protected readonly hashMask: number;
  private readonly bufferBytes: number;
  /** Word index of the open buffer, of its hash, of its cells; byte offset of its rows. */
  protected buffer = 0;
  protected hash = 0;
  protected cellWords = 0;
  protected rowBytes = 0;
  protected readonly scratch = new Float64Array(1);

  protected constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'view');
    this.u32 = new Uint32Array(sab);
    this.f32 = new Float32Array(sab);
    this.f64 = new Float64Array(sab);
    this.u16 = new Uint16Array(sab);
    this.rows = this.i32[PARAMETERS];
    this.cells = this.i32[PARAMETERS + 1];
    const places = hashPlaces(this.cells);
    this.hashMask = places - 1;
    this.bufferBytes = bytesOfBuffer(this.rows, this.cells);
    assert(sab.byteLength === 2 * LINE + 2 * this.bufferBytes, 'view: length fits its capacity');
    this.turnTo(0);
  }

  /** Entries of the open buffer: cells, parts of cells (geo/square.ts); those without rows have a stream only. */
  get cellCount(): number {
    return this.i32[this.buffer + BUFFER.cells];
  }
  /** How many of them, the first ones, are the cells with rows: each row stands in exactly one. */
  get placedCount(): number {
    return this.i32[this.buffer + BUFFER.placed];
  }
  /** Rows of the open buffer. */
  get rowCount(): number {
    return this.i32[this.buffer + BUFFER.rows];
  }
  /** Tick after which the open buffer was taken. */
  get tick(): number {
    return this.i32[this.buffer + BUFFER.tick];
  }
  /** Incarnation that wrote the open buffer. */
  get publisher(): number {
    return this.i32[this.buffer + BUFFER.publisher];
  }
  /** Cell number of the c-th cell, 0 ≤ c < cellCount. */
  cellAt(c: number): number {
    return this.f64[(this.cellWords + c * (CELL_BYTES >> 2)) >> 1];
  }
  /** Where that number stands in `f64`. */
  cellPlace(c: number): number {
    return (this.cellWords + c * (CELL_BYTES >> 2)) >> 1;
  }
  /** Byte offset of a row (ROW.*). */
  rowByte(row: number): number {
    return this.rowBytes + row * ROW_BYTES;
  }

  /** Index of a cell in the open buffer, or −1. */
  find(cell: number): number {
    this.scratch[0] = cell;
    return this.findFrom(this.scratch, 0);
  }

  /** The same for the number at a place of an array. */
  findFrom(numbers: Float64Array, from: number): number {
    const { i32, f64, hashMask } = this;
    const cell = numbers[from];
    const stamp = i32[this.buffer + BUFFER.stamp];
    let place = hashAt(numbers, from) & hashMask;
    for (let tries = 0; tries <= hashMask; place = (place + 1) & hashMask, tries++) {
      const at = this.hash + place * 2;
      if (i32[at] !== stamp) return -1;
      const c = i32[at + 1];
      // An overtaken reader may find anything here; it must only stay inside.
      if (c < 0 || c >= this.cells) return -1;
      if (f64[this.cellWord(c) >> 1] === cell) return c;
    }
    return -1;
  }

  protected turnTo(version: number): void {
    const byte = 2 * LINE + (version & 1) * this.bufferBytes;
    this.buffer = byte >> 2;
    this.hash = (byte + LINE) >> 2;
    this.cellWords = this.hash + (this.hashMask + 1) * 2;
    this.rowBytes = (this.cellWords << 2) + this.cells * CELL_BYTES;
  }

  protected cellWord(c: number): number {
    return this.cellWords + c * (CELL_BYTES >> 2);
  }
}

/** Reads a shard's view; local to one thread, and to one use at a time: `open` to `valid`. */
export class ViewReader extends View {
  private version = 0;

  /**
   * @param rows most entities of the shard
   * @param cells most cells: as many as entities, and those that have a stream without any
   */
  static create(rows: number, cells: number): ViewReader {
    const bytes = 2 * LINE + 2 * bytesOfBuffer(rows, cells);
    assert(rows > 0 && cells > 0 && bytes < 2 ** 31, 'view: offsets are Int32');
    const sab = new SharedArrayBuffer(bytes);
    writeHeader(new Int32Array(sab), MAGIC, [rows, cells]);
    return new ViewReader(sab);
  }

  /** @throws AssertionError when the buffer is not a view of this version */
  static from(sab: SharedArrayBuffer): ViewReader {
    return new ViewReader(sab);
  }

  /** Turns to the newest view. @returns false when none was ever published */
  open(): boolean {
    this.version = Atomics.load(this.i32, VERSION);
    this.turnTo(this.version);
    return this.version !== 0;
  }

  /** Whether what was read since `open` was whole: the writer has not begun to fill this buffer anew. */
  valid(): boolean {
    fence();
    return ((Atomics.load(this.i32, WRITING) - this.version) | 0) <= 1;
  }

  /** First row of a cell. */
  start(c: number): number {
    return this.i32[this.cellWord(c) + CELL.start];
  }
  /** Rows of a cell; never beyond the buffer, even for an overtaken reader. */
  count(c: number): number {
    const at = this.cellWord(c);
    const start = this.i32[at + CELL.start];
    const count = this.i32[at + CELL.count];
    return start >= 0 && count >= 0 && start + count <= this.rows ? count : 0;
  }
  /** Tick of the newest frame of the cell's stream; 0 = no stream yet. */
  lastSeq(c: number): number {
    return Atomics.load(this.i32, this.cellWord(c) + CELL.lastSeq);
  }
}

/**
 * Writes a shard's view: a counting sort in two passes that the shard drives.
 * begin → cell, addRow for each entity → place → row for each entity → range for parts of cells → publish.
 */
export class ViewWriter extends View {
  private version = 0;
  /** Words of the rows of the view before. */
  private lastRows = 0;

  /** @throws AssertionError when the buffer is not a view of this version */
  static from(sab: SharedArrayBuffer): ViewWriter {
    return new ViewWriter(sab);
  }

  /** Starts the view of a tick. @param publisher incarnation of the shard */
  begin(tick: number, publisher: number): void {
    const { i32 } = this;
    this.version = (Atomics.load(i32, VERSION) + 1) | 0;
    // An exchange and a load, not a store: later plain stores must not show before it (fence.ts).
    Atomics.exchange(i32, WRITING, this.version);
    Atomics.load(i32, WRITING);
    this.turnTo((this.version - 1) | 0);
    this.lastRows = this.rowBytes >> 2;
    this.turnTo(this.version);
    const { buffer } = this;
    i32[buffer + BUFFER.tick] = tick;
    i32[buffer + BUFFER.publisher] = publisher;
    i32[buffer + BUFFER.cells] = 0;
    i32[buffer + BUFFER.rows] = 0;
    i32[buffer + BUFFER.placed] = 0;
    let stamp = i32[buffer + BUFFER.stamp] + 1;
    if (stamp > LAST_STAMP) {
      // After 2^31 ticks the stamps begin again; places of the first round must not count in the second.
      i32.fill(0, this.hash, this.cellWords);
      stamp = 1;
    }
    i32[buffer + BUFFER.stamp] = stamp;
  }

  /** Index of a cell, added if it is new; −1 when the cells are used up. */
  cell(cell: number): number {
    this.scratch[0] = cell;
    return this.cellFrom(this.scratch, 0);
  }

  /** The same for the number at a place of an array (why: `columnAt`, geo/tile.ts). */
  cellFrom(numbers: Float64Array, from: number): number {
    const { i32, f64, hashMask, buffer } = this;
    const cell = numbers[from];
    const stamp = i32[buffer + BUFFER.stamp];
    let place = hashAt(numbers, from) & hashMask;
    for (; i32[this.hash + place * 2] === stamp; place = (place + 1) & hashMask) {
      const c = i32[this.hash + place * 2 + 1];
      if (f64[this.cellWord(c) >> 1] === cell) return c;
    }
    const c = i32[buffer + BUFFER.cells];
    if (c >= this.cells) return -1;
    const at = this.cellWord(c);
    f64[at >> 1] = cell;
    i32[at + CELL.count] = 0;
    i32[at + CELL.lastSeq] = 0;
    i32[this.hash + place * 2 + 1] = c;
    i32[this.hash + place * 2] = stamp;
    i32[buffer + BUFFER.cells] = c + 1;
    return c;
  }

  /** First pass: one more row for a cell. */
  addRow(c: number): void {
    this.i32[this.cellWord(c) + CELL.count]++;
  }

  /** Between the passes: gives each cell its stretch of rows. */
  place(): void {
    const { i32 } = this;
    const cells = this.cellCount;
    let start = 0;
    for (let c = 0, at = this.cellWord(0); c < cells; c++, at += CELL_BYTES >> 2) {
      i32[at + CELL.start] = start;
      i32[at + CELL.filled] = start;
      start += i32[at + CELL.count];
    }
    assert(start <= this.rows, 'I7: a view has room for every entity of its shard');
    i32[this.buffer + BUFFER.rows] = start;
    i32[this.buffer + BUFFER.placed] = cells;
  }

  /** Second pass: the next row of a cell. Units as in ROW. */
  row(
    c: number,
    id: number,
    x: number,
    y: number,
    vx: number,
    vy: number,
    pub0: number,
    pub1: number,
    slot: number,
    epoch: number,
    kind: number,
    flags: number,
  ): void {
    const { i32, u32, f32, f64, u16 } = this;
    const byte = this.rowByte(this.nextRow(c));
    const d = byte >> 3;
    const w = byte >> 2;
    f64[d] = id;
    f64[d + 1] = x;
    f64[d + 2] = y;
    f32[w + 6] = vx;
    f32[w + 7] = vy;
    u32[w + 8] = pub0;
    u32[w + 9] = pub1;
    i32[w + 10] = slot;
    u32[w + 11] = epoch;
    u16[(byte + ROW.kind) >> 1] = kind;
    u16[(byte + ROW.flags) >> 1] = flags;
  }

  /** Place of the next row of a cell. */
  nextRow(c: number): number {
    return this.i32[this.cellWord(c) + CELL.filled]++;
  }

  /** The row of a slot at a place inside of its cell's stretch, each place once: passes no doubles. */
  putSlot(row: number, arena: Arena, slot: number, flags: number): void {
    const { i32, u32, f32, f64, u16 } = this;
    const byte = this.rowBytes + row * ROW_BYTES;
    const d = byte >> 3;
    const w = byte >> 2;
    const header = arena.header(slot);
    const hot = arena.hot(slot);
    const pub = (hot + HOT.components) >> 2;
    f64[d] = arena.f64[(header + HEADER.id) >> 3];
    f64[d + 1] = arena.f64[(hot + HOT.x) >> 3];
    f64[d + 2] = arena.f64[(hot + HOT.y) >> 3];
    f32[w + 6] = arena.f32[(hot + HOT.vx) >> 2];
    f32[w + 7] = arena.f32[(hot + HOT.vy) >> 2];
    u32[w + 8] = arena.u32[pub];
    u32[w + 9] = arena.u32[pub + 1];
    i32[w + 10] = slot;
    u32[w + 11] = arena.u32[(header + HEADER.epoch) >> 2];
    u16[(byte + ROW.kind) >> 1] = arena.u16[(hot + HOT.kind) >> 1];
    u16[(byte + ROW.flags) >> 1] = flags;
  }

  /** A row as it stood at a place of the view before, which this writer wrote as well. */
  copyRow(row: number, before: number): void {
    const { i32 } = this;
    let to = (this.rowBytes + row * ROW_BYTES) >> 2;
    const end = to + ROW_WORDS;
    for (let from = this.lastRows + before * (ROW_BYTES >> 2); to < end; from++, to++) i32[to] = i32[from];
  }

  /** Shows the view. */
  publish(): void {
    Atomics.store(this.i32, VERSION, this.version);
  }

  /** After `place`: an entry of its own for a part of a cell. @returns its index, or −1 when the cells are used up */
  range(keys: Float64Array, from: number, start: number, count: number): number {
    const c = this.cellFrom(keys, from);
    if (c < 0) return -1;
    const at = this.cellWord(c);
    this.i32[at + CELL.start] = start;
    this.i32[at + CELL.count] = count;
    return c;
  }

  /** First row of a cell in the view being written, or just published. */
  cellStart(c: number): number {
    return this.i32[this.cellWord(c) + CELL.start];
  }
  /** Rows of a cell in the view being written, or just published. */
  cellRows(c: number): number {
    return this.i32[this.cellWord(c) + CELL.count];
  }
  /**
   * Notes the tick of the newest frame of a cell's stream, before `publish` or after it; but before that frame leaves
   * the shard: else a gateway may pass the frame on and then send an older key to a new subscriber.
   */
  setLastSeq(c: number, tick: number): void {
    Atomics.store(this.i32, this.cellWord(c) + CELL.lastSeq, tick);
  }

  /** Cell numbers of the newest published view: the streams that a dead predecessor may have left. For a start only. */
  cellsOfLast(): number[] {
    const version = Atomics.load(this.i32, VERSION);
    if (version === 0) return [];
    this.turnTo(version);
    return Array.from({ length: this.cellCount }, (_, c) => this.cellAt(c));
  }
}
