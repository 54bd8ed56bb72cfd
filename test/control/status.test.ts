/** The status out of a shared world that the test fills by hand: every figure, and exactly the agreed fields. */
import { Foreseer } from '../../src/control/forecast/foreseer.js';
import { plannerLimits } from '../../src/control/planner/types.js';
import t from 'tap';
import { LoadSampler } from '../../src/control/load.js';
import { StatusSource, storeAlarms } from '../../src/control/status.js';
import { ThreadCpu } from '../../src/control/thread-cpu.js';
import { tileIndex } from '../../src/geo/tile.js';
import { GATEWAY_COUNTER, GATEWAY_GAUGE } from '../../src/memory/gateway-block.js';
import { COLD, HEADER, HOT, OWNER, packOwner } from '../../src/memory/record.js';
import { SHARD_COUNTER, SHARD_GAUGE, SHARD_STATE } from '../../src/memory/shard-block.js';
import { createSharedWorld } from '../../src/memory/shared-world.js';
import { FakeTime } from './fakes.js';

function setUp() {
  const time = new FakeTime();
  const world = createSharedWorld({ shards: 2, gateways: 1, startMs: time.now(), maxEntities: 256 });
  const cpuMs = new Map([[71, 0]]);
  const cpu = new ThreadCpu(time, (path) => {
    const ms = cpuMs.get(Number(/task\/(\d+)\//.exec(path)?.[1]));
    return ms === undefined ? null : `${ms * 1e6} 0 1\n`;
  });
  const alarms: (string | null)[] = [null, null];
  const supervisor = {
    restarts: 3,
    report: () =>
      alarms.map((alarm, shard) => ({
        shard,
        incarnation: shard + 1,
        phase: 'running' as const,
        restarts: 0,
        alarm,
      })),
  };
  const reshaper = { counts: { splits: 0, merges: 0, moves: 0 } };
  const elastic = { decisions: [], saturated: false };
  const load = new LoadSampler({
    world,
    clock: time,
    cpu,
    startedMs: time.now(),
    canStart: () => false,
  });
  const audit = { status: () => ({ ok: true, differences: 0, lastCheckTick: 7, last: [] }) };
  const parts = {
    audit,
    world,
    clock: time,
    cpu,
    supervisor,
    reshaper,
    elastic,
    load,
    foreseer: new Foreseer('watch', plannerLimits()),
    capacity: 10,
    bots: () => 4,
  };
  const source = new StatusSource(parts);
  return { time, world, cpuMs, alarms, load, source };
}

t.test('exactly the fields that scripts depend on, and alarms', async (t) => {
  const { source } = setUp();
  const status = source.status();
  t.same(Object.keys(status), [
    'uptimeSeconds',
    'tick',
    'tickRate',
    'dilation',
    'cpuSaturated',
    'players',
    'entities',
    'bots',
    'shards',
    'gateways',
    'totals',
    'handoverMs',
    'ticksMissed',
    'ticksDoubled',
    'durableTick',
    'store',
    'audit',
    'decisions',
    'forecast',
    'alarms',
  ]);
  t.same(Object.keys(status.shards[0]), [
    'id',
    'incarnation',
    'tiles',
    'players',
    'entities',
    'tickMs',
    'busy',
    'waiting',
    'actionsPerSecond',
    'bytesPerSecond',
    'handoversIn',
    'handoversOut',
    'ringHighWater',
    'gcMaxMs',
    'collections',
    'frozen',
    'state',
  ]);
  t.same(Object.keys(status.shards[0].tickMs), ['p50', 'p99', 'max']);
  t.same(Object.keys(status.gateways[0]), ['id', 'connections', 'bytesOutPerSecond']);
  t.same(Object.keys(status.totals), [
    'handovers',
    'crossings',
    'splits',
    'merges',
    'moves',
    'shardRestarts',
    'actionsApplied',
    'actionsRejected',
    'itemsCreated',
    'itemsConsumed',
    'items',
    'ticksFrozen',
    'gameFaults',
  ]);
  t.same(Object.keys(status.handoverMs), ['p50', 'p99', 'max']);
  t.same(JSON.parse(JSON.stringify(status)), status, 'all of it is JSON');
});

t.test('sums over shards', async (t) => {
  const { source, world, time, alarms } = setUp();
  for (const [s, block] of world.shardBlocks.entries()) {
    block.count(SHARD_COUNTER.handoversIn, 10);
    block.count(SHARD_COUNTER.crossings, 2);
    block.count(SHARD_COUNTER.actionsApplied, 100);
    block.count(SHARD_COUNTER.actionsRejected, 5);
    block.count(SHARD_COUNTER.ticksFrozen, 7);
    block.count(SHARD_COUNTER.ticksMissed, 1);
    block.count(SHARD_COUNTER.ticksDoubled, 2);
    block.setGauge(SHARD_GAUGE.players, 20 + s);
    block.setGauge(SHARD_GAUGE.entities, 30 + s);
    block.addTiles(3 + s);
    for (let i = 0; i < 99; i++) block.handoverMs.record(10);
    block.handoverMs.record(40 + s);
  }
  alarms[1] = 'shard 1 died 3 times within 60 s';
  time.advance(2_500);
  t.match(source.status(), {
    uptimeSeconds: 2.5,
    tick: 50,
    tickRate: 20,
    dilation: 1,
    cpuSaturated: false,
    players: 41,
    entities: 61,
    bots: 4,
    totals: {
      handovers: 20,
      crossings: 4,
      splits: 0,
      merges: 0,
      moves: 0,
      shardRestarts: 3,
      actionsApplied: 200,
      actionsRejected: 10,
      ticksFrozen: 14,
    },
    handoverMs: { max: 41 },
    ticksMissed: 2,
    ticksDoubled: 4,
    durableTick: 0,
    decisions: [],
    alarms: ['shard 1 died 3 times within 60 s'],
    shards: [
      { id: 0, incarnation: 1, tiles: 3, players: 20, entities: 30 },
      { id: 1, incarnation: 2, tiles: 4, players: 21, entities: 31 },
    ],
  });
  const { p50, p99 } = source.status().handoverMs;
  t.ok(p50 >= 10 && p50 < 11 && p99 >= 10 && p99 < 11, `percentiles ${p50}, ${p99}`);
});

t.test('rates: bytes a second, CPU share, ticks of the last minute', async (t) => {
  const { source, world, time, cpuMs, load } = setUp();
  const [block] = world.shardBlocks;
  const [gateway] = world.gatewayBlocks;
  block.setGauge(SHARD_GAUGE.threadId, 71);
  gateway.setGauge(GATEWAY_GAUGE.connections, 12);
  for (let i = 0; i < 1000; i++) block.tickMs.record(30);
  block.state = SHARD_STATE.RUNNING;
  source.sample();
  load.measure();
  time.advance(1_000);
  cpuMs.set(71, 400);
  load.measure();
  block.count(SHARD_COUNTER.actionsApplied, 30);
  block.count(SHARD_COUNTER.frameBytes, 7_000);
  gateway.count(GATEWAY_COUNTER.bytesOut, 5_000);
  source.sample();
  t.match(source.status().shards[0], { busy: 0.4, actionsPerSecond: 30, bytesPerSecond: 7_000 });
  t.same(source.status().gateways, [{ id: 0, connections: 12, bytesOutPerSecond: 5_000 }]);
  time.advance(1_000);
  source.sample();
  t.equal(source.status().gateways[0].bytesOutPerSecond, 0);
  for (let s = 0; s < 61; s++) {
    block.tickMs.record(2);
    time.advance(1_000);
    source.sample();
  }
  const { p50, p99 } = source.status().shards[0].tickMs;
  t.ok(p50 < 2.2 && p99 < 2.2, `the 30 ms of an hour ago are forgotten: ${p50}, ${p99}`);
});

t.test('items are counted, at most once a second', async (t) => {
  const { source, world, time } = setUp();
  const { arena, directory, shardBlocks } = world;
  const tile = tileIndex(1_000, 1_000, 11);
  const put = (slot: number, x: number, items: number) => {
    arena.f64[(arena.header(slot) + HEADER.id) >> 3] = 5000 + slot;
    arena.f64[(arena.hot(slot) + HOT.x) >> 3] = x;
    arena.f64[(arena.hot(slot) + HOT.y) >> 3] = 1_000;
    arena.u32[(arena.cold(slot) + COLD.items) >> 2] = items;
    Atomics.store(arena.owner, slot, packOwner(OWNER.OWNED, 1, 127, 1));
  };
  directory.place(tile, 1);
  put(0, 1_000, 5);
  put(1, 90_000, 2); // a tile that nobody holds
  const created = new Float64Array(16).fill(0, 0, 16);
  created[0] = 9;
  const consumed = new Float64Array(16);
  consumed[0] = 2;
  shardBlocks[0].commit(1, created, consumed);
  t.match(source.status().totals, { itemsCreated: 9, itemsConsumed: 2, items: 7 });
  put(2, 1_000, 100);
  t.equal(source.status().totals.items, 7, 'the count of this second');
  time.advance(1_000);
  t.equal(source.status().totals.items, 107, 'a true disagreement is shown, not smoothed');
});

t.test('alarms of the store: the disk, and every damaged record by its entity', async (t) => {
  const store = {
    engine: 'lmdb',
    state: 'running',
    trouble: null,
    durableLagMs: 12_345,
    resting: 1,
    pendingBytes: 0,
    pendingRecords: 0,
    cuts: 1,
    cutMs: { last: 1, max: 2 },
    recordsWritten: 1,
    bytesWritten: 1,
    loads: 0,
    unloads: 0,
    corrupt: 0,
    refused: [],
    failures: 0,
  } as const;
  t.same(storeAlarms(null), []);
  t.same(storeAlarms(store), []);
  const refused = [{ entity: 4711, reason: 'its checksum is wrong', hasMail: true }];
  t.same(storeAlarms({ ...store, refused }), [
    'the stored record of entity 4711 is refused (its checksum is wrong); who has sent it something waits: restore a snapshot',
  ]);
  t.same(storeAlarms({ ...store, state: 'failing', trouble: 'ENOSPC' }), [
    'the disk fails (ENOSPC): nobody is let in, nothing is durable since 12 s',
  ]);
});
