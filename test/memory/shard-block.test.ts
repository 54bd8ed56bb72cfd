/** The shard block: totals that commit with their tick, whatever ticks are left out; words, counters, doorbell. */
import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { HistogramCopy } from '../../src/memory/histogram.js';
import {
  FAULT_KIND,
  SHARD_COUNTER,
  SHARD_GAUGE,
  SHARD_STATE,
  ShardBlock,
} from '../../src/memory/shard-block.js';

const items = (value = 0) => new Float64Array(LIMITS.itemKinds).fill(value);

function totals(block: ShardBlock): { tick: number; created: number; consumed: number } {
  const [created, consumed] = [items(), items()];
  const tick = block.totals(created, consumed);
  assert.ok(
    created.every((n) => n === created[0]) && consumed.every((n) => n === consumed[0]),
    'of one copy',
  );
  return { tick, created: created[0], consumed: consumed[0] };
}

t.test('totals are those of the newest committed tick, wherever commits were abandoned', (t) => {
  // Each commit: how many ticks on, and after how many of its four steps the shard dies (4 = not).
  const commits = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.nat(4)), { maxLength: 30 });
  fc.assert(
    fc.property(fc.nat(100), commits, (start, commits) => {
      const block = ShardBlock.create();
      block.startAt(start);
      let wanted = { tick: start, created: 0, consumed: 0 };
      for (const [on, steps] of commits) {
        const tick = block.committedTick + on;
        const run = block.commitSteps(tick, items(tick), items(2 * tick));
        for (let i = 0; i <= steps; i++) run.next();
        if (steps === 4) wanted = { tick, created: tick, consumed: 2 * tick };
        assert.deepEqual(totals(ShardBlock.from(block.sab)), wanted);
      }
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('a tick is committed once, in order', (t) => {
  const block = ShardBlock.create();
  block.commit(5, items(), items());
  for (const tick of [5, 4]) t.throws(() => block.commit(tick, items(), items()), { message: /I4/ });
  block.commit(6, items(), items());
  t.equal(block.committedTick, 6);
  t.end();
});

t.test('no two fields share a word', (t) => {
  const block = ShardBlock.create();
  const copy = new HistogramCopy();
  const write: [() => void, () => unknown][] = [
    [() => (block.state = SHARD_STATE.RUNNING), () => block.state],
    [() => (block.incarnation = 17), () => block.incarnation],
    [() => block.beat(), () => block.heartbeat],
    [() => block.addTiles(3), () => block.tiles],
    [() => block.askFault(FAULT_KIND.hang), () => block.doorbell],
    [() => block.takeInHand(4096, 7), () => [block.inHandEntity, block.inHandAction]],
    [() => block.commit(9, items(2), items(3)), () => totals(block)],
    [() => block.tickMs.record(1), () => block.tickMs.addTo(copy)],
    [() => block.handoverMs.record(1e9), () => block.handoverMs.addTo(copy)],
    [() => block.busyMs.record(1e9), () => block.busyMs.addTo(copy)],
  ];
  for (const c of Object.values(SHARD_COUNTER))
    write.push([() => block.count(c, c + 1), () => block.counter(c)]);
  for (const g of Object.values(SHARD_GAUGE))
    write.push([() => block.setGauge(g, g + 0.5), () => block.gauge(g)]);
  for (let s = 0; s < LIMITS.maxShards; s++)
    write.push([() => block.noteClosing(s, s + 1), () => block.seenClosing(s)]);
  const seen: unknown[] = [];
  for (const [set, get] of write) {
    set();
    seen.push(structuredClone(get()));
    t.strictSame(
      write.slice(0, seen.length).map(([, get]) => structuredClone(get())),
      seen,
    );
  }
  t.equal(copy.total > 0, true);
  t.equal(block.takeFault(), FAULT_KIND.hang);
  t.equal(block.takeFault(), FAULT_KIND.none, 'taken once');
  t.end();
});

t.test('a ring between the look and the sleep is not slept through', async (t) => {
  const block = ShardBlock.create();
  const seen = block.doorbell;
  block.ring();
  block.wait(seen, 2 ** 31 - 1); // returns at once, or the test hangs
  const worker = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads');
     const i32 = new Int32Array(workerData.sab);
     parentPort.postMessage(Atomics.wait(i32, 32, workerData.seen, 60_000));`,
    { eval: true, workerData: { sab: block.sab, seen: block.doorbell } },
  );
  const answer = new Promise((resolve) => worker.once('message', resolve));
  await new Promise((resolve) => worker.once('online', resolve));
  block.ring();
  t.match(await answer, /ok|not-equal/);
});

t.test('refuses what is no shard block', (t) => {
  t.throws(() => ShardBlock.from(new SharedArrayBuffer(8192)), { message: /magic/ });
  t.end();
});
