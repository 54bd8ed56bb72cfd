/** What comes in bulk is done in portions: each tick takes on so much, nothing is lost between, and the heart beats. */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { tileIndex } from '../../src/geo/tile.js';
import { COLD, OWNER } from '../../src/memory/record.js';
import { SHARD_COUNTER } from '../../src/memory/shard-block.js';
import { createSharedWorld } from '../../src/memory/shared-world.js';
import { BULK } from '../../src/shard/bulk.js';
import type { Core } from '../../src/shard/core.js';
import { MAIL, Letter } from '../../src/shard/letter.js';
import { MailRings } from '../../src/shard/mail-rings.js';
import type { TileArea, World } from '../../src/world/facade.js';
import { Planet } from './planet.js';

const ONE = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const x = (ONE.west + ONE.east) / 2;
const y = (ONE.south + ONE.north) / 2;
const index = tileIndex(x, y, LIMITS.baseTileLevel);
const SLEEP_S = 1;
const STONE = 1;

/** A world of stones that lie where they are; `many` of them in the tile of (x, y), one in every other. */
function stones(many: number, onStep: () => void = () => {}) {
  return {
    name: 'stones',
    kinds: ['player', 'stone'],
    items: [],
    components: {},
    events: {},
    actions: { nod: { kind: 1, payload: 'none', apply: () => 0 } },
    step: onStep,
    populate: (world: World, area: TileArea) => {
      const isOne = area.west === ONE.west && area.south === ONE.south;
      for (let i = 0; i < (isOne ? many : 1); i++)
        world.spawn(STONE, (area.west + area.east) / 2, (area.south + area.north) / 2);
    },
  };
}

function counted(planet: Planet) {
  const slots = planet.entities(STONE, x, y);
  const inState = (state: number) => slots.filter((slot) => planet.stateOf(slot) === state).length;
  return { all: slots.length, owned: inState(OWNER.OWNED), parked: inState(OWNER.PARKED) };
}

/** Steps until something is so. @returns how many ticks that took */
function until(planet: Planet, isSo: () => boolean, each: () => void = () => {}): number {
  for (let n = 1; n < 2000; n++) {
    planet.step();
    each();
    if (isSo()) return n;
  }
  throw new Error('it never was so');
}

const MANY = BULK.woken + BULK.parked + 100;
const entities = 8192;

function awake(tickRateHz: number = LIMITS.tickRateHz) {
  const planet = new Planet(stones(MANY), { shards: 1, entities, tileSleepS: SLEEP_S, tickRateHz });
  planet.placer.ensureOwner(x, y);
  until(planet, () => counted(planet).owned === MANY);
  return planet;
}

t.test('a tile with thousands of entities goes to rest, and comes back, a portion in a tick', (t) => {
  for (const rate of [1, 20, 60]) {
    const planet = awake(rate);
    let [before, most] = [0, 0];
    const portion = (of: 'parked' | 'owned') => () => {
      const now = counted(planet)[of];
      most = Math.max(most, now - before);
      before = now;
    };
    until(planet, () => planet.world.directory.lookup(index) < 0, portion('parked'));
    t.same(
      counted(planet),
      { all: MANY, owned: 0, parked: MANY },
      `${rate}: all of it rests once it is nobody's`,
    );
    t.equal(most, BULK.parked);
    [before, most] = [0, 0];
    planet.placer.ensureOwner(x, y);
    const woken = portion('owned');
    until(
      planet,
      () => counted(planet).owned === MANY,
      () => {
        planet.world.directory.touch(index, planet.tick); // looked at, or it would go to rest again at once
        woken();
      },
    );
    t.equal(most, BULK.woken);
    t.equal(
      planet.counter('ticksFrozen') + planet.counter('ticksMissed') + planet.counter('ticksDoubled'),
      0,
    );
  }
  t.end();
});

t.test('disturbed while half of it rests, it comes back whole', (t) => {
  const disturbances: Record<string, (planet: Planet) => void> = {
    'somebody looks at it': (planet) => planet.world.directory.touch(index, planet.tick),
    'somebody comes in': (planet) => void planet.join(x, y),
    'its shard dies': (planet) => {
      planet.world.directory.touch(index, planet.tick);
      planet.kill(0);
    },
  };
  for (const [what, disturb] of Object.entries(disturbances)) {
    const planet = awake();
    until(planet, () => counted(planet).parked > BULK.parked);
    t.ok(counted(planet).owned > 0, `${what}: in the middle of it`);
    disturb(planet);
    until(planet, () => counted(planet).owned === MANY);
    t.equal(planet.world.directory.lookup(index), 0, what);
    until(planet, () => planet.world.directory.lookup(index) < 0 || what === 'somebody comes in');
  }
  t.end();
});

t.test('the tile changes hands while half of it rests: the new owner gets all of it', (t) => {
  const planet = new Planet(stones(MANY), { shards: 2, entities, tileSleepS: SLEEP_S });
  planet.placer.ensureOwner(x, y);
  until(planet, () => counted(planet).owned === MANY);
  until(planet, () => counted(planet).parked > BULK.parked);
  const { directory } = planet.world;
  const old = directory.lookup(index);
  t.ok(directory.move(index, old, 1 - old));
  const moved = () => planet.entities(STONE, x, y).filter((slot) => planet.ownerOf(slot) === 1 - old).length;
  let [before, most] = [0, 0];
  until(
    planet,
    () => moved() === MANY,
    () => {
      most = Math.max(most, moved() - before);
      before = moved();
      directory.touch(index, planet.tick);
    },
  );
  t.ok(most > 0 && most <= BULK.offered, `${most} in a tick`);
  t.equal(planet.counter('ticksMissed') + planet.counter('ticksDoubled'), 0);
  t.end();
});

t.test('many tiles woken at once are populated a portion in a tick', (t) => {
  const planet = new Planet(stones(1), { shards: 1, entities: 4096 });
  const tiles = 3 * BULK.populated + 5;
  const size = ONE.east - ONE.west;
  for (let i = 0; i < tiles; i++) planet.placer.ensureOwner(x + i * size, y);
  const made = () => {
    let n = 0;
    for (let i = 0; i < tiles; i++) if (planet.world.directory.generatedTick(index + i) > 0) n++;
    return n;
  };
  const portions: number[] = [];
  let before = 0;
  until(
    planet,
    () => made() === tiles,
    () => {
      portions.push(made() - before);
      before = made();
    },
  );
  t.equal(Math.max(...portions), BULK.populated);
  t.equal(planet.entities(STONE, x, y).length, 1);
  t.end();
});

t.test('a drain of letters is finished before later ones count as seen', (t) => {
  const world = createSharedWorld({ shards: 4, gateways: 1, startMs: 0, maxEntities: 64 });
  const core = {
    world,
    shard: 0,
    tick: 7,
    block: world.shardBlocks[0],
    progress: () => {},
  } as unknown as Core;
  const rings = new MailRings(core);
  const letter = new Letter();
  letter.type = MAIL.LOSSY;
  const fill = (from: number, count: number) => {
    const ring = world.messages[from]![0]!;
    for (let i = 0; i < count; i++) {
      letter.target = from * 1e6 + i;
      letter.tick = 7;
      letter.write(ring.i32, ring.offer() >> 2);
      ring.commit();
    }
  };
  const most = LIMITS.messagePlaces - 1;
  for (const from of [1, 2, 3]) fill(from, most);
  const seen: number[] = [];
  const drain = () => rings.drain(new Letter(), (m) => seen.push(m.target));
  drain();
  t.equal(seen.length, BULK.letters);
  t.ok(rings.isBehind);
  t.equal(rings.wholeBegan, 0, 'no drain has been whole');
  core.tick = 8;
  fill(1, 10); // after the drain began
  drain();
  t.equal(seen.length, 3 * most, 'the rest of it, and nothing later');
  t.notOk(rings.isBehind);
  t.equal(rings.wholeBegan, 7);
  core.tick = 9;
  drain();
  t.equal(seen.length, 3 * most + 10);
  t.equal(rings.wholeBegan, 9);
  t.equal(new Set(seen).size, 3 * most, 'each was taken once; the later ones bear the numbers of the first');
  t.end();
});

t.test('a long tick is no silence: the heart beats while entities are stepped and actions are taken', (t) => {
  let planet: Planet | null = null;
  let [longest, since, last] = [0, 0, -1];
  const look = () => {
    const heartbeat = planet?.world.shardBlocks[0]?.heartbeat ?? 0;
    since = heartbeat === last ? since + 1 : 0;
    last = heartbeat;
    longest = Math.max(longest, since);
  };
  planet = new Planet(stones(500, look), { shards: 1, entities: 1024 });
  planet.placer.ensureOwner(x, y);
  until(planet, () => counted(planet!).owned === 500);
  planet.run(3);
  t.ok(longest > 0 && longest <= 16, `${longest} steps between two beats`);
  t.end();
});

t.test('rates of ticks: what is meant a second happens so often at every rate', (t) => {
  for (const rate of [1, 2, 5, 10, 20, 30, 60]) {
    const planet = new Planet(stones(1), { shards: 1, entities: 256, tickRateHz: rate, frameEvery: 1 });
    const player = planet.join(x, y);
    const guest = planet.join(x, y);
    planet.run(Math.max(2, rate));
    for (let i = 0; i < 40; i++) planet.act(player, 'nod');
    planet.run(rate * 2);
    t.equal(planet.applied(player), 40, `${rate} Hz: the actions of a second are decided within two`);
    planet.leave(guest);
    planet.run(rate + 2);
    t.equal(planet.stateOf(guest.slot), OWNER.FREE, `${rate} Hz: who said goodbye is gone within a second`);
    const block = planet.world.shardBlocks[0]!;
    t.equal(block.counter(SHARD_COUNTER.ticksFrozen), 0);
    const { arena } = planet.world;
    arena.u32[(arena.cold(player.slot) + COLD.items) >> 2]! += 1; // behind the shard's back
    planet.run(rate);
    t.equal(
      block.counter(SHARD_COUNTER.itemDifferences),
      1,
      `${rate} Hz: each bag is looked at once a second`,
    );
  }
  t.end();
});
