/** The shared world: what one thread makes, another attaches, every structure in its place. */
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { STORE_THREAD } from '../../src/memory/store-ring.js';
import { GATEWAY_THREAD } from '../../src/memory/record.js';
import { attachSharedWorld, createSharedWorld } from '../../src/memory/shared-world.js';

const SMALL = {
  shards: 2,
  gateways: 3,
  startMs: 1000,
  maxEntities: 16,
  frameRingBytes: 1024,
  jobRingBytes: 1024,
};

t.test('every producer has a ring to every shard, by its thread number', (t) => {
  const world = createSharedWorld(SMALL);
  t.equal(world.arrivals.length, STORE_THREAD + 1);
  const producers = [...world.arrivals.keys()].filter((thread) => world.arrivals[thread] !== undefined);
  t.strictSame(producers, [...[0, 1, GATEWAY_THREAD, GATEWAY_THREAD + 1, GATEWAY_THREAD + 2], STORE_THREAD]);
  t.strictSame([world.stored.length, world.loads.length], [2, 2]);
  for (const thread of producers) t.equal(world.arrivals[thread]?.length, 2);
  t.strictSame([world.shardBlocks.length, world.views.length, world.viewWriters.length], [2, 2, 2]);
  t.strictSame([world.jobs.length, world.results.length], [2, 2]);
  t.strictSame([world.gatewayBlocks.length, world.filters.length], [3, 3]);
  t.strictSame(
    [world.messages.map((row) => row.length), world.frames.map((row) => row.length)],
    [
      [2, 2],
      [3, 3],
    ],
  );
  const buffers = [
    ...world.arrivals.flatMap((row) => row ?? []),
    ...world.messages.flat(),
    ...world.frames.flat(),
    ...world.views,
    ...world.jobs,
    ...world.stored,
    ...world.loads,
    ...world.results,
    ...world.filters,
  ].map((structure) => structure.sab);
  t.equal(new Set(buffers).size, buffers.length, 'each its own buffer');
  t.equal(world.clock.startMs, 1000);
  t.equal(world.clock.ticksPerSecond, LIMITS.tickRateHz);
  t.end();
});

t.test('another handle of the same thread sees the same, and has readers of its own', (t) => {
  const world = createSharedWorld(SMALL);
  const other = attachSharedWorld(world.handles());
  world.shardBlocks[1].state = 2;
  world.directory.place(5, 1);
  t.equal(other.shardBlocks[1].state, 2);
  t.equal(other.directory.lookup(5), 1);
  t.not(other.viewReaders()[0], other.views[0]);
  t.equal(other.viewReaders()[0].sab, other.views[0].sab);
  t.end();
});

t.test('the handles pass through workerData', async (t) => {
  const world = createSharedWorld(SMALL);
  const code = `
    import { workerData, parentPort } from 'node:worker_threads';
    import { attachSharedWorld } from ${JSON.stringify(new URL('../../src/memory/shared-world.js', import.meta.url).href)};
    const world = attachSharedWorld(workerData);
    world.inboxes.claim(3, world.inboxes.writer(3), 1);
    parentPort.postMessage(world.arena.capacity);`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    workerData: world.handles(),
  });
  const capacity = await new Promise((resolve, reject) =>
    worker.once('message', resolve).once('error', reject),
  );
  t.equal(capacity, 16);
  t.equal(world.inboxes.writer(3) >>> 8, 1, 'and what it wrote is here');
});

t.test('numbers of threads at limit − 1, limit, limit + 1', (t) => {
  const tiny = {
    ...SMALL,
    maxEntities: 1,
    arrivalsPlaces: 2,
    messagePlaces: 2,
    frameRingBytes: 128,
    jobRingBytes: 128,
  };
  for (const shards of [LIMITS.maxShards - 1, LIMITS.maxShards]) {
    t.equal(createSharedWorld({ ...tiny, shards, gateways: 1 }).shardBlocks.length, shards);
  }
  // One more than there may be sockets' gateways: that of the links.
  for (const gateways of [LIMITS.maxGateways, LIMITS.maxGateways + 1]) {
    t.equal(createSharedWorld({ ...tiny, shards: 1, gateways }).gatewayBlocks.length, gateways);
  }
  for (const odd of [0, LIMITS.maxShards + 1])
    t.throws(() => createSharedWorld({ ...tiny, shards: odd }), { message: /I7/ });
  for (const odd of [0, LIMITS.maxGateways + 2])
    t.throws(() => createSharedWorld({ ...tiny, gateways: odd }), { message: /I7/ });
  t.end();
});

t.test('a world of full size is made without touching its memory', (t) => {
  const before = process.memoryUsage().rss;
  const world = createSharedWorld({ shards: 4, gateways: 2, startMs: 0 });
  t.equal(world.arena.capacity, LIMITS.maxEntities);
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  t.ok(grown < 200, `${Math.round(grown)} MiB resident`);
  t.end();
});
