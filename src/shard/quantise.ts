/** Positions inside a cell as 16-bit fractions of its side, velocities as cm/s; what EntityState carries. */
import { LIMITS } from '../base/limits.js';
import { cellSize, columnOfCell, rowOfCell } from '../geo/cell.js';
import { tileNorth, tileWest } from '../geo/tile.js';
import { dx } from '../geo/world.js';

const LEVEL = LIMITS.cellLevel;

export class Quantiser {
  private readonly size = cellSize();
  private west = 0;
  private south = 0;

  /** @param cell cell number that the following positions are relative to */
  open(cell: number): void {
    this.west = tileWest(columnOfCell(cell), LEVEL);
    this.south = tileNorth(rowOfCell(cell), LEVEL) - this.size;
  }

  /** Fraction of the cell's side from its west edge, 0…65535. */
  x(x: number): number {
    return clamp(Math.floor((dx(this.west, x) / this.size) * 65536), 0, 65535);
  }

  /** Fraction of the cell's side from its south edge, 0…65535. */
  y(y: number): number {
    return clamp(Math.floor(((y - this.south) / this.size) * 65536), 0, 65535);
  }

  /** @param v m/s @returns cm/s, clamped to ±327 m/s */
  speed(v: number): number {
    return clamp(Math.round(v * 100), -32768, 32767);
  }
}

function clamp(v: number, low: number, high: number): number {
  return v < low ? low : v > high ? high : v;
}
