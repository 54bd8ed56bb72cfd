/** A shard that holds nothing rests, misses nothing, and is there at once for whatever comes. */
import t from 'tap';
import game from '../../src/game/game.js';
import { LIMITS } from '../../src/base/limits.js';
import { GATEWAY_THREAD } from '../../src/memory/record.js';
import { SHARD_STATE } from '../../src/memory/shard-block.js';
import { STORE_STATE } from '../../src/memory/cut-block.js';
import { Planet } from './planet.js';

const SECOND = LIMITS.tickRateHz;
const LONG = 500;

function resting(): Planet {
  const planet = new Planet(game, { shards: 1 });
  planet.run(SECOND + 1);
  return planet;
}

t.test('it rests after a second without anything, not before', (t) => {
  const planet = new Planet(game, { shards: 1 });
  planet.run(SECOND - 1);
  t.equal(planet.shards[0]!.rest.begin(), false);
  planet.run(2);
  t.equal(planet.shards[0]!.rest.begin(), true);
  t.equal(planet.world.shardBlocks[0]!.isResting, true);
  t.end();
});

t.test('who arrives after a long sleep rings, and misses no tick', (t) => {
  const planet = resting();
  const block = planet.world.shardBlocks[0]!;
  t.ok(planet.shards[0]!.rest.begin());
  planet.sleep(0, LONG);
  const bell = block.doorbell;
  const player = planet.join(1000, 1000);
  t.not(block.doorbell, bell, 'the placing rings');
  t.equal(planet.shards[0]!.rest.begin(), false, 'and its entry is seen without the bell');
  t.equal(block.isResting, false);
  planet.run(SECOND * 2);
  t.equal(block.committedTick, planet.tick);
  t.equal(planet.ownerOf(player.slot), 0);
  t.equal(planet.shards[0]!.rest.begin(), false, 'it holds a tile');
  t.same(
    [planet.counter('ticksMissed'), planet.counter('ticksDoubled'), planet.counter('ticksFrozen')],
    [0, 0, 0],
  );
  t.end();
});

t.test('whatever lies in a ring of the shard keeps it awake; wake rings only for a shard that rests', (t) => {
  const planet = resting();
  const { world } = planet;
  const block = world.shardBlocks[0]!;
  const bell = block.doorbell;
  block.wake();
  t.equal(block.doorbell, bell, 'awake: it looks by itself');
  for (const ring of [world.arrivals[GATEWAY_THREAD]![0]!, world.messages[0]![0]!]) {
    t.ok(planet.shards[0]!.rest.begin());
    const before = block.doorbell;
    ring.i32[ring.offer() >> 2] = 0;
    ring.commit();
    block.wake();
    t.not(block.doorbell, before);
    t.equal(planet.shards[0]!.rest.begin(), false);
    ring.peek();
    ring.advance();
  }
  t.ok(planet.shards[0]!.rest.begin());
  t.end();
});

t.test('a cut of the store is answered in its tick, and never jumped over', (t) => {
  const planet = resting();
  const { cut } = planet.world;
  cut.state = STORE_STATE.RUNNING;
  t.ok(planet.shards[0]!.rest.begin());
  const asked = cut.ask(planet.tick + 3);
  t.equal(planet.shards[0]!.rest.begin(), false, 'it waits for the tick of the cut');
  t.equal(planet.world.shardBlocks[0]!.isResting, true, 'and holds nothing all the same');
  planet.sleep(0, LONG); // its thread overslept
  planet.step();
  t.same([cut.marked(0), cut.missed(0)], [asked, 0]);
  t.ok(planet.shards[0]!.rest.begin());
  planet.sleep(0, LONG);
  planet.step();
  t.equal(planet.world.shardBlocks[0]!.committedTick, planet.tick);
  t.end();
});

t.test('a shard that is to end, or holds a tile again, does not rest', (t) => {
  const planet = resting();
  const block = planet.world.shardBlocks[0]!;
  t.ok(planet.shards[0]!.rest.begin());
  block.state = SHARD_STATE.CLOSING;
  t.equal(planet.shards[0]!.rest.begin(), false);
  block.state = SHARD_STATE.RUNNING;
  planet.shards[0]!.wakeTileOf(5000, 5000);
  planet.run(1);
  t.equal(planet.shards[0]!.rest.begin(), false);
  t.end();
});
