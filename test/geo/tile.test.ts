import fc from 'fast-check';
import t from 'tap';
import {
  MAX_LEVEL,
  tileColumns,
  tileIndex,
  tileNorth,
  tileRows,
  tileSize,
  tileWest,
  tileX,
  tileY,
} from '../../src/geo/tile.js';
import { HALF_WIDTH, QUARTER_WIDTH, WIDTH, xyToLonLat } from '../../src/geo/world.js';
import { anyX, anyY, exact, floorDivide, nextFloat } from './places.js';

const anyLevel = fc.integer({ min: 0, max: MAX_LEVEL });
const runs = { numRuns: 3000 };

t.test('sizes and counts are those of WorldCRS84Quad', async (t) => {
  t.equal(tileColumns(0), 2);
  t.equal(tileRows(0), 1);
  t.equal(tileColumns(11), 4096);
  t.equal(tileRows(11), 2048);
  t.equal(tileSize(11).toFixed(2), '9783.94');
  t.equal(tileSize(13).toFixed(2), '2445.98');
  t.equal(tileSize(17).toFixed(2), '152.87');
  for (let z = 0; z <= MAX_LEVEL; z++) t.equal(tileSize(z) * tileColumns(z), WIDTH);
});

t.test('the index is that of exact arithmetic, but for numbers that round onto an edge', async () => {
  const w = exact(WIDTH);
  fc.assert(
    fc.property(anyX, anyY, anyLevel, (x, y, z) => {
      const columns = BigInt(tileColumns(z));
      // Two quotients that a place within a 50-millionth of a metre of an edge has on its sides.
      const near = exact(2e-8);
      const column = (at: bigint) => Number(floorDivide((at + w / 2n) * columns, w));
      const row = (at: bigint) => Math.min(tileRows(z) - 1, Number(floorDivide((w / 4n - at) * columns, w)));
      const gotX = tileX(x, z);
      const gotY = tileY(y, z);
      const fineX = gotX >= column(exact(x) - near) && gotX <= column(exact(x) + near);
      const fineY = gotY >= row(exact(y) + near) && gotY <= row(exact(y) - near);
      return fineX && fineY;
    }),
    runs,
  );
});

t.test('the index is that of the standard in degrees, away from the edges', async () => {
  fc.assert(
    fc.property(anyX, anyY, fc.integer({ min: 0, max: 17 }), (x, y, z) => {
      const { lon, lat } = xyToLonLat(x, y);
      const column = ((lon + 180) / 360) * tileColumns(z);
      const row = ((90 - lat) / 180) * tileRows(z);
      fc.pre(Math.abs(column - Math.round(column)) > 1e-6 && Math.abs(row - Math.round(row)) > 1e-6);
      return tileX(x, z) === Math.floor(column) && tileY(y, z) === Math.floor(row);
    }),
    runs,
  );
});

t.test(
  'west and north edges belong, east and south edges do not: every edge of levels 0 to 13',
  async (t) => {
    let wrong = 0;
    for (let z = 0; z <= 13; z++) {
      for (let c = 0; c < tileColumns(z); c++) {
        const west = tileWest(c, z);
        if (tileX(west, z) !== c || (c > 0 && tileX(nextFloat(west, false), z) !== c - 1)) wrong++;
      }
      for (let r = 0; r < tileRows(z); r++) {
        const north = tileNorth(r, z);
        if (tileY(north, z) !== r || (r > 0 && tileY(nextFloat(north, true), z) !== r - 1)) wrong++;
      }
    }
    t.equal(wrong, 0);
  },
);

t.test('edges belong at the deeper levels too', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 14, max: MAX_LEVEL }),
      fc.double({ min: 0, max: 0.999_999, noNaN: true }),
      (z, f) => {
        const c = Math.floor(f * tileColumns(z));
        const r = Math.floor(f * tileRows(z));
        const west = tileWest(c, z);
        const north = tileNorth(r, z);
        const belong = tileX(west, z) === c && tileY(north, z) === r;
        const before = c === 0 || tileX(nextFloat(west, false), z) === c - 1;
        return belong && before && (r === 0 || tileY(nextFloat(north, true), z) === r - 1);
      },
    ),
    runs,
  );
});

t.test('the antimeridian and the walls', async (t) => {
  for (let z = 0; z <= MAX_LEVEL; z++) {
    t.equal(tileX(-HALF_WIDTH, z), 0);
    t.equal(tileX(nextFloat(HALF_WIDTH, false), z), tileColumns(z) - 1);
    t.equal(tileY(QUARTER_WIDTH, z), 0);
    t.equal(tileY(-QUARTER_WIDTH, z), tileRows(z) - 1, 'the south wall is in the last row');
    t.equal(tileIndex(nextFloat(HALF_WIDTH, false), -QUARTER_WIDTH, z), 2 ** (2 * z + 1) - 1);
  }
  t.equal(tileWest(tileColumns(11), 11), HALF_WIDTH);
  t.equal(tileNorth(tileRows(11), 11), -QUARTER_WIDTH);
});

t.test('levels nest: a tile lies in the tile above it', async () => {
  fc.assert(
    fc.property(anyX, anyY, fc.integer({ min: 1, max: MAX_LEVEL }), (x, y, z) => {
      return tileX(x, z) >> 1 === tileX(x, z - 1) && tileY(y, z) >> 1 === tileY(y, z - 1);
    }),
    runs,
  );
});

t.test('the number is row by row, an exact integer', async () => {
  fc.assert(
    fc.property(anyX, anyY, anyLevel, (x, y, z) => {
      const index = tileIndex(x, y, z);
      return Number.isSafeInteger(index) && index === tileY(y, z) * 2 ** (z + 1) + tileX(x, z);
    }),
    runs,
  );
});
