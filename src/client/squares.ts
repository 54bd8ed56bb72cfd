/**
 * The squares that this client is shown at the moment, with the rate that it was told of each. A cell is shown whole or
 * in parts (geo/square.ts); who begins to be shown ends whatever overlaps it.
 *
 * A *place* is a cell and a square of it in one number, as streams are named by.
 */
import { overlap } from '../geo/square.js';

/** Above every cell number of any level that a server may use. */
const CELLS = 2 ** 40;

export function placeOf(cell: number, square: number): number {
  return square * CELLS + cell;
}
export function cellOfPlace(place: number): number {
  return place % CELLS;
}
export function squareOfPlace(place: number): number {
  return Math.floor(place / CELLS);
}
/** Whether two places have ground in common. */
export function meet(a: number, b: number): boolean {
  return cellOfPlace(a) === cellOfPlace(b) && overlap(squareOfPlace(a), squareOfPlace(b));
}

export class Squares {
  /** Ticks between frames with states, by place. */
  private readonly intervals = new Map<number, number>();
  /** The longest of them; 0 = none. */
  slowest = 0;

  get size(): number {
    return this.intervals.size;
  }

  begin(place: number, interval: number): void {
    for (const other of this.intervals.keys()) if (meet(other, place)) this.intervals.delete(other);
    this.tell(place, interval);
  }

  /** A square is not shown any more. */
  end(place: number): void {
    this.intervals.delete(place);
    this.measure();
  }

  /** The same square at another rate. */
  tell(place: number, interval: number): void {
    this.intervals.set(place, interval);
    this.measure();
  }

  /** Ticks between frames with states of a square; 0 = not shown. */
  intervalOf(place: number): number {
    return this.intervals.get(place) ?? 0;
  }

  /** Ticks between two frames with states of the slowest square of a cell; 0 = not shown. */
  slowestOf(cell: number): number {
    let slowest = 0;
    for (const [place, interval] of this.intervals)
      if (cellOfPlace(place) === cell) slowest = Math.max(slowest, interval);
    return slowest;
  }

  /** Squares of a cell and their intervals, for people. */
  describe(cell: number): string {
    const told: string[] = [];
    for (const [place, interval] of this.intervals)
      if (cellOfPlace(place) === cell) told.push(`${squareOfPlace(place)}/${interval}`);
    return told.join(' ') || 'no square';
  }

  retain(keep: (cell: number) => boolean): void {
    for (const place of this.intervals.keys()) if (!keep(cellOfPlace(place))) this.intervals.delete(place);
    this.measure();
  }

  clear(): void {
    this.intervals.clear();
    this.slowest = 0;
  }

  private measure(): void {
    this.slowest = 0;
    for (const interval of this.intervals.values()) this.slowest = Math.max(this.slowest, interval);
  }
}
