/** Whatever a call of the World does not take, and whatever a handler may not answer, is refused with a sentence. */
import t from 'tap';
import { ERRORS } from '../../src/base/errors.js';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { Facade } from '../../src/shard/facade.js';
import type { FaultReport } from '../../src/shard/faults.js';
import type { GameModule, World } from '../../src/world/facade.js';
import { readColumn } from './column.js';
import { checkPlanet } from './invariants.js';
import { Planet } from './planet.js';

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const [X, Y] = [tile.east - 50, tile.south + 900];
const GAME_FAULT = ERRORS.GAME_FAULT.number;

type Deed = (world: World, actor: number) => unknown;
let deed: Deed = () => 0;

const module: GameModule = {
  name: 'misuse',
  items: ['coin'],
  kinds: ['player', 'thing'],
  components: { n: 'u32', f: 'f64' },
  events: { clang: 7 },
  actions: { act: { kind: 1, payload: 'none', apply: (world, e) => deed(world, e) as number } },
  messages: { note: { kind: 1, receive: () => 0 } },
  jobs: { job: (input) => input },
  spawnPlayer: (world, e) => void world.createItems(e, 0, 5),
  step() {},
};

const reports: FaultReport[] = [];
const planet = new Planet(module, { shards: 2, tellFaults: (report) => reports.push(report) });
planet.assign(X, Y, 0);
planet.assign(tile.east + 50, Y, 1);
const player = planet.join(X, Y);
const stranger = planet.join(tile.east + 50, Y);
planet.run(3);

/** Applied, after whatever was done for it. */
const done = (_: unknown): number => 0;

/** Does something in an action, after a write. @returns outcome and what was logged */
function attempt(what: Deed): { code: number; reason: string; n: number } {
  deed = (world, e) => {
    world.columns.n!.set(e, 77);
    return what(world, e);
  };
  reports.length = 0;
  const id = planet.act(player, 'act');
  planet.run(25); // a report a second
  const reason = reports.flatMap(({ faults }) => faults).map(({ message }) => message);
  const n = readColumn(planet.world.arena, planet.game, 'n', player.slot);
  return { code: planet.outcome(player, id), reason: reason.join('; '), n };
}

const NO_ENTITY = [-1, 0.5, Number.NaN, 1e9, '3', undefined, null, stranger.slot];
const NO_NUMBER = [Number.NaN, '1', undefined, null, {}];
const NOT_FINITE = [...NO_NUMBER, Number.POSITIVE_INFINITY];
const NO_ID = [-1, 0.5, 2 ** 53, ...NOT_FINITE];
const NO_INDEX = [-1, 0.5, 9, ...NOT_FINITE];
const NO_COUNT = [0, -1, 1.5, 2 ** 31, ...NOT_FINITE];
const ME = Symbol('the actor');
const bytes = new Uint8Array(200);

/** A call's good arguments, and by place those that are refused. */
const CALLS: Record<string, { good: unknown[]; bad: Record<number, readonly unknown[]> }> = {
  column: { good: ['n'], bad: { 0: ['m', 'toString', undefined, 1] } },
  id: { good: [ME], bad: { 0: NO_ENTITY } },
  kind: { good: [ME], bad: { 0: NO_ENTITY } },
  x: { good: [ME], bad: { 0: NO_ENTITY } },
  y: { good: [ME], bad: { 0: NO_ENTITY } },
  vx: { good: [ME], bad: { 0: NO_ENTITY } },
  vy: { good: [ME], bad: { 0: NO_ENTITY } },
  heading: { good: [ME], bad: { 0: NO_ENTITY } },
  online: { good: [ME], bad: { 0: NO_ENTITY } },
  lasting: { good: [ME], bad: { 0: NO_ENTITY } },
  distance: { good: [ME, X, Y], bad: { 0: NO_ENTITY, 1: [Number.NaN, {}, undefined], 2: [Number.NaN, {}] } },
  bearing: { good: [ME, X, Y], bad: { 0: NO_ENTITY, 1: [Number.NaN, {}, undefined], 2: [Number.NaN, {}] } },
  move: { good: [ME, 0, 0], bad: { 0: NO_ENTITY, 1: NOT_FINITE, 2: NOT_FINITE } },
  setVelocity: { good: [ME, 0, 0], bad: { 0: NO_ENTITY, 1: NOT_FINITE, 2: NOT_FINITE } },
  setHeading: { good: [ME, 0], bad: { 0: NO_ENTITY, 1: NOT_FINITE } },
  items: { good: [ME, 0], bad: { 0: NO_ENTITY, 1: NO_INDEX } },
  createItems: { good: [ME, 0, 1], bad: { 0: NO_ENTITY, 1: NO_INDEX, 2: NO_COUNT } },
  consumeItems: { good: [ME, 0, 1], bad: { 0: NO_ENTITY, 1: NO_INDEX, 2: NO_COUNT } },
  give: {
    good: [ME, stranger.id, 0, 1],
    bad: { 0: NO_ENTITY, 1: NO_ID, 2: NO_INDEX, 3: NO_COUNT, 4: [Number.NaN, '1', null] },
  },
  send: {
    good: [ME, stranger.id, 1],
    bad: { 0: NO_ENTITY, 1: NO_ID, 2: [0, 2, 'note'], 3: [Number.NaN, '1'] },
  },
  sendLossy: { good: [stranger.id, 1], bad: { 0: NO_ID, 1: [0, 2, 'note'], 2: [Number.NaN, '1'] } },
  spawn: { good: [1, X, Y], bad: { 0: [0, ...NO_INDEX], 1: NOT_FINITE, 2: NOT_FINITE } },
  despawn: { good: [], bad: { 0: [player.slot, ...NO_ENTITY] } },
  sleep: { good: [ME], bad: { 0: NO_ENTITY } },
  keep: { good: [ME], bad: { 0: NO_ENTITY } },
  find: { good: [player.id], bad: { 0: NO_ID } },
  near: {
    good: [X, Y, 10],
    bad: { 0: NOT_FINITE, 1: NOT_FINITE, 2: [-1, 1001, Number.NaN, '5', undefined] },
  },
  emit: {
    good: [ME, 7, bytes, 176],
    bad: { 0: NO_ENTITY, 1: [8, -1, '7'], 2: ['text', [1, 2], null], 3: [177, 201, -1, 0.5, Number.NaN] },
  },
  random: { good: [ME], bad: { 0: NO_ENTITY } },
  defer: {
    good: [ME, 'job', 1],
    bad: { 0: NO_ENTITY, 1: ['nix', 'toString', undefined], 2: [1n, 'x'.repeat(2e6)] },
  },
};

t.test('every call of the World has its line here', (t) => {
  const own = ['constructor', 'connect'];
  const inner = ['here', 'mine', 'moveBy', 'makeWritable', 'movePast', 'checkBag', 'fill', 'tick', 'dt'];
  const all = Object.getOwnPropertyNames(Facade.prototype).filter(
    (name) => ![...own, ...inner].includes(name),
  );
  t.strictSame(all.sort(), Object.keys(CALLS).sort());
  t.end();
});

for (const [call, { good, bad }] of Object.entries(CALLS))
  t.test(`world.${call}`, (t) => {
    const run = (values: readonly unknown[]) =>
      attempt((world, e) => {
        const method = (world as unknown as Record<string, (...args: unknown[]) => unknown>)[call]!;
        method.apply(
          world,
          values.map((value) => (value === ME ? e : value)),
        );
        return 0;
      });
    if (good.length > 0) t.equal(run(good).code, 0, 'good arguments are taken');
    for (const [place, values] of Object.entries(bad))
      for (const value of values) {
        const given = [...good];
        while (given.length < Number(place)) given.push(0);
        given[Number(place)] = value;
        const before = readColumn(planet.world.arena, planet.game, 'n', player.slot);
        const { code, reason, n } = run(given);
        const shown = typeof value === 'string' ? `'${value.slice(0, 10)}'` : String(value);
        t.equal(code, GAME_FAULT, `argument ${place}: ${shown}`);
        if (typeof value !== 'bigint') t.match(reason, new RegExp(`world\\.${call}: .* is .*; it must be `));
        t.equal(n, before, 'nothing is done');
      }
    checkPlanet(planet, 1);
    t.end();
  });

t.test('columns', (t) => {
  for (const value of NO_NUMBER)
    t.equal(attempt((world, e) => done(world.columns.f!.set(e, value as number))).code, GAME_FAULT);
  for (const entity of NO_ENTITY) {
    t.equal(attempt((world) => done(world.columns.f!.set(entity as number, 1))).code, GAME_FAULT);
    t.equal(attempt((world) => done(world.columns.f!.get(entity as number))).code, GAME_FAULT);
  }
  t.end();
});

t.test('what apply returns: an outcome, or it is refused', (t) => {
  for (const good of [0, 4, 12, 1000, 65_535]) t.equal(attempt(() => good).code, good);
  const rejected = Promise.reject(new Error('later'));
  const bad = [
    undefined,
    null,
    true,
    'ok',
    Number.NaN,
    -1,
    0.5,
    14,
    999,
    65_536,
    {},
    Promise.resolve(0),
    rejected,
  ];
  for (const value of bad) {
    const { code, reason } = attempt(() => value);
    t.equal(code, GAME_FAULT, String(value));
    t.match(reason, /^apply returned .*(it must return an outcome|a handler is synchronous)/);
  }
  t.end();
});

t.test('what an action rejects it has not done, whatever it did before', (t) => {
  t.equal(attempt((world, e) => done(world.columns.n!.set(e, 5))).n, 5);
  const { code, n } = attempt((world, e) => (world.createItems(e, 0, 1) ? 1000 : 0));
  t.strictSame([code, n], [1000, 5]);
  t.equal(planet.totalItems(0), planet.balance(0));
  t.end();
});

t.test('a world that is kept and used later writes nothing', (t) => {
  let kept: World | null = null;
  let entity = -1;
  attempt((world, e) => {
    kept = world;
    entity = e;
    return 0;
  });
  const later = kept! as World;
  t.throws(() => later.move(entity, 1, 0), /within the call/);
  t.throws(() => later.columns.n!.set(entity, 1), /it must be/);
  t.throws(() => later.createItems(entity, 0, 1), /within the call/);
  t.throws(() => later.spawn(1, X, Y), /within the call/);
  t.throws(() => later.sendLossy(1, 1), /within the call/);
  t.end();
});
