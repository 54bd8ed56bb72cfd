import fc from 'fast-check';
import t from 'tap';
import { ERRORS } from '../../src/base/errors.js';
import { REJECTION, WALK } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { dx, QUARTER_WIDTH, HALF_WIDTH } from '../../src/geo/world.js';
import { FakePlanet } from './fake-planet.js';

const EAST = 0;
const NORTH = Math.PI / 2;
const BAD_PAYLOAD = ERRORS.BAD_PAYLOAD.number;

function walker(x = 0, y = 0) {
  const planet = new FakePlanet(game);
  const player = planet.add(0, x, y);
  return { planet, player, entity: planet.entities[player]! };
}

t.test('a walk covers speed × seconds, to the millimetre, and then stands', async (t) => {
  for (const [speed, seconds] of [
    [6, 10],
    [6, 0.05],
    [6, 0.01],
    [1.5, 2.02],
    [0.25, 9.99],
  ] as const) {
    const { planet, player, entity } = walker();
    t.equal(planet.act(player, 'walk', { heading: EAST, speed, seconds }), 0);
    t.equal(entity.vx, speed, 'viewers are told the speed at once');
    planet.run(Math.ceil(seconds / planet.dt));
    t.ok(Math.abs(entity.x - speed * seconds) < 1e-3, `${speed} m/s for ${seconds} s: ${entity.x} m`);
    t.equal(entity.y, 0);
    t.equal(entity.vx, 0);
    const { x } = entity;
    planet.run(5);
    t.equal(entity.x, x, 'stands');
  }
});

t.test('every step of a walk is speed × dt', async (t) => {
  const { planet, player, entity } = walker();
  planet.act(player, 'walk', { heading: NORTH, speed: 6, seconds: 10 });
  for (let i = 1; i <= 200; i++) {
    planet.run();
    t.ok(Math.abs(entity.y - 0.3 * i) < 1e-6, `tick ${i}`);
  }
  t.equal(entity.vy, 0, 'ten seconds are 200 ticks, not 201');
});

t.test('speed 0 stops, a new walk replaces the old one', async (t) => {
  const { planet, player, entity } = walker();
  planet.act(player, 'walk', { heading: EAST, speed: 6, seconds: 10 });
  planet.run(10);
  planet.act(player, 'walk', { heading: NORTH, speed: 2, seconds: 1 });
  planet.run(10);
  planet.act(player, 'walk', { heading: 0, speed: 0, seconds: 0 });
  t.strictSame([entity.vx, entity.vy], [0, 0]);
  planet.run(10);
  t.ok(Math.abs(entity.x - 3) < 1e-6 && Math.abs(entity.y - 1) < 1e-6, `${entity.x}, ${entity.y}`);
});

t.test('the antimeridian is no border', async (t) => {
  const { planet, player, entity } = walker(HALF_WIDTH - 1, 5);
  planet.act(player, 'walk', { heading: EAST, speed: 6, seconds: 1 });
  planet.run(20);
  t.ok(Math.abs(entity.x - (-HALF_WIDTH + 5)) < 1e-6, `x = ${entity.x}`);
  t.ok(Math.abs(dx(HALF_WIDTH - 1, entity.x) - 6) < 1e-6);
  planet.act(player, 'walk', { heading: Math.PI, speed: 6, seconds: 1 });
  planet.run(20);
  t.ok(Math.abs(entity.x - (HALF_WIDTH - 1)) < 1e-4, `and back: ${entity.x}`);
});

t.test('the poles are walls: along them one still walks, and viewers are not told otherwise', async (t) => {
  for (const side of [1, -1]) {
    const { planet, player, entity } = walker(0, side * (QUARTER_WIDTH - 1));
    planet.act(player, 'walk', { heading: (side * NORTH) / 2, speed: 6, seconds: 2 });
    planet.run(20);
    t.equal(entity.y, side * QUARTER_WIDTH);
    t.equal(entity.vy, 0);
    t.ok(Math.abs(entity.x - 6 * Math.SQRT1_2) < 1e-5, `along the wall: ${entity.x}`);
  }
});

t.test('what is no walk is refused and changes nothing', async (t) => {
  const { planet, player, entity } = walker();
  planet.act(player, 'walk', { heading: EAST, speed: 1, seconds: 10 });
  const bytes = (...numbers: number[]) => new Uint8Array(new Float32Array(numbers).buffer);
  for (const [name, payload, outcome] of [
    ['speed NaN', bytes(0, Number.NaN, 1), BAD_PAYLOAD],
    ['speed ∞', bytes(0, Infinity, 1), BAD_PAYLOAD],
    ['heading NaN', bytes(Number.NaN, 6, 1), BAD_PAYLOAD],
    ['seconds ∞', bytes(0, 6, Infinity), BAD_PAYLOAD],
    ['too short', bytes(0, 6), BAD_PAYLOAD],
    ['speed just above', bytes(0, 6.000001, 1), REJECTION.TOO_FAST],
    ['speed 1e38', bytes(0, 1e38, 1), REJECTION.TOO_FAST],
    ['backwards', bytes(0, -1, 1), REJECTION.TOO_FAST],
    ['seconds just above', bytes(0, 6, 10.000001), REJECTION.TOO_LONG],
    ['seconds 1e38', bytes(0, 6, 1e38), REJECTION.TOO_LONG],
    ['seconds below 0', bytes(0, 6, -1), REJECTION.TOO_LONG],
  ] as const) {
    t.equal(planet.actBytes(player, 'walk', payload), outcome, name);
    t.equal(entity.vx, 1, name);
  }
  planet.run(200);
  t.ok(Math.abs(entity.x - 10) < 1e-5, 'the walk before went on as if nothing had been asked');
});

t.test('no sequence of walks moves farther than 6 m/s', async () => {
  const number = fc.oneof(
    fc.float({ min: 0, max: 20 }),
    fc.float(),
    fc.constantFrom(6, 10, 1e38, -0, Number.NaN),
  );
  const ticks = fc.array(fc.array(fc.tuple(fc.float(), number, number), { maxLength: 8 }), { maxLength: 20 });
  fc.assert(
    fc.property(ticks, (list) => {
      const { planet, player, entity } = walker(HALF_WIDTH, 0);
      for (const walks of list) {
        const { x, y } = entity;
        for (const numbers of walks)
          planet.actBytes(player, 'walk', new Uint8Array(new Float32Array(numbers).buffer));
        planet.run();
        const metres = Math.hypot(dx(x, entity.x), entity.y - y);
        if (!(metres <= WALK.maxSpeedMps * planet.dt + 1e-6)) return false;
      }
      return true;
    }),
  );
});
