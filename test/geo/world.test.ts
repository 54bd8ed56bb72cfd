import fc from 'fast-check';
import t from 'tap';
import {
  clampY,
  dx,
  HALF_WIDTH,
  HEIGHT,
  lonLatToXY,
  QUARTER_WIDTH,
  WIDTH,
  wrapX,
  xyToLonLat,
} from '../../src/geo/world.js';
import { evenly, exact, floorDivide, nextFloat, anyX as inside } from './places.js';

/** Rounding of numbers up to 10^8 m, whose steps are 1.5e-8 m, a few times. */
const ROUNDING_M = 3e-8;
const anyX = evenly(-1e8, 1e8);

/** Distance of two numbers on the circle, computed exactly, in metres. */
function apart(a: number, b: number): number {
  const w = exact(WIDTH);
  const d = exact(a) - exact(b);
  const rest = d - w * floorDivide(d, w);
  return Number((rest < w - rest ? rest : w - rest) >> 1034n) / 2 ** 40;
}

t.test('the constants are those of EPSG:4087', async (t) => {
  t.equal(WIDTH, 2 * Math.PI * 6378137);
  t.equal(HEIGHT, WIDTH / 2);
  t.equal(HALF_WIDTH, lonLatToXY(-180, 0).x * -1);
  t.equal(QUARTER_WIDTH, lonLatToXY(0, 90).y);
});

t.test('wrapping gives the same place, inside the world, and twice is once', async () => {
  fc.assert(
    fc.property(fc.oneof(anyX, inside), (x) => {
      const wrapped = wrapX(x);
      const range = wrapped >= -HALF_WIDTH && wrapped < HALF_WIDTH;
      return range && wrapX(wrapped) === wrapped && apart(x, wrapped) < ROUNDING_M;
    }),
    { numRuns: 2000 },
  );
});

t.test('the antimeridian belongs to the west, and the number before it to the east', async (t) => {
  t.equal(wrapX(HALF_WIDTH), -HALF_WIDTH);
  t.equal(wrapX(-HALF_WIDTH), -HALF_WIDTH);
  t.equal(wrapX(nextFloat(HALF_WIDTH, false)), nextFloat(HALF_WIDTH, false));
  t.ok(wrapX(nextFloat(-HALF_WIDTH, false)) >= -HALF_WIDTH);
  t.ok(wrapX(nextFloat(-HALF_WIDTH, false)) < HALF_WIDTH);
  for (const x of [WIDTH, -WIDTH, 3 * WIDTH, 0]) t.ok(wrapX(x) === 0, `${x} is the meridian`);
});

t.test('every crossing of the antimeridian, and the numbers beside it, lands inside', async (t) => {
  let wrong = 0;
  for (let k = -99; k <= 99; k += 2) {
    const edge = k * HALF_WIDTH;
    for (const x of [nextFloat(edge, false), edge, nextFloat(edge, true)]) {
      const wrapped = wrapX(x);
      if (!(wrapped >= -HALF_WIDTH && wrapped < HALF_WIDTH) || apart(x, wrapped) > 1e-6) wrong++;
    }
  }
  t.equal(wrong, 0);
});

t.test('y is walled, x and y let nothing that is not a number look like a place', async (t) => {
  fc.assert(fc.property(anyX, (y) => clampY(y) === Math.min(QUARTER_WIDTH, Math.max(-QUARTER_WIDTH, y))));
  t.ok(Number.isNaN(wrapX(Number.NaN)) && Number.isNaN(clampY(Number.NaN)));
  t.notOk(wrapX(Number.POSITIVE_INFINITY) < HALF_WIDTH && wrapX(Number.POSITIVE_INFINITY) > -HALF_WIDTH);
});

t.test('dx leads from a to b the shortest way round', async (t) => {
  fc.assert(
    fc.property(inside, inside, (a, b) => {
      const d = dx(a, b);
      const arrives = apart(wrapX(a + d), b) < ROUNDING_M;
      const shortest = Math.abs(Math.abs(d) - apart(a, b)) < ROUNDING_M;
      const mirrored = Math.abs(d) === HALF_WIDTH || dx(b, a) === -d;
      return d >= -HALF_WIDTH && d < HALF_WIDTH && arrives && shortest && mirrored;
    }),
    { numRuns: 2000 },
  );
  t.equal(dx(HALF_WIDTH - 1, -HALF_WIDTH + 2), 3, 'eastwards over the antimeridian');
  t.equal(dx(-HALF_WIDTH + 2, HALF_WIDTH - 1), -3, 'westwards over it');
  t.equal(dx(-QUARTER_WIDTH, QUARTER_WIDTH), -HALF_WIDTH, 'exactly opposite, one way');
  t.equal(dx(QUARTER_WIDTH, -QUARTER_WIDTH), -HALF_WIDTH, 'exactly opposite, the other way');
});

t.test('degrees and metres convert there and back', async (t) => {
  const lon = fc.double({ min: -180, max: 179.999_999, noNaN: true });
  const lat = fc.double({ min: -90, max: 90, noNaN: true });
  fc.assert(
    fc.property(lon, lat, (lon, lat) => {
      const { x, y } = lonLatToXY(lon, lat);
      const back = xyToLonLat(x, y);
      return Math.abs(back.lon - lon) < 1e-12 && Math.abs(back.lat - lat) < 1e-12;
    }),
  );
  t.strictSame(lonLatToXY(180, 91), { x: -HALF_WIDTH, y: QUARTER_WIDTH }, 'wrapped and walled');
  const oslo = lonLatToXY(10.75, 59.91); // cs2cs EPSG:4326 EPSG:4087: 1196684.52 6669150.69
  t.ok(Math.abs(oslo.x - 1196684.52) < 0.01 && Math.abs(oslo.y - 6669150.69) < 0.01, `${oslo.x} ${oslo.y}`); // dx-ok: a known place
});
