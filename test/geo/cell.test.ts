import fc from 'fast-check';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import {
  CELL_COLUMNS,
  CELL_ROWS,
  cellColumn,
  cellNumber,
  cellOf,
  cellRow,
  cellSize,
  cellsAround,
  cellsWithin,
  columnOfCell,
  rowOfCell,
} from '../../src/geo/cell.js';
import { indexOfTile, neighboursOf } from '../../src/geo/address.js';
import { tileIndex, tileWest } from '../../src/geo/tile.js';
import { clampY, dx, HALF_WIDTH, QUARTER_WIDTH, wrapX } from '../../src/geo/world.js';
import { anyX as evenX, anyY as evenY, evenly } from './places.js';

const anyX = fc.oneof(
  evenX,
  evenly(HALF_WIDTH - 2000, HALF_WIDTH + 2000).map(wrapX),
  fc.nat(CELL_COLUMNS - 1).map((column) => tileWest(column, LIMITS.cellLevel)),
);
const anyY = fc.oneof(
  evenY,
  evenly(QUARTER_WIDTH - 2000, QUARTER_WIDTH + 500).map(clampY),
  evenly(-QUARTER_WIDTH - 500, -QUARTER_WIDTH + 2000).map(clampY),
);
const out = new Float64Array(1024);

t.test('a cell is a tile of the cell level, named by its number', async (t) => {
  t.equal(CELL_COLUMNS, 2 ** 18);
  fc.assert(
    fc.property(anyX, anyY, (x, y) => {
      const cell = cellNumber(x, y);
      const parts = columnOfCell(cell) === cellColumn(x) && rowOfCell(cell) === cellRow(y);
      const same = cell === tileIndex(x, y, LIMITS.cellLevel) && cell === cellOf(cellColumn(x), cellRow(y));
      return parts && same && cell >= 0 && cell < 2 ** 35;
    }),
    { numRuns: 1000 },
  );
});

t.test('the cells around are the neighbours and the cell itself', async (t) => {
  fc.assert(
    fc.property(anyX, anyY, (x, y) => {
      const cell = cellNumber(x, y);
      const count = cellsAround(cell, 3, out);
      const tile = { z: LIMITS.cellLevel, x: columnOfCell(cell), y: rowOfCell(cell) };
      const expected = [tile, ...neighboursOf(tile)].map(indexOfTile).sort((a, b) => a - b);
      const got = [...out.subarray(0, count)].sort((a, b) => a - b);
      return got.length === expected.length && got.every((c, i) => c === expected[i]);
    }),
  );
  t.equal(cellsAround(cellOf(0, 0), 3, out), 6, 'two rows at the wall');
  t.strictSame([...out.subarray(0, 3)], [CELL_COLUMNS - 1, 0, 1], 'over the antimeridian');
  t.equal(cellsAround(cellOf(9, 9), 1, out), 1);
  t.equal(cellsAround(cellOf(9, CELL_ROWS - 1), 5, out), 15);
});

t.test('a view without a middle, or without room, is refused', async (t) => {
  t.throws(() => cellsAround(0, 2, out), /middle/);
  t.throws(() => cellsAround(0, 3, new Float64Array(8)), /I7/);
  t.doesNotThrow(() => cellsAround(0, 3, new Float64Array(9)));
  t.throws(() => cellsWithin(0, 0, 100, new Float64Array(3)), /I7/);
});

t.test('whoever is within the radius stands in one of the cells, each named once', async () => {
  const radius = fc.oneof(
    evenly(0, 8 * cellSize()),
    fc.nat(8).map((cells) => cells * cellSize()),
  );
  const share = fc.oneof(evenly(-1, 1), fc.constantFrom(-1, 0, 1));
  fc.assert(
    fc.property(anyX, anyY, radius, share, share, (x, y, r, east, north) => {
      const count = cellsWithin(x, y, r, out);
      const cells = new Set(out.subarray(0, count));
      const there = cellNumber(wrapX(x + r * east), clampY(y + r * north));
      return cells.size === count && count <= 18 * 18 && cells.has(cellNumber(x, y)) && cells.has(there);
    }),
    { numRuns: 3000 },
  );
});

t.test('no cell is named that the square does not touch, and rings come from the inside out', async () => {
  fc.assert(
    fc.property(anyX, anyY, evenly(0, 1000), (x, y, r) => {
      const count = cellsWithin(x, y, r, out);
      let last = 0;
      for (let i = 0; i < count; i++) {
        const columns =
          Math.abs(dx(tileWest(cellColumn(x), 17), tileWest(columnOfCell(out[i]), 17))) / cellSize();
        const rows = Math.abs(rowOfCell(out[i]) - cellRow(y));
        const ring = Math.max(Math.round(columns), rows);
        if (ring < last || (ring - 1) * cellSize() > r + 1e-6) return false;
        last = ring;
      }
      return true;
    }),
    { numRuns: 1000 },
  );
});
