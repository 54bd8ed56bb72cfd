/** Positions inside a cell as 16-bit fractions of its side, velocities as cm/s; what EntityState carries. */
import { clampInt } from '../base/clamp.js';
import { cellSouth, cellWest } from '../geo/cell.js';
import { dx } from '../geo/world.js';

export class Quantiser {
  private west = 0;
  private south = 0;

  /** @param size side of a cell in metres */
  constructor(private readonly size: number) {}

  /** @param cell cell number that the following positions are relative to */
  open(cell: number): void {
    this.west = cellWest(cell);
    this.south = cellSouth(cell);
  }

  x(x: number): number {
    return clampInt((dx(this.west, x) / this.size) * 65536, 0, 65535);
  }

  y(y: number): number {
    return clampInt(((y - this.south) / this.size) * 65536, 0, 65535);
  }

  /** @param v m/s; clamps to ±327 m/s */
  speed(v: number): number {
    return clampInt(v * 100, -32768, 32767);
  }
}
