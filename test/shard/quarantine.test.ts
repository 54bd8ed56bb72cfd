/**
 * What brings a shard down is in its hand when it dies; left alone afterwards, it harms nobody else. In these games it is
 * a fault of the shard's own that shows: errors of a game bring nobody down (deeds.test.ts).
 */
import t from 'tap';
import { AssertionError } from '../../src/base/assert.js';
import { ERRORS } from '../../src/base/errors.js';
import { LIMITS } from '../../src/base/limits.js';
import { CONTENT, ITEM, KIND } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { tileIndex } from '../../src/geo/tile.js';
import type { Entity, GameModule, TileArea, World } from '../../src/world/facade.js';
import { checkPlanet } from './invariants.js';
import { Planet } from './planet.js';

const ITEMS = Object.keys(ITEM).length;
const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const y = tile.south + 900; // no view reaches into the tile to the south
const x = tile.east - 50;

/** The built-in game with faults for one entity. */
function faulty(): { module: GameModule; poison: { step: number; receive: number; tile: number } } {
  const poison = { step: 0, receive: 0, tile: 0 };
  const inner = game as unknown as GameModule;
  const module: GameModule = {
    ...inner,
    step(world: World, e: Entity) {
      if (world.id(e) === poison.step) throw new AssertionError('poison');
      inner.step(world, e);
    },
    mayReceive(world: World, target: Entity, item: number, count: number, from: number) {
      if (world.id(target) === poison.receive) throw new AssertionError('poison');
      return inner.mayReceive!(world, target, item, count, from);
    },
    populate(world: World, area: TileArea, random) {
      if (area.west === poison.tile) throw new AssertionError('poison');
      inner.populate!(world, area, random);
    },
  };
  return { module, poison };
}

/** The shard dies of what it does next; what it had in hand goes into quarantine for those who come after it. */
function dies(planet: Planet, shard: number): { entity: number; action: number } {
  for (let i = 0; ; i++) {
    if (i > 100) throw new Error('it lives');
    try {
      planet.step();
    } catch (error) {
      if (!(error as Error).message.includes('poison')) throw error;
      break;
    }
  }
  const { inHandEntity: entity, inHandAction: action } = planet.world.shardBlocks[shard]!;
  planet.lose(shard);
  return { entity, action };
}

t.test('a step that throws twice: that entity is frozen, all others live', (t) => {
  const { module, poison } = faulty();
  const planet = new Planet(module);
  planet.assign(x, y, 0);
  const [sick, well] = [planet.join(x, y), planet.join(x, y + 1)];
  planet.run(3);
  poison.step = sick.id;
  t.strictSame(dies(planet, 0), { entity: sick.id, action: 0 });
  planet.replace(0);
  const suspect = dies(planet, 0);
  t.strictSame(suspect, { entity: sick.id, action: 0 });
  planet.quarantine = [suspect];
  planet.replace(0);
  planet.act(sick, 'walk', { heading: 0, speed: 6, seconds: 1 });
  planet.act(well, 'walk', { heading: 0, speed: 6, seconds: 1 });
  const before = [planet.f64(sick, 'x'), planet.f64(well, 'x')];
  planet.run(30);
  t.equal(planet.f64(sick, 'x'), before[0], 'frozen');
  t.ok(planet.f64(well, 'x') > before[1]! + 5);
  t.equal(planet.applied(sick), 1, 'its actions are decided all the same');
  t.ok(planet.counter('ticksFrozen') >= 30);
  checkPlanet(planet, ITEMS);
  t.end();
});

t.test('a gift that kills whoever receives it comes back', (t) => {
  const { module, poison } = faulty();
  const planet = new Planet(module);
  planet.assign(tile.east - 50, y, 0);
  planet.assign(tile.east + 50, y, 1);
  const [giver, taker] = [planet.join(tile.east - 1, y), planet.join(tile.east + 1, y)];
  planet.run(3);
  const before = planet.items(giver.slot, ITEM.coin);
  poison.receive = taker.id;
  planet.act(giver, 'give', { target: taker.id, item: ITEM.coin, count: 3 });
  t.strictSame(dies(planet, 1), { entity: taker.id, action: 0 });
  planet.replace(1);
  const suspect = dies(planet, 1);
  t.strictSame(suspect, { entity: taker.id, action: 0 }, 'again, as the message is sent again');
  planet.quarantine = [suspect];
  planet.replace(1);
  planet.run(100);
  t.equal(planet.items(giver.slot, ITEM.coin), before);
  t.equal(planet.outbox(giver.slot), 0);
  checkPlanet(planet, ITEMS);
  t.end();
});

t.test('natural content that kills its maker is left out', (t) => {
  const { module, poison } = faulty();
  const planet = new Planet(module);
  poison.tile = tile.west;
  planet.join(x, y);
  const shard = planet.world.directory.lookup(tileIndex(x, y, LIMITS.baseTileLevel));
  dies(planet, shard);
  planet.replace(shard);
  const suspect = dies(planet, shard);
  planet.quarantine = [suspect];
  planet.replace(shard);
  planet.run(30);
  t.equal(planet.entities(KIND.node, x, y).length, 0);
  planet.placer.ensureOwner(tile.east + 500, y);
  planet.run(5);
  t.equal(planet.entities(KIND.node, tile.east + 500, y).length, CONTENT.groves * CONTENT.nodesPerGrove);
  checkPlanet(planet, ITEMS);
  t.end();
});

t.test('an action that kills twice is rejected, once', (t) => {
  const inner = game as unknown as GameModule;
  const module = {
    ...inner,
    actions: {
      ...inner.actions,
      walk: {
        ...inner.actions['walk'],
        apply: () => {
          throw new AssertionError('poison');
        },
      },
    },
  };
  const planet = new Planet(module);
  planet.assign(x, y, 0);
  const player = planet.join(x, y);
  planet.run(3);
  const id = planet.act(player, 'walk', { heading: 0, speed: 6, seconds: 1 });
  planet.act(player, 'forage');
  t.strictSame(dies(planet, 0), { entity: player.id, action: id });
  planet.replace(0);
  planet.quarantine = [dies(planet, 0)];
  planet.replace(0);
  planet.run(5);
  t.equal(planet.outcome(player, id), ERRORS.QUARANTINED.number);
  t.equal(planet.applied(player), 2);
  checkPlanet(planet, ITEMS);
  t.end();
});
