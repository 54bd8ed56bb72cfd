import t from 'tap';
import { CREATURE, KIND } from '../../src/game/constants.js';
import { MOOD } from '../../src/game/creature.js';
import game from '../../src/game/game.js';
import { dx, HALF_WIDTH } from '../../src/geo/world.js';
import { FakePlanet } from './fake-planet.js';

const S = 20;

/** It sees who is there already in its first step. */
function addCreature(planet: FakePlanet, x: number, y = 0) {
  const creature = planet.add(KIND.creature, x, y);
  planet.look();
  planet.world(creature).columns.homeX!.set(creature, x);
  planet.world(creature).columns.homeY!.set(creature, y);
  return { creature, entity: planet.entities[creature]! };
}

const mood = (planet: FakePlanet, creature: number) =>
  planet.entities[creature]!.values.get('mood') ?? MOOD.calm;

t.test('it roams, and stays around its home', async (t) => {
  const planet = new FakePlanet(game);
  const { entity } = addCreature(planet, HALF_WIDTH - 1, 0);
  let farthest = 0;
  let moved = 0;
  for (let i = 0; i < 600 * S; i++) {
    const { x, y } = entity;
    planet.run();
    farthest = Math.max(farthest, Math.hypot(dx(HALF_WIDTH - 1, entity.x), entity.y));
    moved += Math.hypot(dx(x, entity.x), entity.y - y);
  }
  t.ok(moved > 60, `walked ${moved} m in ten minutes`);
  const most = CREATURE.roamM + CREATURE.roamSpeedMps * CREATURE.roamS;
  t.ok(farthest > 5 && farthest < most, `at most ${farthest} m away, across the antimeridian`);
});

t.test('it chases who comes near, over a border, and stops beside it', async (t) => {
  const planet = new FakePlanet(game, [0]);
  const player = planet.add(KIND.player, 6, 0);
  const { creature, entity } = addCreature(planet, -6);
  planet.run(4 * S);
  t.equal(mood(planet, creature), MOOD.angry);
  t.equal(planet.emitted.length, 1, 'it growled once');
  planet.run(3 * S);
  t.equal(entity.shard, 1, 'the chase went on in the other shard');
  t.equal(entity.vx, 0);
  const gap = dx(entity.x, planet.entities[player]!.x);
  t.ok(gap > 0 && gap < CREATURE.closeM + 1, `stands ${gap} m from its prey`);
});

t.test('it gives up on a prey that is gone, goes home, and is not angry again at once', async (t) => {
  const planet = new FakePlanet(game);
  const player = planet.add(KIND.player, 10, 0);
  const { creature, entity } = addCreature(planet, 0);
  planet.run(S);
  t.equal(mood(planet, creature), MOOD.angry);
  planet.entities[player]!.x = 1000;
  planet.run(2);
  planet.run(S);
  t.equal(mood(planet, creature), MOOD.calm);
  planet.entities[player]!.x = entity.x;
  planet.run((CREATURE.calmS - 2) * S);
  t.equal(mood(planet, creature), MOOD.calm);
  planet.run(4 * S);
  t.equal(mood(planet, creature), MOOD.angry, 'but later it is');
});

t.test('it gives up far from home, and after a while', async (t) => {
  const planet = new FakePlanet(game);
  const player = planet.add(KIND.player, 10, 0);
  const { creature, entity } = addCreature(planet, 0);
  planet.run(S);
  t.equal(mood(planet, creature), MOOD.angry);
  planet.world(creature).columns.homeX!.set(creature, -CREATURE.leashM - 5);
  planet.run(2);
  t.equal(mood(planet, creature), MOOD.calm, 'too far from home');
  planet.world(creature).columns.homeX!.set(creature, entity.x);
  planet.entities[player]!.x = entity.x;
  let angry = 0;
  for (let i = 0; i < (CREATURE.calmS + CREATURE.chaseS + 5) * S; i++) {
    planet.run();
    if (mood(planet, creature) === MOOD.angry) angry++;
  }
  t.ok(Math.abs(angry - CREATURE.chaseS * S) <= 2, `angry for ${angry} ticks`);
});

t.test('it chases the nearest player and no other kind', async (t) => {
  const planet = new FakePlanet(game);
  planet.add(KIND.node, 1, 0);
  addCreature(planet, 2);
  planet.add(KIND.player, 15, 0);
  const near = planet.add(KIND.player, -8, 0);
  planet.add(KIND.player, 12, 0);
  const { entity } = addCreature(planet, 0);
  planet.run();
  t.equal(entity.values.get('secondId'), planet.id(near));
});

t.test('equal worlds live equal lives', async (t) => {
  const live = () => {
    const planet = new FakePlanet(game, [0]);
    for (let i = 0; i < 5; i++) addCreature(planet, i * 10 - 20);
    planet.add(KIND.player, 30, 0);
    planet.run(30 * S);
    return planet.entities.map(({ x, y }) => [x, y]);
  };
  t.strictSame(live(), live());
});
