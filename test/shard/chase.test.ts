/** Creatures know nothing of borders: one chases a player from its shard into the next. */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import type { GameWorld } from '../../src/game/columns.js';
import { ITEM, KIND } from '../../src/game/constants.js';
import { MOOD } from '../../src/game/creature.js';
import game from '../../src/game/game.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import type { Entity, GameModule, TileArea, World } from '../../src/world/facade.js';
import { checkPlanet } from './invariants.js';
import { Planet } from './planet.js';

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const y = tile.south + 500;
const PACE_MPS = 2.9; // a little slower than who chases

/** The built-in game with one creature, 10 m west of the border. */
function withCreature(moods: Map<number, number>): GameModule {
  const inner = game as unknown as GameModule;
  return {
    ...inner,
    populate(world: World, area: TileArea) {
      if (area.west !== tile.west) return;
      const creature = world.spawn(KIND.creature, tile.east - 10, y);
      (world as unknown as GameWorld).columns.homeX.set(creature, tile.east - 10);
      (world as unknown as GameWorld).columns.homeY.set(creature, y);
    },
    step(world: World, e: Entity) {
      inner.step(world, e);
      if (world.kind(e) === KIND.creature) moods.set(e, (world as unknown as GameWorld).columns.mood.get(e));
    },
  };
}

for (const orders of [[[0, 1]], [[1, 0]], [[0], [0, 1], [1]]]) {
  t.test(`a creature chases a player over a border (shards run ${JSON.stringify(orders)})`, (t) => {
    const moods = new Map<number, number>();
    const planet = new Planet(withCreature(moods));
    planet.assign(tile.east - 50, y, 0);
    planet.assign(tile.east + 50, y, 1);
    const player = planet.join(tile.east - 4, y);
    planet.run(5);
    const [creature] = planet.entities(KIND.creature, tile.east - 10, y);
    const mood = () => moods.get(creature!);
    let round = 0;
    const run = (ticks: number) => {
      for (let i = 0; i < ticks; i++) planet.step(orders[round++ % orders.length]);
    };
    while (mood() !== MOOD.angry) {
      run(1);
      if (round > 200) throw new Error('it saw nobody');
    }
    let gaveUp = 0;
    for (let s = 0; s < 10; s++) {
      planet.act(player, 'walk', { heading: 0, speed: PACE_MPS, seconds: 2 });
      for (let i = 0; i < 20; i++) {
        run(1);
        if (mood() !== MOOD.angry) gaveUp++;
      }
    }
    t.equal(gaveUp, 0, 'it never lost sight');
    t.equal(planet.ownerOf(creature!), 1, 'it is in the next shard');
    t.ok(planet.f64({ slot: creature! }, 'x') > tile.east + LIMITS.borderMarginM);
    planet.leave(player);
    run(20 * 30);
    t.equal(mood(), MOOD.calm);
    checkPlanet(planet, Object.keys(ITEM).length);
    t.end();
  });
}
