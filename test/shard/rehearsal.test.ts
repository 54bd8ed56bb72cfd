/** The rehearsal of a thread that waits for its number: what it does, how gently, and that nothing of it is seen outside. */
import { createHash } from 'node:crypto';
import t from 'tap';
import game from '../../src/game/game.js';
import { SHARD_COUNTER } from '../../src/memory/shard-block.js';
import { loadGame } from '../../src/shard/load-game.js';
import { type Stage, rehearse } from '../../src/shard/rehearsal.js';
import { REHEARSAL, Rehearsing, type Slices } from '../../src/shard/rehearsing.js';
import { FakeTime } from '../control/fakes.js';
import { Planet } from './planet.js';

/** Longer than everything that is waited for at once. */
const LONG_MS = 60_000;

t.test('it does what a shard does: players, handovers, letters, deaths, cuts', async (t) => {
  const slices = rehearse(await loadGame());
  let count = 0;
  let stage: Stage | undefined;
  while (stage === undefined) {
    const { done, value } = slices.next();
    if (done === true) stage = value;
    count++;
  }
  const { shardBlocks, cut } = stage.world;
  const sum = (name: keyof typeof SHARD_COUNTER) =>
    shardBlocks.reduce((total, block) => total + block.counter(SHARD_COUNTER[name]), 0);
  t.ok(count > 100, `${count} slices`);
  t.ok(sum('ticks') > 100, `${sum('ticks')} ticks`);
  t.ok(sum('actionsApplied') > 100, `${sum('actionsApplied')} actions`);
  t.ok(sum('handoversIn') > 10, `${sum('handoversIn')} handovers`);
  t.ok(sum('messagesSent') > 10, `${sum('messagesSent')} letters`);
  t.ok(Math.max(...shardBlocks.map((block) => block.incarnation)) > 4, 'shards have been replaced');
  t.ok(cut.asked > 10 && shardBlocks.every((_, s) => cut.marked(s) > 10), 'cuts were answered');
  t.same([sum('ticksMissed'), sum('ticksDoubled'), sum('itemDifferences')], [0, 0, 0]);
});

/** A planet with players who walk over a border, and perhaps a slice of a rehearsal between any two ticks. */
function hashed(slices: Slices | undefined): string {
  const planet = new Planet(game, { seed: 7 });
  const players = Array.from({ length: 8 }, (_, i) => planet.join(1000 + 3 * i, 1000));
  for (let k = 0; k < 120; k++) {
    planet.step();
    slices?.next();
    const walker = players[k % players.length]!;
    planet.act(walker, 'walk', { heading: k, speed: 5, seconds: 1 });
    if (k % 30 === 29) planet.kill(k % 2);
    slices?.next();
  }
  return createHash('sha256').update(new Uint8Array(planet.world.arena.sab)).digest('hex');
}

t.test('a world in the same thread never hears of it', async (t) => {
  const alone = hashed(undefined);
  t.equal(hashed(rehearse(await loadGame())), alone);
  const { step } = game;
  const meddle = (): IteratorYieldResult<void> => {
    game.step = () => {};
    return { done: false, value: undefined };
  };
  t.not(hashed({ next: meddle }), alone, 'what changed it would be seen');
  game.step = step;
  t.equal(hashed(undefined), alone);
});

/** Slices that take their time on the fake clock, and are counted. */
function setUp(o: { slices: number; sliceMs: number; failAt?: number }) {
  const time = new FakeTime();
  const told: unknown[] = [];
  const state = { ran: 0, isQuiet: false, left: { what: 'is left' } };
  const slices: Slices = {
    next: () => {
      if (state.ran === o.slices) return { done: true, value: state.left };
      if (++state.ran === o.failAt) throw new Error('planted');
      time.freeze(o.sliceMs);
      return { done: false, value: undefined };
    },
  };
  const rehearsing = new Rehearsing({
    slices: () => Promise.resolve(slices),
    clock: time,
    timers: time,
    isQuiet: () => state.isQuiet,
    failed: (error) => told.push(error),
  });
  /** It asks for its slices when it begins, and has them a turn later. */
  const begin = async () => {
    time.advance(REHEARSAL.beginMs);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { time, told, state, slices, rehearsing, begin };
}

t.test('it begins late, and rests several times as long as it works', async (t) => {
  const { time, state, rehearsing, begin } = setUp({ slices: 10, sliceMs: 20 });
  time.advance(REHEARSAL.beginMs - 1);
  t.equal(state.ran, 0);
  await begin();
  t.equal(state.ran, 1);
  time.advance(REHEARSAL.pauses * 20 - 1);
  t.equal(state.ran, 1, 'a pause goes by the slice');
  time.advance(1);
  t.equal(state.ran, 2);
  time.advance(LONG_MS);
  t.equal(state.ran, 10);
  t.equal(rehearsing.isOver, true);
  t.equal(time.pending, 0);
  t.equal(rehearsing.kept, state.left, 'what it leaves is kept');
  rehearsing.forget();
  t.equal(rehearsing.kept, null, 'until the shard has started');
});

t.test('the shortest pause', async (t) => {
  const { time, state, begin } = setUp({ slices: 10, sliceMs: 0 });
  await begin();
  time.advance(REHEARSAL.pauseMs - 1);
  t.equal(state.ran, 1);
  time.advance(1);
  t.equal(state.ran, 2);
});

t.test('while nobody is on the planet nothing is done', async (t) => {
  const { time, state, begin } = setUp({ slices: 10, sliceMs: 1 });
  state.isQuiet = true;
  await begin();
  time.advance(LONG_MS);
  t.equal(state.ran, 0);
  state.isQuiet = false;
  time.advance(REHEARSAL.quietMs);
  t.ok(state.ran > 0, 'until somebody comes');
});

t.test('the number ends it, wherever it is', async (t) => {
  for (const slices of [0, 1, 5]) {
    const { time, state, slices: begun, rehearsing, begin } = setUp({ slices: 10, sliceMs: 1 });
    if (slices > 0) await begin();
    while (state.ran < slices) time.advance(1);
    rehearsing.stop();
    t.equal(time.pending, 0);
    time.advance(LONG_MS);
    await new Promise((resolve) => setImmediate(resolve));
    t.equal(state.ran, slices);
    if (slices > 0) t.equal(rehearsing.kept, begun, 'what was made is kept');
  }
  const { time, state, rehearsing } = setUp({ slices: 10, sliceMs: 1 });
  time.advance(REHEARSAL.beginMs);
  rehearsing.stop(); // while it waits for its slices
  await new Promise((resolve) => setImmediate(resolve));
  t.same([state.ran, time.pending], [0, 0]);
});

t.test('a slice that throws is told once, and is the last', async (t) => {
  const { time, told, state, rehearsing, begin } = setUp({ slices: 10, sliceMs: 1, failAt: 3 });
  await begin();
  time.advance(LONG_MS);
  t.match(told, [{ message: 'planted' }]);
  t.same([state.ran, rehearsing.isOver, time.pending], [3, true, 0]);
});
