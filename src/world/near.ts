/**
 * `entitiesNear`: who stands within a radius of a point, over all borders. Reads only the published views of the
 * shards, never a foreign record; what it sees is at most one tick old, in order of id.
 *
 * A reader of a view may be overtaken by its writer; the rows it took from that view are then dropped and read anew.
 */
import { LIMITS } from '../base/limits.js';
import { assert } from '../base/assert.js';
import { cellSize, cellsWithin } from '../geo/cell.js';
import { dx } from '../geo/world.js';
import { ROW, type ViewReader } from '../memory/view.js';

/** Most entities that one query reports; the nearest cells first, the rest is counted in `cut`. */
export const NEAR_PLACES = 4096;
/** Most cells that one query looks at: a radius of 8 cells (about 1.2 km), which may touch 18 a side. */
const CELL_PLACES = 324;

/** A reused result: i-th entity by ascending id. Valid until the next query. */
export class NearResult {
  count = 0;
  /** Entities left out because the result was full. */
  cut = 0;
  readonly ids = new Float64Array(NEAR_PLACES);
  readonly xs = new Float64Array(NEAR_PLACES);
  readonly ys = new Float64Array(NEAR_PLACES);
  readonly kinds = new Uint16Array(NEAR_PLACES);
  readonly epochs = new Uint32Array(NEAR_PLACES);
  private readonly order = new Uint32Array(NEAR_PLACES);
  private readonly keys = new Float64Array(NEAR_PLACES);

  id(i: number): number {
    return this.ids[this.order[i]!]!;
  }
  x(i: number): number {
    return this.xs[this.order[i]!]!;
  }
  y(i: number): number {
    return this.ys[this.order[i]!]!;
  }
  kind(i: number): number {
    return this.kinds[this.order[i]!]!;
  }

  /** Orders by id and drops the older of two states of one entity (its old and new owner may both show it). */
  arrange(): void {
    // Shell sort over indices: no comparator closure, no allocation; results are small.
    const n = this.count;
    for (let i = 0; i < n; i++) {
      this.order[i] = i;
      this.keys[i] = this.ids[i]!;
    }
    for (let gap = n >> 1; gap > 0; gap >>= 1) {
      for (let i = gap; i < n; i++) {
        const index = this.order[i]!;
        const key = this.keys[index]!;
        let j = i;
        while (j >= gap && this.after(this.order[j - gap]!, key, index)) {
          this.order[j] = this.order[j - gap]!;
          j -= gap;
        }
        this.order[j] = index;
      }
    }
    let out = 0;
    for (let i = 0; i < n; i++) {
      const index = this.order[i]!;
      if (out > 0 && this.ids[this.order[out - 1]!] === this.ids[index]) continue;
      this.order[out++] = index;
    }
    this.count = out;
  }

  /** Whether `a` belongs behind (key, index): greater id, or the same id with an older epoch. */
  private after(a: number, key: number, index: number): boolean {
    const ka = this.keys[a]!;
    return ka > key || (ka === key && this.epochs[a]! < this.epochs[index]!);
  }
}

/** Finds entities around a point; one per thread, reused. */
export class Neighbourhood {
  readonly result = new NearResult();
  private readonly cells = new Float64Array(CELL_PLACES);

  /** @param views the views of all shards, the own one among them */
  constructor(private readonly views: readonly ViewReader[]) {}

  /**
   * @param radius metres, at most 8 cells (about 1.2 km)
   * @returns the reused result; distance is the plane's, x the shortest way round
   */
  query(x: number, y: number, radius: number): NearResult {
    assert(radius >= 0 && radius <= 8 * cellSize(LIMITS.cellLevel), 'near: radius within 8 cells');
    const out = this.result;
    out.count = 0;
    out.cut = 0;
    const cells = cellsWithin(x, y, radius, this.cells);
    for (let v = 0; v < this.views.length; v++) this.readView(this.views[v]!, cells, x, y, radius);
    out.arrange();
    return out;
  }

  private readView(view: ViewReader, cells: number, x: number, y: number, radius: number): void {
    const before = this.result.count;
    const cutBefore = this.result.cut;
    for (;;) {
      if (!view.open()) return;
      for (let c = 0; c < cells; c++) this.readCell(view, this.cells[c]!, x, y, radius);
      if (view.valid()) return;
      this.result.count = before;
      this.result.cut = cutBefore;
    }
  }

  private readCell(view: ViewReader, cell: number, x: number, y: number, radius: number): void {
    const at = view.find(cell);
    if (at < 0) return;
    const out = this.result;
    const end = view.start(at) + view.count(at);
    for (let row = view.start(at); row < end; row++) {
      const byte = view.rowByte(row);
      const rx = view.f64[(byte + ROW.x) >> 3]!;
      const ry = view.f64[(byte + ROW.y) >> 3]!;
      const ex = dx(x, rx);
      const ey = ry - y;
      if (ex * ex + ey * ey > radius * radius) continue;
      if (out.count === NEAR_PLACES) {
        out.cut++;
        continue;
      }
      const i = out.count++;
      out.ids[i] = view.f64[(byte + ROW.id) >> 3]!;
      out.xs[i] = rx;
      out.ys[i] = ry;
      out.kinds[i] = view.u16[(byte + ROW.kind) >> 1]!;
      out.epochs[i] = view.u32[(byte + ROW.epoch) >> 2]!;
    }
  }
}
