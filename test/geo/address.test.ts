import fc from 'fast-check';
import t from 'tap';
import {
  boundsOf,
  centreOf,
  childrenOf,
  contains,
  formatTile,
  indexOfTile,
  isTile,
  mortonOf,
  neighboursOf,
  parentOf,
  parseTile,
  quadrantOf,
  tileAt,
  tileOfIndex,
  tileOfMorton,
  type TileAddress,
} from '../../src/geo/address.js';
import { MAX_LEVEL, tileColumns, tileIndex, tileRows, tileSize } from '../../src/geo/tile.js';
import { dx, QUARTER_WIDTH, WIDTH, wrapX } from '../../src/geo/world.js';
import { anyX, anyY, nextFloat } from './places.js';

const tileOf = (min: number, max: number) =>
  fc
    .integer({ min, max })
    .chain((z) =>
      fc.record({ z: fc.constant(z), x: fc.nat(tileColumns(z) - 1), y: fc.nat(tileRows(z) - 1) }),
    );
const anyTile = tileOf(0, MAX_LEVEL);
const place = fc.record({ x: anyX, y: anyY });
const same = (a: TileAddress | undefined, b: TileAddress) =>
  a !== undefined && a.z === b.z && a.x === b.x && a.y === b.y;

t.test('an address reads as it is written, and nothing else does', async (t) => {
  fc.assert(fc.property(anyTile, (tile) => same(parseTile(formatTile(tile)), tile)));
  const none = [
    '',
    '0/0',
    '0/0/0/0',
    '0/2/0',
    '0/0/1',
    '11/4096/0',
    '11/0/2048',
    '26/0/0',
    '-1/0/0',
    '1/-1/0',
    '01/0/0',
    '1/0/0 ',
    ' 1/0/0',
    '1/1e0/0',
    '1/0x1/0',
    '1.0/0/0',
    'a/b/c',
    '1//0',
    '99999999999/0/0',
    '11/٣/0',
    '1/0/0\n',
  ];
  for (const text of none) t.equal(parseTile(text), undefined, JSON.stringify(text));
  fc.assert(
    fc.property(fc.string(), (text) => parseTile(text) === undefined || /^\d+\/\d+\/\d+$/.test(text)),
  );
  t.notOk(isTile({ z: 1.5, x: 0, y: 0 }) || isTile({ z: Number.NaN, x: 0, y: 0 }));
});

t.test('numbers, addresses and Morton codes name the same tile', async () => {
  fc.assert(
    fc.property(anyTile, (tile) => {
      const code = mortonOf(tile);
      const numbered = same(tileOfIndex(indexOfTile(tile), tile.z), tile);
      return (
        numbered &&
        Number.isSafeInteger(code) &&
        code < 2 ** (2 * tile.z + 1) &&
        same(tileOfMorton(code, tile.z), tile)
      );
    }),
    { numRuns: 2000 },
  );
});

t.test('a Morton code is its bits, two and two', async () => {
  fc.assert(
    fc.property(anyTile, (tile) => {
      let code = 0n;
      for (let bit = 0n; bit <= BigInt(tile.z); bit++) {
        code |= ((BigInt(tile.x) >> bit) & 1n) << (2n * bit);
        code |= ((BigInt(tile.y) >> bit) & 1n) << (2n * bit + 1n);
      }
      return BigInt(mortonOf(tile)) === code;
    }),
  );
});

t.test('a tile has four children, whose parent it is and which share out its places', async () => {
  fc.assert(
    fc.property(place, fc.integer({ min: 0, max: MAX_LEVEL - 1 }), ({ x, y }, z) => {
      const tile = tileAt(x, y, z);
      const children = childrenOf(tile);
      const kin = children.every((child, q) => {
        return (
          same(parentOf(child), tile) && quadrantOf(child) === q && mortonOf(child) === 4 * mortonOf(tile) + q
        );
      });
      return kin && contains(tile, x, y) && children.filter((child) => contains(child, x, y)).length === 1;
    }),
    { numRuns: 1000 },
  );
});

t.test('the root has no parent, the deepest tile no children', async (t) => {
  t.equal(parentOf({ z: 0, x: 1, y: 0 }), undefined);
  t.throws(() => childrenOf({ z: MAX_LEVEL, x: 0, y: 0 }), /I9/);
});

t.test('bounds, centre and number agree with the places inside', async () => {
  fc.assert(
    fc.property(tileOf(0, 20), (tile) => {
      const { west, east, north, south } = boundsOf(tile);
      const centre = centreOf(tile);
      const corners =
        contains(tile, west, north) && contains(tile, nextFloat(east, false), nextFloat(south, true));
      const beyond = [
        [wrapX(east), north],
        [wrapX(nextFloat(west, false)), north],
        [west, nextFloat(north, true)],
      ];
      const outside = tile.z === 0 || beyond.every(([x, y]) => y > QUARTER_WIDTH || !contains(tile, x, y));
      const numbered = tileIndex(centre.x, centre.y, tile.z) === indexOfTile(tile);
      return corners && outside && numbered && Math.abs(north - south - tileSize(tile.z)) < 1e-8;
    }),
    { numRuns: 1000 },
  );
});

t.test("neighbours touch, are each other's, and are all there", async () => {
  fc.assert(
    fc.property(tileOf(1, MAX_LEVEL), (tile) => {
      const around = neighboursOf(tile);
      const atWall = tile.y === 0 || tile.y === tileRows(tile.z) - 1;
      const size = tileSize(tile.z);
      const touching = around.every((other) => {
        const [a, b] = [centreOf(tile), centreOf(other)];
        const steps = [Math.abs(dx(a.x, b.x)) / size, Math.abs(a.y - b.y) / size].map(
          (s) => Math.round(s * 1e3) / 1e3,
        );
        return isTile(other) && Math.max(...steps) === 1 && steps.every((s) => s === 0 || s === 1);
      });
      const mutual = around.every((other) => neighboursOf(other).some((back) => same(back, tile)));
      const distinct = new Set(around.map(formatTile)).size === around.length;
      return touching && mutual && distinct && around.length === (atWall ? 5 : 8);
    }),
  );
});

t.test('neighbours over the antimeridian, and in a world of two tiles', async (t) => {
  const names = (z: number, x: number, y: number) => neighboursOf({ z, x, y }).map(formatTile);
  t.strictSame(names(2, 0, 0), ['2/7/0', '2/1/0', '2/7/1', '2/0/1', '2/1/1']);
  t.strictSame(names(2, 7, 1), ['2/6/0', '2/7/0', '2/0/0', '2/6/1', '2/0/1', '2/6/2', '2/7/2', '2/0/2']);
  t.strictSame(names(0, 0, 0), ['0/1/0']);
  t.equal(boundsOf({ z: 0, x: 1, y: 0 }).east, WIDTH / 2);
});
