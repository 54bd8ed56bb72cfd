/** Split, merge and move on real shards: everybody is handed over at once, nothing is lost, refusals have their code. */
import t, { type Test } from 'tap';
import { createLog } from '../../src/base/log.js';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, childrenOf, formatTile, tileAt } from '../../src/geo/address.js';
import { Reshaper } from '../../src/control/reshape.js';
import { Traces } from '../../src/control/traces.js';
import { ITEM } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { COLD, OWNER } from '../../src/memory/record.js';
import { leavesOf, ownerAt } from '../../src/world/layout.js';
import { Planet, type TestPlayer } from './planet.js';

const BASE = tileAt(10_000, 10_000, LIMITS.baseTileLevel);
const AREA = boundsOf(BASE);
const NAME = formatTile(BASE);
/** A timer that never rings: the tests poll. */
const NO_TIMERS = { after: () => () => {}, every: () => () => {} };

function setUp(players: number) {
  const planet = new Planet(game, { shards: 4 });
  const x = (i: number) => AREA.west + 50 + ((i * 97) % 9000);
  const y = (i: number) => AREA.south + 50 + ((i * 89) % 9000);
  planet.assign(x(0), y(0), 0);
  const all = Array.from({ length: players }, (_, i) => planet.join(x(i), y(i)));
  planet.run(3);
  const traces = new Traces(planet.world, planet.clock);
  const log = createLog({ level: 'silent' });
  const reshaper = new Reshaper(planet.world, NO_TIMERS, () => planet.tick, log, traces);
  return { planet, all, reshaper, traces };
}

/** Whether every player is owned by the shard of its place, or stands within the margin of a tile of its owner. */
function inPlace(planet: Planet, players: TestPlayer[]): boolean {
  const m = LIMITS.borderMarginM + 0.3;
  return players.every((p) =>
    [-m, 0, m].some((i) =>
      [-m, 0, m].some(
        (j) =>
          planet.ownerOf(p.slot) ===
          ownerAt(planet.world.directory, planet.f64(p, 'x') + i, planet.f64(p, 'y') + j),
      ),
    ),
  );
}

t.test('a split hands everybody over within three ticks, a merge brings them back; nothing is lost', (t) => {
  const { planet, all, reshaper } = setUp(200);
  for (const p of all) planet.act(p, 'walk', { heading: 1, speed: 6, seconds: 10 });
  planet.step();
  const coins = planet.totalItems(ITEM.coin);
  t.equal(reshaper.split(NAME, 'test'), null);
  t.equal(reshaper.merge(NAME, 'test'), 'RESHAPE_IN_PROGRESS');
  planet.run(3);
  reshaper.poll();
  t.notOk(reshaper.isPending(BASE.y * 4096 + BASE.x), 'done');
  t.ok(inPlace(planet, all), 'each is where the layout says');
  t.equal(new Set(all.map((p) => planet.ownerOf(p.slot))).size, 4, 'on four shards');
  const child = formatTile(childrenOf(BASE)[0]);
  t.equal(reshaper.split(child, 'test'), null, 'one level down');
  planet.run(3);
  reshaper.poll();
  t.ok(inPlace(planet, all));
  t.equal(reshaper.split(formatTile(childrenOf(childrenOf(BASE)[0])[0]), 'test'), 'DEEPEST_LEVEL');
  t.equal(reshaper.merge(NAME, 'test'), 'NOT_SPLIT', 'a child is split itself');
  for (const tile of [child, NAME]) {
    t.equal(reshaper.merge(tile, 'test'), null);
    planet.run(3);
    reshaper.poll();
  }
  t.equal(new Set(all.map((p) => planet.ownerOf(p.slot))).size, 1, 'one shard again');
  t.ok(inPlace(planet, all));
  t.equal(planet.totalItems(ITEM.coin), coins);
  t.equal(planet.counter('ticksMissed') + planet.counter('ticksDoubled') + planet.counter('ticksFrozen'), 0);
  for (const p of all) t.equal(planet.applied(p), p.sent);
  t.same(reshaper.counts, { splits: 2, merges: 2, moves: 0 });
  t.end();
});

t.test('who changes hands with its tile takes along what its bag should hold', (t) => {
  const { planet, all, reshaper } = setUp(20);
  const { arena } = planet.world;
  const [forged, honest] = all as [TestPlayer, TestPlayer];
  planet.act(honest, 'drop', { item: ITEM.coin, count: 1 });
  planet.run(25);
  t.equal(reshaper.move(NAME, 1, 'test'), null);
  // In the tick of the handover, whose look at a part of the bags does not meet this one; nobody looks before it goes.
  const place = (arena.cold(forged.slot) + COLD.items) >> 2;
  const look = planet.shards[0]!.core.ledger.look;
  planet.shards[0]!.core.ledger.look = () => {};
  arena.u32[place + ITEM.coin]! += 5;
  planet.step();
  planet.shards[0]!.core.ledger.look = look;
  t.ok(all.every((p) => planet.ownerOf(p.slot) === 1));
  t.equal(planet.counter('itemDifferences'), 0);
  planet.run(20);
  t.equal(planet.counter('itemDifferences'), 1, "the new owner finds it by the old one's notes");
  planet.kill(1);
  planet.run(25);
  t.equal(planet.counter('itemDifferences'), 1, 'a replacement begins with the records as they stand');
  t.end();
});

t.test('a move, and a death of either side in the middle of it', (t) => {
  for (const dead of [0, 1]) {
    const { planet, all, reshaper } = setUp(100);
    t.equal(reshaper.move(NAME, 1, 'test'), null);
    planet.step([0]); // the old owner has offered, the new one has not looked
    planet.kill(dead);
    planet.run(4);
    reshaper.poll();
    t.notOk(reshaper.isPending(BASE.y * 4096 + BASE.x), 'done');
    t.ok(
      all.every((p) => planet.ownerOf(p.slot) === 1),
      `all moved although shard ${dead} died`,
    );
    t.equal(planet.totalItems(ITEM.coin), planet.balance(ITEM.coin));
  }
  t.end();
});

t.test('traces: the split with its steps, and the slowest of the handovers it caused', (t) => {
  const { planet, reshaper, traces } = setUp(40);
  const before = planet.clock.time;
  t.equal(reshaper.split(NAME, 'too many'), null);
  planet.run(5);
  reshaper.poll();
  const { migrations, handovers, lost } = traces.status();
  t.equal(lost, 0);
  const [split] = migrations.latest;
  t.match(split, { kind: 'migration', reason: 'too many', totalMs: planet.clock.time - before });
  t.ok(
    split.entities >= 20 && split.entities <= 2000,
    `${split.entities} entities moved, creatures included`,
  );
  const at = new Map(split.steps.map(({ step, ms }) => [step, ms ?? Number.NaN]));
  t.same([at.get('decided'), at.get('stored')], [0, 0]);
  const order = ['stored', 'first shard saw it', 'last shard saw it', 'last entity moved', 'done'];
  for (const [i, step] of order.entries())
    if (i > 0) t.ok((at.get(step) as number) >= (at.get(order[i - 1]) as number), `${step} in its place`);
  t.ok(handovers.slowest.length > 0, 'handovers were traced');
  for (const { steps, from, to, tile } of handovers.slowest) {
    t.same([from, to === 0], [0, false]);
    t.match(tile, /^12\//, 'in a child of the tile');
    const times = steps.map(({ ms }) => ms ?? Number.POSITIVE_INFINITY);
    t.same(
      [...times].sort((a, b) => a - b),
      times,
      'steps in order',
    );
  }
  t.end();
});

t.test('a split while handovers into the tile are in flight: they are handed on, nobody is lost', (t) => {
  const owners = [2000, 8000].map((south) => splitUnder(t, AREA.south + south));
  t.ok(
    owners.some((owner) => owner !== 0),
    'where some of them were going was another shard’s by then',
  );
  t.end();
});

/** Players walk into the western half while it is split. @returns the new owner of where they are going */
function splitUnder(t: Test, y: number): number {
  const planet = new Planet(game, { shards: 4 });
  planet.assign(AREA.west + 50, y, 0);
  planet.assign(AREA.west - 50, y, 1);
  const all = Array.from({ length: 40 }, (_, i) => planet.join(AREA.west - 5, y + i));
  planet.run(15);
  for (const p of all) planet.act(p, 'walk', { heading: 0, speed: 6, seconds: 10 });
  const reshaper = new Reshaper(planet.world, NO_TIMERS, () => planet.tick, createLog({ level: 'silent' }));
  const inFlight = () => all.filter((p) => planet.stateOf(p.slot) === OWNER.TRANSIT).length;
  for (let i = 0; i < 60 && inFlight() === 0; i++) planet.step([0, 2, 3, 1]);
  t.equal(inFlight(), 40, 'everybody is between shard 1 and shard 0');
  t.equal(reshaper.split(NAME, 'test'), null);
  const owner = ownerAt(planet.world.directory, AREA.west + 50, y);
  planet.run(4);
  reshaper.poll();
  t.notOk(reshaper.isPending(BASE.y * 4096 + BASE.x), 'done');
  t.ok(all.every((p) => planet.ownerOf(p.slot) === owner));
  t.equal(planet.counter('ticksMissed') + planet.counter('ticksDoubled') + planet.counter('ticksFrozen'), 0);
  t.ok(all.every((p) => planet.applied(p) === p.sent));
  return owner;
}

t.test(
  'a death in the middle of a split, of the parent or of any child: it is finished all the same',
  (t) => {
    for (let dead = 0; dead < 4; dead++) {
      for (const order of [[0], [0, 1], [1, 2, 3], [0, 1, 2, 3]]) {
        const { planet, all, reshaper } = setUp(60);
        t.equal(reshaper.split(NAME, 'test'), null);
        planet.step(order); // those have seen the change, the others have not
        planet.kill(dead);
        planet.run(5);
        reshaper.poll();
        t.notOk(reshaper.isPending(BASE.y * 4096 + BASE.x), `done although shard ${dead} died`);
        t.ok(inPlace(planet, all), 'each is where the layout says');
        t.equal(planet.totalItems(ITEM.coin), planet.balance(ITEM.coin));
      }
    }
    t.end();
  },
);

t.test('how many leaves a shard has is put right after a death in the middle of counting', (t) => {
  const { planet, reshaper } = setUp(10);
  planet.world.shardBlocks[0]!.addTiles(5); // whoever counted died before it gave the tiles
  t.equal(reshaper.split(NAME, 'test'), null);
  planet.run(60);
  const leaves = planet.world.shardBlocks.reduce((n, block) => n + block.tiles, 0);
  let all = 0;
  planet.world.directory.forEachTaken((tile) => {
    for (let shard = 0; shard < 4; shard++) all += leavesOf(planet.world.directory, tile, shard);
  });
  t.equal(leaves, all);
  t.end();
});

t.test('refusals', (t) => {
  const { reshaper } = setUp(1);
  t.equal(reshaper.split('nonsense', 'test'), 'BAD_TILE');
  t.equal(reshaper.split('10/0/0', 'test'), 'BAD_TILE', 'above the base tiles');
  t.equal(reshaper.split('11/0/0', 'test'), 'NOBODYS_TILE');
  t.equal(reshaper.split(formatTile(childrenOf(BASE)[0]), 'test'), 'NOT_A_LEAF');
  t.equal(reshaper.merge(NAME, 'test'), 'NOT_SPLIT');
  t.equal(reshaper.move(NAME, 9, 'test'), 'UNKNOWN_SHARD');
  t.equal(reshaper.move(NAME, 0, 'test'), null, 'already there: nothing to do');
  t.same(reshaper.counts, { splits: 0, merges: 0, moves: 0 });
  t.end();
});
