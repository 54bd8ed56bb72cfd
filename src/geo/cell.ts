/**
 * Cells: the tiles of LIMITS.cellLevel, fine enough to say who sees whom; pure and allocation-free. A cell is named
 * by its number, row · 2^(cellLevel + 1) + column, an integer below 2^35 and so a float64, not an Int32.
 */
import { assert } from '../base/assert.js';
import { LIMITS } from '../base/limits.js';
import { tileColumns, tileRows, tileSize, tileX, tileY } from './tile.js';
import { QUARTER_WIDTH } from './world.js';

const LEVEL = LIMITS.cellLevel;
export const CELL_COLUMNS = tileColumns(LEVEL);
export const CELL_ROWS = tileRows(LEVEL);

/** Edge of a cell, metres (of another level's cells, where a client was told one). */
export function cellSize(level: number = LEVEL): number {
  return tileSize(level);
}

/** Column of the cell of a wrapped x, metres. */
export function cellColumn(x: number): number {
  return tileX(x, LEVEL);
}

/** Row of the cell of a y between the walls, metres. */
export function cellRow(y: number): number {
  return tileY(y, LEVEL);
}

/** Number of the cell of a place, metres. */
export function cellNumber(x: number, y: number): number {
  return tileY(y, LEVEL) * CELL_COLUMNS + tileX(x, LEVEL);
}

/** Number of the cell in this column and row. */
export function cellOf(column: number, row: number): number {
  return row * CELL_COLUMNS + column;
}

export function columnOfCell(cell: number): number {
  return cell % CELL_COLUMNS;
}

export function rowOfCell(cell: number): number {
  return Math.floor(cell / CELL_COLUMNS);
}

/**
 * Writes the numbers of the side × side cells around a cell (itself in the middle) to out, row by row from the
 * north-west, and returns how many: fewer than side² only at the walls. Wraps in x.
 * @param side odd, at most CELL_COLUMNS; out has side² places
 */
export function cellsAround(cell: number, side: number, out: Float64Array): number {
  assert((side & 1) === 1 && side <= CELL_COLUMNS, 'I6 a view has a middle cell and does not meet itself');
  assert(out.length >= side * side, 'I7 cellsAround: room for every cell');
  const reach = side >> 1;
  const column = columnOfCell(cell);
  const row = rowOfCell(cell);
  const last = Math.min(CELL_ROWS - 1, row + reach);
  let count = 0;
  for (let r = Math.max(0, row - reach); r <= last; r++) {
    for (let c = column - reach; c <= column + reach; c++) {
      out[count++] = r * CELL_COLUMNS + ((c + CELL_COLUMNS) & (CELL_COLUMNS - 1));
    }
  }
  return count;
}

/**
 * Writes the numbers of all cells that the square of half-edge radius (metres) around a place touches, ring by ring
 * outwards from the place's own cell, so that whoever looks at only some of them looks at the nearest. Returns how
 * many; wraps in x, ends at the walls. Each cell once: the square is narrower than the world.
 * @param out (2 · ceil(radius / cellSize) + 2)² places are always enough: rounding may add one a side
 */
export function cellsWithin(x: number, y: number, radius: number, out: Float64Array): number {
  assert(radius >= 0 && radius < QUARTER_WIDTH, 'I6 cellsWithin: the square does not meet itself');
  const column = tileX(x, LEVEL);
  const row = tileY(y, LEVEL);
  const west = tileX(x - radius, LEVEL); // not wrapped: west ≤ column ≤ east
  const east = tileX(x + radius, LEVEL);
  const north = Math.max(0, tileY(y + radius, LEVEL));
  const south = tileY(y - radius, LEVEL);
  const rings = Math.max(column - west, east - column, row - north, south - row, 0);
  let count = 0;
  for (let ring = 0; ring <= rings; ring++) {
    for (let r = Math.max(north, row - ring); r <= Math.min(south, row + ring); r++) {
      const whole = r === row - ring || r === row + ring; // the top and bottom line of the ring
      const stride = whole || ring === 0 ? 1 : 2 * ring;
      for (let c = column - ring; c <= column + ring; c += stride) {
        if (c < west || c > east) continue;
        assert(count < out.length, 'I7 cellsWithin: room for every cell');
        out[count++] = r * CELL_COLUMNS + ((c + CELL_COLUMNS) & (CELL_COLUMNS - 1));
      }
    }
  }
  return count;
}
