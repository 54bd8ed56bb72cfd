/** Sleep: steps that would change nothing are left out, and nobody can tell from anything else. */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { tileIndex } from '../../src/geo/tile.js';
import { FLAG } from '../../src/memory/player.js';
import { HOT } from '../../src/memory/record.js';
import type { Entity, GameModule, World } from '../../src/world/facade.js';
import { Planet } from './planet.js';

const AREA = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const X = AREA.east - 50;
const Y = AREA.south + 500;
const WORDS = ['write', 'gift', 'letter'] as const;

/**
 * Stones count what they are given and told, and fall asleep after each step. A player's actions wake one by a write to a
 * column, a gift, a message; `look` only reads.
 */
function stones(steps: Map<number, number[]>) {
  const ids: number[] = [];
  const one = (world: World) => world.find(ids[0]!);
  const touch = (world: World, e: Entity) => world.columns.touched!.set(e, world.columns.touched!.get(e) + 1);
  const act = (kind: number, apply: (world: World, e: Entity) => void) => ({
    kind,
    payload: 'none' as const,
    apply(world: World, e: Entity) {
      apply(world, e);
      return 0;
    },
  });
  const module: GameModule = {
    name: 'stones',
    items: ['pebble'],
    kinds: ['player', 'stone'],
    components: { touched: 'f32' },
    actions: {
      place: act(1, (world, e) => ids.push(world.id(world.spawn(1, world.x(e), world.y(e)) as Entity))),
      write: act(2, (world) => touch(world, one(world))),
      gift: act(3, (world, e) => world.createItems(e, 0, 1) && world.give(e, ids[0]!, 0, 1)),
      letter: act(4, (world, e) => void world.send(e, ids[0]!, 1)),
      look: act(5, (world) => void world.columns.touched!.get(one(world))),
    },
    messages: {
      hello: {
        kind: 1,
        receive(world, e) {
          touch(world, e);
          return 0;
        },
      },
    },
    step(world, e) {
      if (world.kind(e) === 0) return;
      const id = world.id(e);
      steps.set(id, [...(steps.get(id) ?? []), world.tick]);
      world.sleep(e);
    },
  };
  return { module, ids };
}

/** A stone on shard 0 that sleeps, and who placed it. */
function start() {
  const steps = new Map<number, number[]>();
  const { module, ids } = stones(steps);
  const planet = new Planet(module);
  planet.assign(X, Y, 0);
  planet.assign(AREA.east + 50, Y, 1);
  const player = planet.join(X, Y);
  planet.run(2);
  planet.act(player, 'place');
  planet.run(10);
  const slot = planet.world.ids.lookup(ids[0]!);
  const made = () => (steps.get(ids[0]!) ?? []).length;
  const faults = () =>
    planet.counter('ticksMissed') + planet.counter('ticksDoubled') + planet.counter('ticksFrozen');
  return { planet, player, slot, made, faults };
}

for (const word of WORDS)
  t.test(`it sleeps after its first step, and wakes for one more by: ${word}`, (t) => {
    const { planet, player, made, faults } = start();
    t.equal(made(), 1);
    planet.act(player, 'look');
    planet.run(5);
    t.equal(made(), 1, 'to be looked at wakes nobody');
    planet.act(player, word);
    planet.run(word === 'letter' ? 12 : 5);
    // Who was written to stays awake until the sender knows its answer.
    if (word === 'letter') t.ok(made() >= 2, `${made()} steps`);
    else t.equal(made(), 2);
    const before = made();
    planet.run(5);
    t.equal(made(), before, 'and sleeps again');
    t.equal(faults(), 0);
    t.end();
  });

t.test('a message from another shard wakes it', (t) => {
  const { planet, made, faults } = start();
  const stranger = planet.join(AREA.east + 50, Y);
  planet.run(3);
  planet.act(stranger, 'letter');
  planet.run(8);
  t.ok(made() >= 2, 'it stays awake until the sender has its answer');
  t.equal(faults(), 0);
  t.end();
});

t.test('its tile moves to another shard: it is handed over at once, its clock with it', (t) => {
  const { planet, slot, made, faults } = start();
  const tile = tileIndex(X, Y, LIMITS.baseTileLevel);
  t.ok(planet.world.directory.move(tile, 0, 1));
  planet.run(3);
  t.equal(planet.ownerOf(slot), 1);
  t.equal(made(), 2, 'its new owner makes one step');
  planet.run(5);
  t.equal(made(), 2);
  t.equal(faults(), 0);
  t.end();
});

t.test('its shard dies, before, while and after it falls asleep: nothing is missed, nothing frozen', (t) => {
  const { planet, player, slot, made, faults } = start();
  planet.kill(0);
  planet.run(3);
  t.equal(made(), 2, 'a replacement knows of no sleep');
  for (let n = 0; ; n += 3) {
    const { died } = planet.dieIn(0, n);
    if (!died) break;
    planet.replace(0);
    planet.act(player, 'write');
    planet.run(2);
    planet.run(n % 7);
  }
  t.equal(planet.ownerOf(slot), 0);
  t.equal(faults(), 0);
  const { arena } = planet.world;
  planet.act(player, 'write');
  planet.run(1);
  t.equal(arena.i32[(arena.hot(slot) + HOT.lastTick) >> 2], planet.tick, 'awake it keeps up');
  t.end();
});

t.test('a record that does not say that it sleeps is taken for one that was left behind', (t) => {
  const { planet, slot, faults } = start();
  const { arena } = planet.world;
  arena.u16[(arena.hot(slot) + HOT.flags) >> 1]! &= ~FLAG.ASLEEP;
  planet.kill(0);
  planet.run(3);
  t.ok(faults() > 0);
  t.end();
});

t.test('players do not sleep', (t) => {
  let steps = 0;
  const module: GameModule = {
    name: 'sleepy',
    items: [],
    kinds: ['player'],
    components: {},
    actions: {},
    step(world, e) {
      steps++;
      world.sleep(e);
    },
  };
  const planet = new Planet(module, { shards: 1 });
  planet.join(X, Y);
  planet.run(10);
  t.ok(steps >= 9);
  t.end();
});
