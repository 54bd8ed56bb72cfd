/**
 * A call of game code that throws has changed nothing: records, entities made and ended, letters, items and their books,
 * events, jobs, draws. Whatever it called before it threw, and whichever call of the game it was.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { ERRORS } from '../../src/base/errors.js';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { RECORD_HEADER_BYTES } from '../../src/memory/byte-ring.js';
import { COLD_BYTES, HOT_BYTES, OWNER, ownerState } from '../../src/memory/record.js';
import type { Entity, GameModule, World } from '../../src/world/facade.js';
import { checkPlanet } from './invariants.js';
import { Planet } from './planet.js';

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const Y = tile.south + 900;
const WEST = tile.east - 1;
const EAST = tile.east + 1;
const BYTES = new Uint8Array(16);

/** What a call may do before it throws. */
const DOINGS = {
  make: (w: World, e: Entity) => void w.createItems(w.spawn(1, w.x(e), w.y(e)), 0, 3),
  makeAndEnd: (w: World, e: Entity) => void w.despawn(w.spawn(1, w.x(e), w.y(e))),
  drop: (w: World, e: Entity) => void w.give(e, w.id(w.spawn(1, w.x(e), w.y(e))), 0, 1),
  giveHere: (w: World, e: Entity) => void w.give(e, peers.here, 0, 2, 1),
  giveAway: (w: World, e: Entity) => void w.give(e, peers.away, 0, 1),
  giveToWhoThrows: (w: World, e: Entity) => void w.give(e, peers.here, 0, 1, 666),
  tellHere: (w: World, e: Entity) => void w.send(e, peers.here, 1, 1),
  tellAway: (w: World, e: Entity) => void w.send(e, peers.away, 1, 2),
  tellNobody: (w: World, e: Entity) => void w.send(e, 5, 1, 3),
  shout: (w: World, _e: Entity) => w.sendLossy(peers.away, 1, 4),
  emit: (w: World, e: Entity) => w.emit(e, 7, BYTES, 9),
  ask: (w: World, e: Entity) => void w.defer(e, 'job', { a: [1, 2, 3] }),
  draw: (w: World, e: Entity) => void w.random(e),
  create: (w: World, e: Entity) => void w.createItems(e, 1, 5),
  consume: (w: World, e: Entity) => void w.consumeItems(e, 0, 1),
  walk: (w: World, e: Entity) => w.move(e, 3, -2),
  turn: (w: World, e: Entity) => w.setVelocity(e, 1, 2) ?? w.setHeading(e, 1),
  count: (w: World, e: Entity) => w.columns.n!.set(e, w.columns.n!.get(e) + 1),
  countOther: (w: World, _e: Entity) => w.columns.n!.set(w.find(peers.here), 9),
  endOther: (w: World, _e: Entity) => w.find(peers.stone) >= 0 && void w.despawn(w.find(peers.stone)),
  rest: (w: World, _e: Entity) => w.find(peers.stone) >= 0 && w.sleep(w.find(peers.stone)),
} as const;
type Doing = keyof typeof DOINGS;

const peers = { here: 0, away: 0, stone: 0 };
/** What the next call of a hook does, and then throws. */
let plan: { hook: string; doings: readonly Doing[] } | null = null;

function stumble(hook: string, world: World, e: Entity): void {
  if (plan?.hook !== hook) return;
  const { doings } = plan;
  plan = null;
  for (const doing of doings) DOINGS[doing](world, e);
  throw new Error(`stumbled in ${hook}`);
}

const clumsy: GameModule = {
  name: 'clumsy',
  items: ['coin', 'stone'],
  kinds: ['player', 'thing'],
  components: { n: 'u32' },
  events: { clang: 7 },
  actions: {
    act: {
      kind: 1,
      payload: 'none',
      apply(world, e) {
        world.columns.n!.set(e, world.columns.n!.get(e) + 1);
        stumble('act', world, e);
        return 0;
      },
    },
    place: {
      kind: 2,
      payload: 'none',
      apply(world, e) {
        peers.stone = world.id(world.spawn(1, world.x(e), world.y(e)) as Entity);
        return 0;
      },
    },
    give: { kind: 3, payload: { to: 'id' }, apply: (w, e, { to }: { to: number }) => w.give(e, to, 0, 2) },
    send: { kind: 4, payload: { to: 'id' }, apply: (w, e, { to }: { to: number }) => w.send(e, to, 1, 8) },
    work: { kind: 5, payload: 'none', apply: (world, e) => (world.defer(e, 'job', 1) ? 0 : 1000) },
  },
  messages: {
    note: {
      kind: 1,
      receive(world, e) {
        stumble('receive', world, e);
        return 0;
      },
      answered: (world, e) => stumble('answered', world, e),
    },
  },
  jobs: { job: (input) => input },
  spawnPlayer(world, e) {
    world.createItems(e, 0, 50);
    stumble('spawnPlayer', world, e);
  },
  populate(world, area) {
    if (plan?.hook !== 'populate') return;
    const e = world.spawn(1, (area.west + area.east) / 2, (area.south + area.north) / 2) as Entity;
    stumble('populate', world, e);
  },
  mayReceive(world, e) {
    stumble('mayReceive', world, e);
    return plan?.hook === 'returned' ? 1000 : 0;
  },
  received(world, e, _item, _count, _from, note) {
    if (note === 666) throw new Error('I take nothing');
    stumble('received', world, e);
  },
  returned: (world, e) => stumble('returned', world, e),
  jobDone: (world, e) => stumble('jobDone', world, e),
  step: (world, e) => stumble('step', world, e),
};

/** Two shards, a border between them; who acts and a peer on the one, another peer on the other. */
function meet() {
  const told: { what: string; place: string; count: number }[] = [];
  const planet = new Planet(clumsy, { entities: 256, tellFaults: ({ faults }) => told.push(...faults) });
  planet.assign(WEST, Y, 0);
  planet.assign(EAST, Y, 1);
  const [actor, here, away] = [planet.join(WEST, Y), planet.join(WEST, Y), planet.join(EAST, Y)];
  Object.assign(peers, { here: here.id, away: away.id, stone: 0 });
  planet.run(2);
  planet.act(actor, 'place');
  planet.run(3);
  return { planet, actor, here, away, told };
}

/** Everything that a deed can change, of a shard in the middle of its tick. */
function state(planet: Planet, s: number): string {
  const { arena, transfers, bags } = planet.world;
  const { core } = planet.shards[s]!;
  const hash = createHash('sha1');
  const facts: unknown[] = [];
  let unused = 0;
  for (let slot = 0; slot < arena.capacity; slot++) {
    const word = Atomics.load(arena.owner, slot);
    if (ownerState(word) === OWNER.FREE || ownerState(word) === OWNER.RESERVED) {
      unused++;
      continue;
    }
    facts.push(slot, word, core.id(slot), core.isFreed(slot));
    hash.update(arena.u8.slice(arena.hot(slot), arena.hot(slot) + HOT_BYTES));
    hash.update(arena.u8.slice(arena.cold(slot), arena.cold(slot) + COLD_BYTES));
    facts.push(...bags.u32.slice(slot * LIMITS.itemKinds, (slot + 1) * LIMITS.itemKinds));
  }
  const inner = planet.shards[s] as unknown as Record<string, Record<string, unknown>>;
  const { wanted, wantedBytes } = inner['jobs'] as unknown as { wanted: unknown[]; wantedBytes: number };
  const { count: letters } = inner['mail']!['out'] as { count: number };
  const { count: events } = inner['frames']!['events'] as { count: number };
  facts.push(unused, wanted.length, wantedBytes, letters, events, core.roomForGame, transfers[s]!.written);
  facts.push(core.created.count, core.freed.count, core.createdById.size);
  facts.push(...core.itemsCreated, ...core.itemsConsumed, ...core.ledger.books);
  for (const p of [peers.here, peers.stone]) {
    const slot = core.find(p);
    if (slot < 0) continue;
    // A draw is noted like any other change, and taken back by the deed that surrounds it.
    const mark = core.deeds.open();
    facts.push(planet.shards[s]!.facade.random(slot));
    core.deeds.undo(mark);
  }
  return hash.update(JSON.stringify(facts)).digest('hex');
}

/** Compares the state at the end of each undo of a whole deed with that at its beginning. @returns differences, undos */
function watch(planet: Planet): { undone: number; wrong: number } {
  const seen = { undone: 0, wrong: 0 };
  planet.shards.forEach((shard, s) => {
    const { deeds } = shard.core;
    let [before, isLooking] = ['', false];
    const look = () => {
      isLooking = true;
      const now = state(planet, s);
      isLooking = false;
      return now;
    };
    const [open, openStep] = [deeds.open.bind(deeds), deeds.openStep.bind(deeds)];
    const [undo, undoStep] = [deeds.undo.bind(deeds), deeds.undoStep.bind(deeds)];
    const compare = () => {
      if (deeds.isOpen || isLooking) return;
      seen.undone++;
      if (look() !== before) seen.wrong++;
    };
    deeds.open = () => {
      if (!deeds.isOpen && !isLooking) before = look();
      return open();
    };
    deeds.openStep = (slot, isFresh) => {
      // A look uses the log, and what was made writable: the step's own record is the last one again.
      before = look();
      shard.core.writeClock(slot);
      openStep(slot, isFresh);
    };
    deeds.undo = (mark) => {
      undo(mark);
      compare();
    };
    deeds.undoStep = (slot) => {
      undoStep(slot);
      compare();
    };
  });
  return seen;
}

const HOOKS = [
  'act',
  'step',
  'receive',
  'answered',
  'mayReceive',
  'received',
  'returned',
  'jobDone',
] as const;
const doing = fc.constantFrom(...(Object.keys(DOINGS) as Doing[]));
const stumbles = fc.record({ hook: fc.constantFrom(...HOOKS), doings: fc.array(doing, { maxLength: 14 }) });

/** Leads to a call of the hook on shard 0. */
function provoke(hook: (typeof HOOKS)[number], { planet, actor, here, away }: ReturnType<typeof meet>): void {
  if (hook === 'act') planet.act(actor, 'act');
  if (hook === 'receive') planet.act(away, 'send', { to: actor.id });
  if (hook === 'answered') planet.act(actor, 'send', { to: away.id });
  if (hook === 'mayReceive' || hook === 'received') planet.act(away, 'give', { to: here.id });
  if (hook === 'returned') planet.act(actor, 'give', { to: away.id });
  if (hook === 'jobDone') planet.act(actor, 'work');
}

/** The pool: every job has its result at once. */
function answerJobs(planet: Planet): void {
  planet.world.jobs.forEach((ring, s) => {
    for (let at = ring.next(); at >= 0; at = ring.next()) {
      const body = ring.u8.slice(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + ring.length(at));
      ring.release();
      const back = planet.world.results[s]!;
      const place = back.reserve(body.length);
      back.u8.set(body, place + RECORD_HEADER_BYTES);
      back.commit(body.length);
    }
  });
}

function play(all: readonly { hook: (typeof HOOKS)[number]; doings: readonly Doing[] }[], plant = false) {
  const scene = meet();
  const { planet, told } = scene;
  const seen = watch(planet);
  if (plant) planet.shards[0]!.core.deeds.note = () => {};
  for (const one of all) {
    provoke(one.hook, scene);
    plan = one;
    for (let i = 0; i < 8; i++) {
      planet.step();
      answerJobs(planet);
    }
    plan = null;
    if (!plant) checkPlanet(planet, 2);
  }
  planet.run(25);
  return { ...seen, faults: planet.counter('gameFaults'), told };
}

t.test('any calls, then a throw, in any call of the game: nothing has happened', (t) => {
  let undone = 0;
  fc.assert(
    fc.property(fc.array(stumbles, { minLength: 2, maxLength: 6 }), (all) => {
      const seen = play(all);
      undone += seen.undone;
      if (seen.wrong > 0) throw new Error(`${seen.wrong} of ${seen.undone} undos left something behind`);
    }),
    { numRuns: 40, seed: 5 },
  );
  t.ok(undone > 60, `${undone} undos`);
  const hidden = HOOKS.map((hook) => ({ hook, doings: ['create', 'consume'] as Doing[] }));
  t.ok(play(hidden, true).wrong > 0, 'a number that is not put back is found');
  t.end();
});

t.test('each call of the game that throws is named with its place, and nobody waits for it', (t) => {
  for (const hook of HOOKS) {
    const scene = meet();
    const { planet, actor, away, told } = scene;
    const before = planet.totalItems(0);
    provoke(hook, scene);
    plan = { hook, doings: ['make', 'emit', 'tellAway', 'drop'] };
    for (let i = 0; i < 60; i++) {
      planet.step();
      answerJobs(planet);
    }
    t.equal(plan, null, `${hook} was called`);
    t.equal(planet.counter('gameFaults'), 1, 'counted once');
    t.match(told, [{ what: /./, place: /deeds\.test\.[jt]s:\d+:\d+$/, count: 1 }], told[0]?.what);
    t.equal(planet.outbox(actor.slot) + planet.outbox(away.slot), 0, 'no letter hangs');
    t.equal(planet.totalItems(0), before, 'no item was lost or made');
    t.equal(planet.applied(actor) + planet.applied(away), actor.sent + away.sent, 'all is decided');
    if (hook === 'act') t.equal(planet.outcome(actor, actor.sent), ERRORS.GAME_FAULT.number);
    checkPlanet(planet, 2);
  }
  t.end();
});

t.test('content and welcome that throw are undone, and tried again where they may be', (t) => {
  plan = { hook: 'populate', doings: ['make', 'emit'] };
  const planet = new Planet(clumsy, { shards: 1, entities: 256 });
  planet.assign(WEST, Y, 0);
  planet.shards[0]!.wakeTileOf(WEST, Y);
  planet.run(3);
  t.equal(planet.counter('gameFaults'), 1);
  t.equal(planet.entities(1, WEST, Y).length, 0, 'no half of a tile');
  plan = { hook: 'spawnPlayer', doings: ['create'] };
  const player = planet.join(WEST, Y);
  planet.run(3);
  t.equal(planet.counter('gameFaults'), 2);
  t.strictSame([planet.items(player.slot, 0), planet.items(player.slot, 1)], [0, 0]);
  planet.act(player, 'act');
  planet.run(2);
  t.equal(planet.outcome(player, 1), 0, 'it plays');
  t.end();
});
