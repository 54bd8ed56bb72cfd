/** The neighbourhood of a place holds everybody within reach, each once, also across the antimeridian and at the walls. */
import fc from 'fast-check';
import t from 'tap';
import { Neighbourhood } from '../../src/bots/neighbourhood.js';
import { Track } from '../../src/bots/track.js';
import type { Subject } from '../../src/bots/view-checker.js';
import { QUARTER_WIDTH, WIDTH, clampY, dx, wrapX } from '../../src/geo/world.js';

function subjectAt(id: number, x: number, y: number): Subject {
  const track = new Track();
  track.add(1, wrapX(x), clampY(y), 0);
  return { id, ready: true, track };
}

const CENTRES = [
  [0, 0],
  [WIDTH / 2, 0],
  [-WIDTH / 2, QUARTER_WIDTH],
  [1e6, -QUARTER_WIDTH],
] as const;

t.test('everybody within reach is found, once', async (t) => {
  let found = 0;
  const offsets = fc.double({ min: -3, max: 3, noNaN: true });
  const places = fc.array(fc.tuple(offsets, offsets), { minLength: 20, maxLength: 60 });
  fc.assert(
    fc.property(
      fc.constantFrom(...CENTRES),
      fc.constantFrom(450, 1e5, WIDTH / 2),
      places,
      (centre, reach, all) => {
        const subjects = all.map(([east, up], id) =>
          subjectAt(id, centre[0] + east * reach, centre[1] + up * reach),
        );
        const near = new Neighbourhood(subjects, reach);
        for (const { track } of subjects) {
          const seen: number[] = [];
          near.forEachAround(track.x, track.y, ({ id }) => seen.push(id));
          if (new Set(seen).size !== seen.length) return false;
          for (const other of subjects) {
            const isNear =
              Math.abs(dx(track.x, other.track.x)) <= reach && Math.abs(track.y - other.track.y) <= reach;
            if (isNear && !seen.includes(other.id)) return false;
            if (isNear) found++;
          }
        }
        return true;
      },
    ),
  );
  t.ok(found > 10_000, `${found} neighbours`);
});

t.test('a far crowd is not gone over', async (t) => {
  const subjects = Array.from({ length: 100 }, (_, i) => subjectAt(i, i < 10 ? i : 1e6 + i, 0));
  let visits = 0;
  new Neighbourhood(subjects, 450).forEachAround(5, 0, () => visits++);
  t.equal(visits, 10);
});
