/** Coastlines with the points left out that no picture shows: inside the box it is the same land. */
import fc from 'fast-check';
import t from 'tap';
import { type Box, RingPen, type Ring, ringOf, trace } from '../../src/pages/map/outline.js';

const BOX: Box = { left: -10, top: -10, right: 10, bottom: 10 };

/** How often the ring runs around a point. Source: Dan Sunday, winding number inclusion. */
function winding({ points }: Ring, x: number, y: number): number {
  let turns = 0;
  for (let i = 0; i < points.length; i += 2) {
    const j = (i + 2) % points.length;
    const [ax, ay, bx, by] = [points[i], points[i + 1], points[j], points[j + 1]];
    const side = (bx - ax) * (y - ay) - (x - ax) * (by - ay); // dx-ok: a plane without an end
    if (ay <= y && by > y && side > 0) turns++;
    if (ay > y && by <= y && side < 0) turns--;
  }
  return turns;
}

function traced(ring: Ring, grain: number): { rings: readonly Ring[]; points: number } {
  const pen = new RingPen();
  const points = trace(ring, BOX, grain, pen, 1, 0, 0);
  return { rings: pen.rings, points };
}

const place = fc.tuple(fc.integer({ min: -40, max: 40 }), fc.integer({ min: -40, max: 40 }));
const ring = fc.array(place, { minLength: 3, maxLength: 40 }).map((places) => ringOf(places.flat()));

t.test('inside the box every place is as often within the ring as before', async (t) => {
  const inside = fc.integer({ min: -9, max: 8 }).map((n) => n + 0.493);
  fc.assert(
    fc.property(ring, inside, inside, (whole, x, y) => {
      const { rings } = traced(whole, 0);
      return rings.reduce((n, part) => n + winding(part, x, y), 0) === winding(whole, x, y + 0);
    }),
    { numRuns: 3000, seed: 1 },
  );
  t.pass('3000 rings');
});

t.test('what is outside or smaller than a grain costs nothing', async (t) => {
  const circle = (x: number, y: number, radius: number, points: number) =>
    ringOf(
      Array.from({ length: points }, (_, i) => (2 * Math.PI * i) / points).flatMap((a) => [
        x + radius * Math.cos(a),
        y + radius * Math.sin(a),
      ]),
    );
  t.equal(traced(circle(30, 0, 5, 100), 0.1).points, 0, 'beside it');
  t.equal(traced(circle(0, 0, 0.04, 100), 0.1).points, 0, 'too small');
  t.ok(traced(circle(0, 0, 5, 10_000), 0.1).points < 700, 'no more points than are seen');
  t.ok(traced(circle(0, 0, 5, 10_000), 0.1).points > 200, 'and no fewer');
  t.ok(traced(circle(0, 60, 58, 10_000), 0.001).points < 1500, 'the far side in a few strokes');
  t.equal(traced(circle(0, 0, 5, 64), 0.001).points, 64);
});
