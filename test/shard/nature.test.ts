/** Natural content: made again from seed and tile as long as nobody has touched it, stored and never doubled from then on. */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { CONTENT, ITEM, KIND } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { tileIndex } from '../../src/geo/tile.js';
import { NATURE_PLACES } from '../../src/memory/nature.js';
import { HOT, OWNER } from '../../src/memory/record.js';
import type { Entity, GameModule, World } from '../../src/world/facade.js';
import { checkPlanet } from './invariants.js';
import { Planet } from './planet.js';

const ITEMS = Object.keys(ITEM).length;
const NODES = CONTENT.groves * CONTENT.nodesPerGrove;
const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const x = (tile.west + tile.east) / 2;
const y = (tile.south + tile.north) / 2;
const index = tileIndex(x, y, LIMITS.baseTileLevel);
const SECOND = LIMITS.tickRateHz;
const SLEEPY = { shards: 1, entities: 256, tileSleepS: 2 };

/** Where nodes stand and what they hold, in the order of the places. */
function nodes(planet: Planet): string[] {
  const { arena } = planet.world;
  return planet
    .entities(KIND.node, x, y)
    .map((slot) => {
      const at = arena.hot(slot) >> 3;
      const items = Array.from({ length: ITEMS }, (_, kind) => planet.items(slot, kind));
      return `${arena.f64[at + (HOT.x >> 3)]} ${arena.f64[at + (HOT.y >> 3)]} ${items}`;
    })
    .sort();
}

/** A tile that a player has seen, and left; `deed` is done beside its first grove. */
function asleep(deed: (planet: Planet, node: number) => void = () => {}): {
  planet: Planet;
  first: string[];
} {
  const planet = new Planet(game, SLEEPY);
  planet.assign(x, y, 0);
  planet.run(2);
  const first = nodes(planet);
  const [node] = planet.entities(KIND.node, x, y);
  deed(planet, node!);
  planet.run(5 * SECOND);
  t.equal(planet.world.directory.lookup(index), -1, 'nobody has the tile');
  return { planet, first };
}

t.test('what nobody has touched goes with its tile, and is made again as it was', (t) => {
  const { planet, first } = asleep();
  t.equal(first.length, NODES);
  t.strictSame(nodes(planet), []);
  t.equal(planet.counter('slotsExhausted'), 0);
  checkPlanet(planet, ITEMS);
  planet.placer.ensureOwner(x, y);
  planet.run(2);
  t.strictSame(nodes(planet), first, 'same places, same content');
  checkPlanet(planet, ITEMS);
  t.end();
});

t.test('what was touched rests as it is, and is not made a second time', (t) => {
  const { planet, first } = asleep((planet, node) => {
    const { arena } = planet.world;
    const at = arena.hot(node) >> 3;
    const player = planet.join(arena.f64[at + (HOT.x >> 3)]! + 1, arena.f64[at + (HOT.y >> 3)]!);
    planet.run(3);
    planet.act(player, 'gather', { target: planet.idOf(node) });
    planet.run(2);
    planet.leave(player);
  });
  const [resting, ...others] = planet.entities(KIND.node, x, y);
  t.equal(planet.stateOf(resting!), OWNER.PARKED);
  t.strictSame(others, []);
  planet.placer.ensureOwner(x, y);
  planet.run(2);
  const after = nodes(planet);
  t.equal(after.length, NODES);
  t.equal(
    after.filter((node) => !first.includes(node)).length,
    1,
    'one node holds less than it was made with',
  );
  checkPlanet(planet, ITEMS);
  t.end();
});

t.test('a death anywhere in the tick in which a tile falls asleep: nothing is lost, nothing doubled', (t) => {
  const start = () => {
    const planet = new Planet(game, { ...SLEEPY, tileSleepS: 1 });
    planet.assign(x, y, 0);
    planet.run(2);
    return planet;
  };
  const isAsleep = (planet: Planet) => planet.world.directory.lookup(index) < 0;
  let ticks = 2;
  for (const probe = start(); !isAsleep(probe); ticks++) probe.step();
  const whole = nodes(start());
  let n = 0;
  for (; ; n++) {
    const planet = start();
    planet.run(ticks - 3);
    if (isAsleep(planet) || !planet.dieIn(0, n).died) break;
    planet.replace(0, n % 3 === 0 ? n % 40 : Number.POSITIVE_INFINITY);
    planet.world.directory.touch(index, planet.tick);
    planet.placer.ensureOwner(x, y);
    planet.run(SECOND + 5);
    planet.world.directory.touch(index, planet.tick);
    planet.placer.ensureOwner(x, y);
    planet.run(3);
    checkPlanet(planet, ITEMS);
    if (nodes(planet).join() === whole.join()) continue;
    t.fail(`death at ${n}: ${nodes(planet).length} nodes`);
    break;
  }
  t.ok(n > 60, `${n} points of death`);
  t.end();
});

/** Stones that a player's actions do things to; each tile has as many as are asked for. */
function stones(count: number): GameModule {
  const one = (world: World): Entity => {
    const near = world.near(x, y, 50);
    for (let i = 0; i < near.count; i++) if (near.kind(i) === 1) return world.find(near.id(i));
    throw new Error('no stone');
  };
  const act = (kind: number, apply: (world: World, stone: Entity, player: Entity) => unknown) => ({
    kind,
    payload: 'none' as const,
    apply(world: World, player: Entity) {
      apply(world, one(world), player);
      return 0;
    },
  });
  return {
    name: 'stones',
    items: ['pebble'],
    kinds: ['player', 'stone'],
    components: { mark: 'f32', order: 'u8' },
    actions: {
      look: act(1, (world, stone) => world.columns.mark!.get(stone)),
      write: act(2, (world, stone) => world.columns.mark!.set(stone, 1)),
      push: act(3, (world, stone) => world.move(stone, 1, 0)),
      gift: act(
        4,
        (world, stone, player) =>
          world.createItems(player, 0, 1) && world.give(player, world.id(stone), 0, 1),
      ),
      letter: act(5, (world, stone, player) => world.send(player, world.id(stone), 1)),
      keep: act(6, (world, stone) => world.keep(stone)),
      remove: act(7, (world, stone) => world.consumeItems(stone, 0, 1) && world.despawn(stone)),
      order: act(8, (world, _, player) => world.columns.order!.set(player, 1)),
      lay: act(9, (world) => world.spawn(1, x, y)),
    },
    messages: {
      mark: {
        kind: 1,
        receive(world, stone) {
          world.columns.mark!.set(stone, 1);
          return 0;
        },
      },
    },
    populate(world, area) {
      for (let i = 0; i < count; i++) {
        const stone = world.spawn(1, (area.west + area.east) / 2 + i, (area.south + area.north) / 2);
        if (stone >= 0) world.createItems(stone, 0, 1);
      }
    },
    step(world, entity) {
      if (world.kind(entity) === 1) return void world.columns.mark!.set(entity, world.tick % 7);
      if (world.columns.order!.get(entity) === 0) return;
      world.columns.order!.set(entity, 0);
      world.columns.mark!.set(one(world), 9); // the step of another
    },
  };
}

const TOUCHES: readonly [action: string, isTouch: boolean, left: number][] = [
  ['look', false, 0],
  ['write', true, 1],
  ['push', true, 1],
  ['gift', true, 1],
  ['letter', true, 1],
  ['keep', true, 1],
  ['order', true, 1],
  ['remove', true, 0],
];
const STONES = 5;

for (const [action, isTouch, left] of TOUCHES)
  t.test(`touched is ${action}: ${isTouch}`, (t) => {
    const planet = new Planet(stones(STONES), SLEEPY);
    planet.assign(x, y, 0);
    const player = planet.join(x, y);
    planet.run(3);
    planet.act(player, action);
    planet.run(3);
    planet.leave(player);
    planet.run(6 * SECOND);
    t.equal(planet.world.directory.lookup(index), -1);
    t.equal(planet.entities(1, x, y).length, left);
    checkPlanet(planet, 1);
    planet.placer.ensureOwner(x, y);
    planet.run(2);
    t.equal(planet.entities(1, x, y).length, action === 'remove' ? STONES - 1 : STONES);
    checkPlanet(planet, 1);
    t.end();
  });

t.test('what leaves its tile by itself is not made a second time', (t) => {
  const module = stones(1);
  const wanderer: GameModule = {
    ...module,
    step: (world, e) => world.kind(e) === 1 && world.move(e, 100, 0),
  };
  const planet = new Planet(wanderer, SLEEPY);
  planet.assign(x, y, 0);
  planet.run(60);
  planet.run(6 * SECOND);
  planet.placer.ensureOwner(x, y);
  planet.run(3);
  t.strictSame(planet.entities(1, x, y), []);
  checkPlanet(planet, 1);
  t.end();
});

t.test('a tile with more than can be told apart is kept as a whole', (t) => {
  for (const count of [NATURE_PLACES - 1, NATURE_PLACES, NATURE_PLACES + 1]) {
    const planet = new Planet(stones(count), SLEEPY);
    planet.assign(x, y, 0);
    planet.run(6 * SECOND);
    t.equal(planet.entities(1, x, y).length, count > NATURE_PLACES ? count : 0, `${count} at rest`);
    planet.placer.ensureOwner(x, y);
    planet.run(3);
    t.equal(planet.entities(1, x, y).length, count, `${count} awake`);
    checkPlanet(planet, 1);
  }
  t.end();
});

t.test('a crowded arena: tiles sleep sooner, nature waits, and what players lay down finds room', (t) => {
  const size = tile.east - tile.west;
  const planet = new Planet(stones(48), { shards: 1, entities: 256 });
  for (let i = 0; i < 8; i++) planet.placer.ensureOwner(x + 3 * i * size, y);
  planet.run(3);
  const used = planet.shards[0]!.core.owned.count;
  t.ok(used <= 192 && used > 140, `${used} of 256 places are nature's: three quarters`);
  const player = planet.join(x, y);
  planet.run(3);
  t.equal(planet.ownerOf(player.slot), 0);
  const { owned } = planet.shards[0]!.core;
  const before = owned.count;
  planet.act(player, 'lay');
  planet.run(3);
  t.equal(owned.count, before + 1, 'a player may lay something down');
  planet.run((LIMITS.crowdedSleepS + 2) * SECOND);
  t.ok(owned.count < 128, 'what nobody looks at has gone');
  checkPlanet(planet, 1);
  t.end();
});
