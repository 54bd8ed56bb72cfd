/**
 * Positions inside a cell as 16-bit fractions of its side, velocities as cm/s: what an EntityState carries. One place
 * for it, since deltas come from shards and key frames from gateways, and both must round alike. Pure.
 */
import { LIMITS } from '../base/limits.js';
import { cellSize, columnOfCell, rowOfCell } from './cell.js';
import { tileNorth, tileWest } from './tile.js';
import { dx } from './world.js';

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

  /** The same, and below, of what stands at a place of an array (why: `columnAt`, tile.ts). */
  openAt(cells: Float64Array, at: number): void {
    const cell = cells[at]!;
    this.west = tileWest(columnOfCell(cell), LEVEL);
    this.south = tileNorth(rowOfCell(cell), LEVEL) - this.size;
  }
  xAt(f64: Float64Array, at: number): number {
    return clamp(Math.floor((dx(this.west, f64[at]!) / this.size) * 65536), 0, 65535) | 0;
  }
  yAt(f64: Float64Array, at: number): number {
    return clamp(Math.floor(((f64[at]! - this.south) / this.size) * 65536), 0, 65535) | 0;
  }
  speedAt(f32: Float32Array, at: number): number {
    return clamp(Math.round(f32[at]! * 100), -32768, 32767) | 0;
  }

  /** Fraction of the cell's side from its west edge, 0…65535. @param x world metres */
  x(x: number): number {
    return clamp(Math.floor((dx(this.west, x) / this.size) * 65536), 0, 65535);
  }

  /** Fraction of the cell's side from its south edge, 0…65535. @param y world metres */
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
