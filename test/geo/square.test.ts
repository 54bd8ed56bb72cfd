/** Squares of a cell: numbers, leaves, keys; quantised and real places fall into the same leaf. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { cellNumber, cellSize, columnOfCell, rowOfCell } from '../../src/geo/cell.js';
import { Quantiser } from '../../src/geo/quantise.js';
import {
  LEAVES,
  SQUARES,
  SQUARE_DEPTH,
  cellOfKey,
  depthOf,
  firstLeaf,
  isWithin,
  keyOfPart,
  leafAt,
  leafColumn,
  leafOf,
  leafOfQuantised,
  leafRow,
  leavesOf,
  overlap,
  partOf,
  partOfKey,
  rateOfKey,
  squareOfKey,
  squareOfLeaf,
  streamKey,
} from '../../src/geo/square.js';
import { tileNorth, tileWest } from '../../src/geo/tile.js';

const square = () => fc.nat(SQUARES - 1);

t.test('parts and what holds them', async (t) => {
  for (let s = 0; partOf(s, 3) < SQUARES; s++) {
    for (let q = 0; q < 4; q++) {
      t.equal(depthOf(partOf(s, q)), depthOf(s) + 1);
      t.equal(firstLeaf(partOf(s, q)), firstLeaf(s) + (q * leavesOf(s)) / 4);
    }
  }
  for (let leaf = 0; leaf < LEAVES; leaf++) {
    t.equal(leafAt(leafColumn(leaf), leafRow(leaf)), leaf);
    for (let depth = 0; depth <= SQUARE_DEPTH; depth++) {
      const holder = squareOfLeaf(leaf, depth);
      t.ok(leaf >= firstLeaf(holder) && leaf < firstLeaf(holder) + leavesOf(holder));
    }
  }
  t.same([leafAt(0, 0), leafAt(1, 0), leafAt(0, 1), leafAt(7, 7)], [0, 1, 2, 63], 'from the south-west');
});

t.test('overlap is common leaves', async () => {
  fc.assert(
    fc.property(square(), square(), (a, b) => {
      const end = (s: number) => firstLeaf(s) + leavesOf(s);
      const common = firstLeaf(a) < end(b) && firstLeaf(b) < end(a);
      assert.equal(overlap(a, b), common);
      assert.equal(isWithin(a, b), common && leavesOf(a) <= leavesOf(b));
    }),
  );
});

t.test('keys', async () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 1), square(), fc.nat(4), (low, s, rate) => {
      const cell = low * 16 + 3;
      const key = streamKey(cell, s, rate);
      assert.deepEqual([cellOfKey(key), squareOfKey(key), rateOfKey(key)], [cell, s, rate]);
      assert.equal(keyOfPart(cell, partOfKey(key)), key);
      assert.equal(streamKey(cell, 0, 0), cell);
    }),
  );
});

t.test('a place and its quantised form lie in the same leaf', async () => {
  const quantiser = new Quantiser();
  const cell = cellNumber(123_456, -65_432);
  const west = tileWest(columnOfCell(cell), LIMITS.cellLevel);
  const south = tileNorth(rowOfCell(cell) + 1, LIMITS.cellLevel);
  quantiser.open(cell);
  const part = fc.oneof(
    fc.nat(8).map((n) => n / 8),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  fc.assert(
    fc.property(part, part, (u, v) => {
      const x = west + u * cellSize();
      const y = south + v * cellSize();
      assert.equal(leafOf(cell, x, y), leafOfQuantised(quantiser.x(x), quantiser.y(y)));
    }),
    { numRuns: 1000 },
  );
});
