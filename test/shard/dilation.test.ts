/** Time dilation on real shards: timers agree with the tile's clock, no step is lost or doubled, no action dropped. */
import t, { type Test } from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { seededRandom } from '../../src/base/random.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { tileIndex, tileX, tileY } from '../../src/geo/tile.js';
import { CONTROL } from '../../src/memory/inbox.js';
import { HEADER, HOT } from '../../src/memory/record.js';
import { RECORD } from '../../src/memory/player.js';
import type { Directory } from '../../src/memory/directory.js';
import { dilation, packService } from '../../src/memory/service.js';
import { SHARD_COUNTER } from '../../src/memory/shard-block.js';
import { dueBetween, due, slowestFactor } from '../../src/world/dilation.js';
import type { GameModule, World } from '../../src/world/facade.js';
import { readColumn } from './column.js';
import { Planet, type TestPlayer } from './planet.js';

const COOLDOWN = 1000;
const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const y = tile.south + 500;

/** Factor of the leaf at a place, percent. */
function factorAt(directory: Directory, x: number, y: number): number {
  const level = LIMITS.deepestTileLevel;
  return dilation(directory.service(tileX(x, level), tileY(y, level)));
}

/** A game that counts its steps, with a spell of two seconds. */
const metronome = {
  name: 'metronome',
  items: ['nothing'],
  kinds: ['player'],
  components: { waitS: 'f64', steps: 'f64', order: 'f64', speedMps: 'f64' },
  rejections: { COOLDOWN },
  actions: {
    cast: {
      kind: 1,
      payload: 'none',
      apply(world: World, actor: number) {
        if (world.column('waitS').get(actor) > 1e-9) return COOLDOWN;
        world.column('waitS').set(actor, 2);
        return 0;
      },
    },
    note: {
      kind: 2,
      payload: { n: 'u16' },
      apply(world: World, actor: number, { n }: { n: number }) {
        world.column('order').set(actor, world.column('order').get(actor) * 8 + n);
        return 0;
      },
    },
    run: {
      kind: 3,
      payload: { speed: 'f32' },
      apply(world: World, actor: number, { speed }: { speed: number }) {
        world.column('speedMps').set(actor, speed);
        return 0;
      },
    },
  },
  step(world: World, entity: number) {
    world.column('steps').set(entity, world.column('steps').get(entity) + 1);
    world.column('waitS').set(entity, Math.max(0, world.column('waitS').get(entity) - world.dt));
    world.move(entity, world.column('speedMps').get(entity) * world.dt, 0);
  },
} as unknown as GameModule;

const column = (planet: Planet, name: string, player: TestPlayer): number =>
  readColumn(planet.world.arena, planet.game, name, player.slot);
const steps = (planet: Planet, player: TestPlayer): number => column(planet, 'steps', player);

function slow(planet: Planet, x: number, percent: number): void {
  const index = tileIndex(x, y, LIMITS.baseTileLevel);
  if (!planet.world.directory.setService(index, 0, 0, packService(percent, 100, 100)))
    throw new Error('nobody has the tile');
}

/** Two tiles beside each other on two shards; the western one at `west` percent, the eastern at `east`. */
function pair(west: number, east: number): Planet {
  const planet = new Planet(metronome);
  planet.assign(tile.east - 50, y, 0);
  planet.assign(tile.east + 50, y, 1);
  slow(planet, tile.east - 50, west);
  slow(planet, tile.east + 50, east);
  return planet;
}

function noAccident(t: Test, planet: Planet): void {
  for (const name of ['ticksMissed', 'ticksDoubled', 'ticksFrozen', 'skippedEntries'] as const)
    t.equal(planet.counter(name), 0, name);
}

t.test('due ticks: as many as the factor says, spread evenly', (t) => {
  for (const percent of [10, 30, 50, 70, 99, 100]) {
    let last = 0;
    let longest = 0;
    for (let k = 1; k <= 1000; k++) {
      if (!due(k, percent)) continue;
      longest = Math.max(longest, k - last);
      last = k;
    }
    t.equal(dueBetween(0, 1000, percent), percent * 10);
    t.equal(longest, Math.ceil(100 / percent), `at ${percent} % never longer than that without a step`);
  }
  t.notOk(due(5, 0), 'a stopped tile is never due');
  t.equal(dueBetween(2 ** 30 - 1, 2 ** 30, 100), 1);
  t.end();
});

t.test('a cooldown of 2 s takes 40 ticks at full speed, 80 at half, 400 at a tenth', (t) => {
  for (const [percent, ticks] of [
    [100, 40],
    [50, 80],
    [10, 400],
  ] as const) {
    const planet = pair(percent, 100);
    const player = planet.join(tile.east - 50, y);
    planet.run(12);
    planet.act(player, 'cast');
    const began = planet.tick;
    while (planet.applied(player) < player.sent) planet.step();
    const cast = planet.tick;
    t.ok(cast - began <= 100 / percent, 'the spell waits for a due tick, no longer');
    while (column(planet, 'waitS', player) > 1e-9) planet.step();
    // The step of the tick in which it was cast counts as well.
    t.equal(planet.tick - cast + 100 / percent, ticks, `${percent} %`);
    t.equal(slowestFactor(planet.world.directory), percent);
    noAccident(t, planet);
    if (percent < 100) t.ok(planet.counter('ticksDilated') > 0);
  }
  t.end();
});

/** Moves one player over the border and holds its steps, tick by tick, against the clock of the tile it was in. */
function crossing(planet: Planet): string | null {
  const player = planet.join(tile.east - 20, y);
  planet.run(3);
  planet.act(player, 'run', { speed: 5 });
  for (let i = 0; i < 900; i++) {
    const before = steps(planet, player);
    const factor = factorAt(planet.world.directory, planet.f64(player, 'x'), y);
    planet.step();
    const made = steps(planet, player) - before;
    if (made !== dueBetween(planet.tick - 1, planet.tick, factor))
      return `tick ${planet.tick}: ${made} steps at ${factor} %`;
  }
  if (planet.ownerOf(player.slot) !== 1) return 'it has not arrived';
  const accidents = (['ticksMissed', 'ticksDoubled', 'ticksFrozen'] as const).filter(
    (n) => planet.counter(n) > 0,
  );
  return accidents.length === 0 ? null : accidents.join(', ');
}

t.test('a handover between tiles of different speed loses and doubles no step', (t) => {
  for (const [west, east] of [
    [30, 100],
    [100, 30],
    [50, 70],
    [10, 10],
  ] as const)
    t.equal(crossing(pair(west, east)), null, `${west} % → ${east} %`);
  t.end();
});

t.test('whoever is given away in a tick that is not due: the next owner goes on from there', (t) => {
  for (const bug of ['none', 'not settled', 'settled without the count']) {
    const planet = pair(10, 100);
    const player = planet.join(tile.east - 50, y);
    planet.run(12);
    while (due(planet.tick + 1, 10) || due(planet.tick, 10) || due(planet.tick - 1, 10)) planet.step();
    const before = steps(planet, player);
    const { core } = planet.shards[0]!;
    if (bug === 'not settled') core.onLeave = () => void core.passed.fill(0);
    if (bug === 'settled without the count') {
      const at = (core.arena.hot(player.slot) + HOT.stepCount) >> 2;
      core.onLeave = () => void (core.arena.i32[at]! -= 1);
    }
    const index = tileIndex(tile.east - 50, y, LIMITS.baseTileLevel);
    planet.world.directory.move(index, 0, 1); // the word of the tile stays: a tenth
    planet.step([1, 0]);
    t.equal(planet.ownerOf(player.slot), -1, 'on its way, in a tick that is not due');
    slow(planet, tile.east - 50, 100);
    planet.step();
    const made = steps(planet, player) - before;
    const accident = made !== 1 || planet.counter('ticksMissed') > 0;
    t.equal(accident, bug !== 'none', `${bug}: ${made} steps in one tick`);
    if (bug === 'none') noAccident(t, planet);
  }
  t.end();
});

t.test('actions wait, in order, each once; sessions and logs do not wait; the window holds', (t) => {
  const planet = pair(10, 100);
  const player = planet.join(tile.east - 50, y);
  planet.run(12);
  while (!due(planet.tick, 10)) planet.step();
  planet.control(player, CONTROL.LOG);
  for (let n = 1; n <= 7; n++) planet.act(player, 'note', { n });
  planet.control(player, CONTROL.LOG);
  const logs = () => planet.records.filter((r) => r.type === RECORD.LOG).length;
  planet.step();
  t.equal(logs(), 1, 'the first is answered at once, the second stands behind the actions');
  while (!due(planet.tick + 1, 10)) {
    t.equal(planet.applied(player), 0, 'nothing is decided before the tile is due');
    planet.step();
  }
  planet.step();
  t.equal(planet.applied(player), LIMITS.actionsPerTick, 'as many as one tick decides');
  while (player.sent < 60) planet.act(player, 'run', { speed: 0 });
  planet.run(40 * 10);
  t.equal(planet.applied(player), 60);
  t.equal(column(planet, 'order', player), 0o1234567);
  t.equal(logs(), 2);
  noAccident(t, planet);
  const late = planet.join(tile.east - 50, y);
  while (!due(planet.tick, 10)) planet.step();
  const ready = () => planet.records.some((r) => r.type === RECORD.READY && r.a === late.slot);
  planet.run(2);
  t.ok(ready(), 'a session begins in ticks that are not due');
  t.end();
});

t.test('a death in a slowed tile: what was passed by is not made up for', (t) => {
  const planet = pair(10, 100);
  const player = planet.join(tile.east - 50, y);
  planet.run(12);
  while (!due(planet.tick, 10)) planet.step();
  const before = steps(planet, player);
  planet.run(5);
  planet.kill(0);
  planet.run(4);
  t.equal(steps(planet, player), before, 'nine ticks later it is still not due');
  planet.step();
  t.equal(steps(planet, player), before + 1);
  noAccident(t, planet);
  t.end();
});

/** Players that run to and fro over the border of two tiles whose speeds change at random. */
function roam(seed: number, plant: (planet: Planet) => void = () => {}): string | null {
  const random = seededRandom(seed);
  const planet = pair(100, 100);
  const players = Array.from({ length: 12 }, (_, i) => planet.join(tile.east - 30 + 5 * i, y));
  plant(planet);
  planet.run(3);
  for (let i = 0; i < 400; i++) {
    for (const player of players)
      if (random.next() < 0.02 && player.sent - planet.applied(player) < 20)
        planet.act(player, 'run', { speed: (random.next() * 2 - 1) * 6 });
    if (random.next() < 0.05) slow(planet, tile.east + (random.next() < 0.5 ? -50 : 50), 10 + random.int(91));
    const before = players.map((p) => [
      steps(planet, p),
      factorAt(planet.world.directory, planet.f64(p, 'x'), y),
    ]);
    planet.step(random.next() < 0.5 ? [0, 1] : [1, 0]);
    for (const [p, player] of players.entries()) {
      const made = steps(planet, player) - before[p]![0]!;
      if (made !== dueBetween(planet.tick - 1, planet.tick, before[p]![1]!))
        return `player ${p} made ${made} steps`;
    }
  }
  planet.run(300);
  if (players.some((p) => planet.applied(p) !== p.sent)) return 'an action was dropped';
  return planet.counter('ticksMissed') + planet.counter('ticksDoubled') + planet.counter('ticksFrozen') > 0
    ? 'a tick was missed, doubled or frozen'
    : null;
}

t.test(
  'speeds that change at random: every entity follows the clock of its tile; planted bugs are found',
  (t) => {
    for (let seed = 1; seed <= 20; seed++) t.equal(roam(seed), null, `seed ${seed}`);
    const found = (plant: (planet: Planet) => void) =>
      Array.from({ length: 5 }, (_, i) => roam(i + 1, plant)).find((broken) => broken !== null);
    const everywhere = (work: (core: Planet['shards'][0]['core']) => void) => (planet: Planet) => {
      for (const shard of planet.shards) work(shard.core);
    };
    t.ok(
      found((planet) => {
        const step = planet.step.bind(planet);
        planet.step = (order) => {
          step(order);
          for (const shard of planet.shards) shard.core.passed.fill(0);
        };
      }),
      'ticks passed by are forgotten: they are made up for',
    );
    t.ok(
      found(
        everywhere((core) => {
          const factorOf = core.factorOf.bind(core);
          core.factorOf = (slot) => (factorOf(slot) < 100 && slot % 3 === 0 ? 100 : factorOf(slot));
        }),
      ),
      'somebody is stepped in a tick that is not due',
    );
    t.ok(
      found(
        everywhere((core) => {
          const factorOf = core.factorOf.bind(core);
          core.factorOf = (slot) => {
            const at = (core.arena.hot(slot) + HOT.inboxHead) >> 2;
            if (!due(core.tick, factorOf(slot))) core.arena.i32[at] = core.world.inboxes.tail(slot);
            return factorOf(slot);
          };
        }),
      ),
      'waiting actions are dropped',
    );
    t.end();
  },
);

t.test('what is counted is what was committed: a tick done again after a death is counted once', (t) => {
  const planet = pair(100, 100);
  const player = planet.join(tile.east - 50, y);
  planet.run(3);
  planet.act(player, 'note', { n: 1 });
  const shard = planet.shards[0]!;
  shard.core.block.commit = () => {
    throw new Error('died before the commit');
  };
  try {
    planet.step();
  } catch {
    planet.lose(0);
  }
  delete (shard.core.block as { commit?: unknown }).commit;
  planet.replace(0);
  planet.run(3);
  t.equal(planet.applied(player), 1);
  t.equal(planet.world.shardBlocks[0]!.counter(SHARD_COUNTER.actionsApplied), 1);
  t.equal(planet.world.arena.f64[(planet.world.arena.header(player.slot) + HEADER.id) >> 3], player.id);
  t.end();
});
