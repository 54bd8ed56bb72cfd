/**
 * How many entities stand and move in a cell, counted from the published views a few times a second, where somebody asks;
 * and what they really cost, measured by the frames that pass by. Local to one gateway.
 */
import { CLASS_FRAMES } from '../base/rates.js';
import { LEAVES, leafOf, rateOfKey, squareOfKey } from '../geo/square.js';
import { ROW, type ViewReader } from '../memory/view.js';
import { FRAME_BYTES, MOVER_BYTES, entitiesIn } from './cut.js';

/** Counts are taken anew after this time. */
const COUNT_MS = 500;
/** The same where few are: it takes a crowd longer to come together. */
const FEW_MS = 2000;
/** Cells that nobody asks about are forgotten. */
const FORGET_MS = 10_000;
/** There may be a hundred thousand of them. */
const SWEEP_MS = 2000;
/** A cell with fewer is not counted leaf by leaf. */
const FEW = 16;
/** How much of a new measurement counts, and how far it may lie from the estimate. */
const FRESH = 0.15;
const LEAST_FACTOR = 0.5;
const MOST_FACTOR = 4;

/** What passes by of a stream. */
export interface Passing {
  readonly key: number;
  /** Without any nothing passes. */
  readonly watchers: number;
  /** Bytes published so far; by whoever counts, how many of them were looked at. */
  bytes: number;
  seenBytes: number;
}

const NEVER = -(2 ** 30);
/** Of an empty cell, as most are. */
const NOTHING = new Float32Array(LEAVES);

export class CellCount {
  /** Out of the table: another one may have been made since. */
  isForgotten = false;
  /** All entities of the cell, and by leaf (only where they are many). */
  total = 0;
  entities = NOTHING;
  /** Bytes a frame at class 0 of those that move: by leaf, in all. */
  bytes = NOTHING;
  allBytes = 0;
  isByLeaf = false;
  /** Whole ms: a number that is no small integer is an object of its own, and there are a hundred thousand of these. */
  takenAt = NEVER;
  askedAt = 0;

  constructor(readonly cell: number) {}

  /** Bytes that passed and bytes that were expected, fading. */
  passed = 0;
  expected = 0;

  /** Nothing in any leaf; with room for something if there is. */
  clear(): void {
    if (this.total === 0) {
      this.entities = this.bytes = NOTHING;
    } else if (this.entities === NOTHING) {
      this.entities = new Float32Array(LEAVES);
      this.bytes = new Float32Array(LEAVES);
    } else {
      this.entities.fill(0);
      this.bytes.fill(0);
    }
  }

  get factor(): number {
    if (this.expected < FRAME_BYTES) return 1;
    return Math.min(MOST_FACTOR, Math.max(LEAST_FACTOR, this.passed / this.expected));
  }
}

export class Crowds {
  private readonly cells = new Map<number, CellCount>();
  private sweptAt = 0;

  /** @param streamsOf streams of a cell that pass by here @param framesPerS of class 0 */
  constructor(
    private readonly views: readonly ViewReader[],
    private readonly streamsOf: (cell: number) => Iterable<Passing>,
    private readonly framesPerS: number,
  ) {}

  count(cell: number, now: number): CellCount {
    let count = this.cells.get(cell);
    if (count === undefined) {
      count = new CellCount(cell);
      this.cells.set(cell, count);
    }
    return this.asked(count, now);
  }

  /**
   * The same for many cells, again and again, without a search for each.
   * @param counts what it returned before for the same cells, in their order; brought up to date
   */
  countAll(cells: ArrayLike<number>, counts: CellCount[], now: number): readonly CellCount[] {
    for (let i = 0; i < cells.length; i++) {
      const known = counts[i];
      counts[i] =
        known === undefined || known.isForgotten ? this.count(cells[i]!, now) : this.asked(known, now);
    }
    return counts;
  }

  private asked(count: CellCount, now: number): CellCount {
    count.askedAt = Math.floor(now);
    if (now - count.takenAt >= (count.isByLeaf ? COUNT_MS : FEW_MS)) this.take(count.cell, count, now);
    return count;
  }

  sweep(now: number): void {
    if (now - this.sweptAt < SWEEP_MS) return;
    this.sweptAt = now;
    for (const count of this.cells.values()) {
      if (now - count.askedAt <= FORGET_MS) continue;
      count.isForgotten = true;
      this.cells.delete(count.cell);
    }
  }

  private take(cell: number, count: CellCount, now: number): void {
    const total = this.totalOf(cell);
    // Most cells are empty and stay so: nothing passes of them.
    const isEmpty = total === 0 && count.total === 0 && count.expected < FRAME_BYTES;
    if (isEmpty) count.passed = count.expected = 0;
    else this.measure(cell, count, (now - count.takenAt) / 1000);
    count.takenAt = Math.floor(now);
    count.total = total;
    count.allBytes = 0;
    count.isByLeaf = total >= FEW;
    count.clear();
    if (total === 0) return;
    for (const view of this.views) this.addView(view, cell, count);
    const { factor } = count;
    for (let leaf = 0; leaf < LEAVES; leaf++) {
      count.bytes[leaf]! *= factor;
      count.allBytes += count.bytes[leaf]!;
    }
  }

  private totalOf(cell: number): number {
    let total = 0;
    for (const view of this.views) {
      if (!view.open()) continue;
      const c = view.find(cell);
      if (c >= 0) total += view.count(c);
    }
    return total;
  }

  /** A view that is overtaken meanwhile counts a little wrong: never mind. */
  private addView(view: ViewReader, cell: number, count: CellCount): void {
    if (!view.open()) return;
    const c = view.find(cell);
    if (c < 0) return;
    const end = view.start(c) + view.count(c);
    for (let row = view.start(c); row < end; row++) {
      const byte = view.rowByte(row);
      const leaf = leafOf(cell, view.f64[(byte + ROW.x) >> 3], view.f64[(byte + ROW.y) >> 3]);
      count.entities[leaf]!++;
      const v = byte >> 2;
      if (view.f32[v + (ROW.vx >> 2)] !== 0 || view.f32[v + (ROW.vy >> 2)] !== 0)
        count.bytes[leaf]! += MOVER_BYTES;
    }
  }

  /** Holds what passed since the last count against what was expected then. */
  private measure(cell: number, count: CellCount, seconds: number): void {
    let passed = 0;
    let expected = 0;
    const { factor } = count;
    for (const stream of this.streamsOf(cell)) {
      passed += stream.bytes - stream.seenBytes;
      stream.seenBytes = stream.bytes;
      if (stream.watchers === 0) continue;
      const bytes = entitiesIn(squareOfKey(stream.key), count.bytes) / factor;
      if (bytes > 0) expected += (bytes + FRAME_BYTES) / CLASS_FRAMES[rateOfKey(stream.key)]!;
    }
    if (count.takenAt === NEVER || seconds <= 0) return;
    const share = Math.min(1, FRESH * (seconds / (COUNT_MS / 1000)));
    count.passed += (passed - count.passed) * share;
    count.expected += (expected * this.framesPerS * seconds - count.expected) * share;
  }
}
