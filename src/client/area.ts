/**
 * The square of cells around a position: what the server subscribes a client to. Pure arithmetic on cell numbers
 * (row × columns + column of the cell level); columns wrap, rows end at the walls.
 */
import { WIDTH, tileX, tileY } from '../geo/tile.js';

/** Rings beyond the view in which streams and entities are still kept. */
const EXTRA_RINGS = 1;

export class Area {
  private level = 0;
  private columns = 2;
  private radius = 1;
  private column = -1;
  private row = -1;
  /** Side of a cell in metres. */
  cellSize = WIDTH / 2;

  /** @param side cells per side of the view (odd); @param level of the cells; both from Welcome */
  configure(side: number, level: number): void {
    this.level = level;
    this.columns = 2 ** (level + 1);
    this.radius = (side - 1) >> 1;
    this.cellSize = WIDTH / this.columns;
    this.column = -1;
    this.row = -1;
  }

  /** @returns whether the middle cell is another one now */
  moveTo(x: number, y: number): boolean {
    const column = tileX(x, this.level);
    const row = tileY(y, this.level);
    if (column === this.column && row === this.row) return false;
    this.column = column;
    this.row = row;
    return true;
  }

  number(column: number, row: number): number {
    return row * this.columns + column;
  }

  get own(): number {
    return this.row * this.columns + this.column;
  }

  inView(cell: number): boolean {
    return this.within(cell, this.radius);
  }

  /** In view or so near to it that the server may still, or already, send it. */
  inReach(cell: number): boolean {
    return this.within(cell, this.radius + EXTRA_RINGS);
  }

  /** West edge, metres. */
  west(column: number): number {
    return -WIDTH / 2 + column * this.cellSize;
  }

  /** South edge, metres. */
  south(row: number): number {
    return WIDTH / 4 - (row + 1) * this.cellSize;
  }

  private within(cell: number, radius: number): boolean {
    const column = cell % this.columns;
    const row = (cell - column) / this.columns;
    const down = row - this.row;
    if (down > radius || down < -radius) return false;
    let right = column - this.column;
    if (right > this.columns / 2) right -= this.columns;
    else if (right < -this.columns / 2) right += this.columns;
    return right <= radius && right >= -radius;
  }
}
