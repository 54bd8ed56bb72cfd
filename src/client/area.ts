/**
 * The square of cells around a position, far rings included: what the server subscribes a client to. Pure arithmetic on
 * cell numbers (row × columns + column of the cell level); columns wrap, rows end at the walls.
 */
import { tileColumns, tileNorth, tileSize, tileWest, tileX, tileY } from '../geo/tile.js';
import { clampY, wrapX } from '../geo/world.js';

/** Rings beyond the view whose frames are taken too. */
const EXTRA_RINGS = 1;
/**
 * A cell that was in view is kept while it would be in view from a place so near, metres: the server does the same with
 * 10 m and looks again every 2 m, lest walking to and fro on a cell's border should cost key frames. We may hold it
 * longer, not shorter.
 */
const KEPT_M = 14;

export class Area {
  level = 0;
  private columns = 2;
  private radius = 1;
  private ownColumn = -1;
  private ownRow = -1;
  private ownX = 0;
  private ownY = 0;
  /** Side of a cell in metres. */
  cellSize = tileSize(0);

  /** @param side cells per side of the view (odd); @param level of the cells; both from Welcome */
  configure(side: number, level: number): void {
    this.level = level;
    this.columns = tileColumns(level);
    this.radius = (side - 1) >> 1;
    this.cellSize = tileSize(level);
    this.ownColumn = -1;
    this.ownRow = -1;
  }

  /** @returns whether the middle cell is another one now */
  moveTo(x: number, y: number): boolean {
    const column = tileX(x, this.level);
    const row = tileY(y, this.level);
    this.ownX = x;
    this.ownY = y;
    if (column === this.ownColumn && row === this.ownRow) return false;
    this.ownColumn = column;
    this.ownRow = row;
    return true;
  }

  number(column: number, row: number): number {
    return row * this.columns + column;
  }

  cellAt(x: number, y: number): number {
    return this.number(tileX(x, this.level), tileY(y, this.level));
  }

  column(cell: number): number {
    return cell % this.columns;
  }

  row(cell: number): number {
    return Math.floor(cell / this.columns);
  }

  inView(cell: number): boolean {
    return this.within(cell, this.radius);
  }

  /** In view, or so near to it that the server may send it already. */
  inReach(cell: number): boolean {
    return this.within(cell, this.radius + EXTRA_RINGS);
  }

  /** In view, or left so short a time ago that the server has gone on sending it. */
  isKept(cell: number): boolean {
    if (this.inView(cell)) return true;
    const { level, columns } = this;
    const column = this.column(cell);
    const row = this.row(cell);
    const rowLow = tileY(clampY(this.ownY + KEPT_M), level) - this.radius;
    const rowHigh = tileY(clampY(this.ownY - KEPT_M), level) + this.radius;
    if (row < rowLow || row > rowHigh) return false;
    const west = tileX(wrapX(this.ownX - KEPT_M), level) - this.radius;
    const east = tileX(wrapX(this.ownX + KEPT_M), level) + this.radius;
    return (column - west + columns) % columns <= (east - west + columns) % columns;
  }

  /** West edge, metres. */
  west(column: number): number {
    return tileWest(column, this.level);
  }

  /** South edge, metres. */
  south(row: number): number {
    return tileNorth(row + 1, this.level);
  }

  private within(cell: number, radius: number): boolean {
    const column = cell % this.columns;
    const row = (cell - column) / this.columns;
    const down = row - this.ownRow;
    if (down > radius || down < -radius) return false;
    let right = column - this.ownColumn;
    if (right > this.columns / 2) right -= this.columns;
    else if (right < -this.columns / 2) right += this.columns;
    return right <= radius && right >= -radius;
  }
}
