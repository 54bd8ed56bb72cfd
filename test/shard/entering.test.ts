/**
 * What is under way when its sender comes back from disk is entered into a shard's books once, whichever way it is taken
 * (in transit to the shard, or found at rest) and whoever dies meanwhile: else the audit sees arrive what nobody posted.
 * Deaths before every change of shared memory in the tick of the taking, and in the adoption after it.
 */
import t, { type Test } from 'tap';
import { Audit } from '../../src/control/audit.js';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { ITEM } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { COLD_BYTES, HOT, NOBODY, OWNER, epochOf, packOwner } from '../../src/memory/record.js';
import { FLAG } from '../../src/memory/player.js';
import { FOUND, STORE_THREAD } from '../../src/memory/store-ring.js';
import { BOOK, BOOK_WORDS } from '../../src/memory/shard-block.js';
import type { GameModule, World } from '../../src/world/facade.js';
import { Planet, type TestPlayer } from './planet.js';

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const y = tile.south + 500;
const silent = { info() {}, warn() {}, error() {}, fatal() {} };
const COUNT = 4;
type Way = 'in transit' | 'at rest';

function pair(module: unknown = game): { planet: Planet; a: TestPlayer; b: TestPlayer } {
  const planet = new Planet(module, { entities: 64 });
  planet.assign(tile.east - 50, y, 0);
  planet.assign(tile.east + 50, y, 1);
  const b = planet.join(tile.east + 1, y);
  planet.run(3);
  const a = planet.join(tile.east - 1, y, FLAG.NEW | FLAG.ACCOUNT);
  return { planet, a, b };
}

/** The record of a giver whose gift was committed and never answered, as a crash of the process leaves it on disk. */
function giverOnDisk(): { hot: Uint8Array; cold: Uint8Array } {
  const { planet, a, b } = pair();
  planet.run(3);
  planet.lose(1);
  planet.act(a, 'give', { target: b.id, item: ITEM.coin, count: COUNT });
  planet.run(2);
  if (planet.outbox(a.slot) !== 1) throw new Error('nothing is under way');
  const { arena } = planet.world;
  const [hot, cold] = [arena.hot(a.slot), arena.cold(a.slot)];
  return { hot: arena.u8.slice(hot, hot + 128), cold: arena.u8.slice(cold, cold + COLD_BYTES) };
}

const stored = giverOnDisk();

/** The store says to shard 0, which wanted the entity, that it is in the arena. */
function answer(planet: Planet, { id }: TestPlayer): void {
  const ring = planet.world.arrivals[STORE_THREAD]![0]!;
  const at = ring.offer() >> 2;
  ring.i32.set([FOUND, id, 0, 0], at);
  ring.commit();
}

/** A process that has just started: the giver of `stored` comes into its arena, and the shard is about to take it. */
function restarted(way: Way) {
  const { planet, a, b } = pair();
  const { arena } = planet.world;
  const hot = arena.hot(a.slot);
  arena.u8.set(stored.cold, arena.cold(a.slot));
  for (const field of ['outboxCount', 'messageCounter'] as const)
    arena.u8.set(stored.hot.subarray(HOT[field], HOT[field] + 4), hot + HOT[field]);
  if (way === 'at rest') {
    const word = Atomics.load(arena.owner, a.slot);
    Atomics.store(arena.owner, a.slot, packOwner(OWNER.PARKED, NOBODY, NOBODY, epochOf(word)));
    answer(planet, a);
  }
  const audit = new Audit(planet.world, () => game.items, silent);
  return { planet, a, b, audit };
}

function entered({ world }: Planet): number {
  const unused = new Float64Array(LIMITS.itemKinds);
  const books = new Float64Array(BOOK_WORDS);
  let sum = 0;
  for (const block of world.shardBlocks) {
    block.totals(unused, unused, books);
    sum += books[BOOK.entered * LIMITS.itemKinds + ITEM.coin]!;
  }
  return sum;
}

/** @returns what went wrong, and whether each of the two deaths took place */
function play(way: Way, death: number, second: number): { wrong: string[]; died: boolean; again: boolean } {
  const { planet, a, b, audit } = restarted(way);
  const before = planet.items(b.slot, ITEM.coin);
  const { died } = planet.dieIn(0, death);
  let again = false;
  if (died) {
    const { boot } = planet;
    let boots = 0;
    planet.boot = (shard, dead) => {
      boots++;
      boot.call(planet, shard, dead);
    };
    planet.replace(0, second);
    again = boots > 1;
  }
  // An answer may have been read and not acted on: whoever wants the entity asks again.
  if (way === 'at rest') answer(planet, a);
  for (let i = 0; i < 20; i++) {
    planet.step();
    audit.look();
  }
  const wrong: string[] = [];
  const status = audit.status();
  if (!status.ok) wrong.push(`audit: ${JSON.stringify(status.last)}`);
  if (entered(planet) !== COUNT) wrong.push(`entered ${entered(planet)}`);
  if (planet.items(b.slot, ITEM.coin) !== before + COUNT) wrong.push('not given once');
  if (planet.outbox(a.slot) !== 0) wrong.push('under way for ever');
  return { wrong: wrong.map((w) => `${way}, deaths ${death} and ${second}: ${w}`), died, again };
}

for (const way of ['in transit', 'at rest'] as const) {
  t.test(`${way}: entered once, without a death and with one or two anywhere`, (t: Test) => {
    const wrong = play(way, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY).wrong;
    let [deaths, twice] = [0, 0];
    for (let death = 0; ; death++) {
      const one = play(way, death, Number.POSITIVE_INFINITY);
      wrong.push(...one.wrong);
      if (!one.died) break;
      deaths++;
      // All pairs take minutes: every seventh death, each with other ones after it.
      if (death % 7 !== 0) continue;
      for (let second = death % 11; ; second += 11) {
        const two = play(way, death, second);
        wrong.push(...two.wrong);
        if (!two.again) break;
        twice++;
      }
    }
    t.strictSame(wrong.slice(0, 5), [], `${wrong.length} of ${deaths} deaths and ${twice} pairs of them`);
    t.ok(deaths > 30 && twice > 20, `${deaths} deaths, ${twice} pairs`);
    t.end();
  });
}

/** A purse that is made, filled and given away in one tick. */
function purses(targets: number[]) {
  return {
    name: 'purses',
    items: ['coin'],
    kinds: ['player', 'purse'],
    components: {},
    actions: {
      make: {
        kind: 1,
        payload: 'none',
        apply(world: World, actor: number) {
          const purse = world.spawn(1, world.x(actor), world.y(actor));
          if (purse < 0) return 1000;
          world.createItems(purse, 0, COUNT);
          return world.give(purse, targets[0]!, 0, COUNT);
        },
      },
    },
    rejections: { NO_ROOM: 1000 },
    messages: {},
    jobs: {},
    step() {},
  } as unknown as GameModule;
}

t.test('who is made by the shard is no entry, whatever it has under way when that one dies', (t: Test) => {
  const targets: number[] = [];
  const { planet, a, b } = pair(purses(targets));
  targets.push(b.id);
  planet.run(3);
  planet.lose(1);
  const id = planet.act(a, 'make');
  planet.run(2);
  t.equal(planet.outcome(a, id), 0);
  const [purse] = planet.entities(1, tile.east - 1, y);
  t.equal(planet.outbox(purse!), 1);
  planet.kill(0);
  planet.run(2);
  planet.replace(1);
  planet.run(20);
  t.equal(planet.outbox(purse!), 0);
  t.equal(planet.items(b.slot, 0), COUNT);
  t.equal(entered(planet), 0);
  t.end();
});

t.test('who comes back from rest is not handed over', (t: Test) => {
  const { planet, a } = pair();
  planet.run(3);
  planet.act(a, 'walk', { heading: 0, speed: 6, seconds: 2 });
  planet.run(45);
  t.equal(planet.ownerOf(a.slot), 1);
  const before = planet.counter('handoversIn');
  planet.leave(a);
  for (let i = 0; i < 400 && planet.stateOf(a.slot) !== OWNER.PARKED; i++) planet.step();
  t.ok(planet.comeBack(a));
  planet.run(2);
  t.equal(planet.stateOf(a.slot), OWNER.OWNED);
  t.equal(planet.counter('handoversIn'), before);
  t.end();
});
