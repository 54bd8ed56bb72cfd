/** A shard whose heap fills up ends itself between two ticks, with a sentence, before V8 ends it in the middle of one. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { SHARD_COUNTER, ShardBlock } from '../../src/memory/shard-block.js';
import { whyFull } from '../../src/shard/collections.js';

const MIB = 1024 * 1024;
const LIMIT_MIB = 128;
/** About a quarter of a megabyte: far less than the quarter of the heap that is left when it counts as full. */
const PER_TURN = 1500;

async function hoard(looks: boolean) {
  const block = ShardBlock.create();
  const worker = new Worker(new URL('./hoarder.js', import.meta.url), {
    workerData: { sab: block.sab, perTurn: PER_TURN, looks },
    resourceLimits: { maxOldGenerationSizeMb: LIMIT_MIB, maxYoungGenerationSizeMb: 8 },
  });
  const [error] = (await once(worker, 'error')) as [Error & { code?: string }];
  await worker.terminate();
  return { block, error };
}

t.test('full is above three quarters of the limit', (t) => {
  const limitBytes = 100 * MIB;
  t.equal(whyFull({ usedBytes: 75 * MIB - 1, limitBytes }), undefined);
  t.equal(whyFull({ usedBytes: 75 * MIB, limitBytes }), undefined);
  t.match(whyFull({ usedBytes: 75 * MIB + 1, limitBytes }), /full: 75 of 100 MiB in use/);
  t.end();
});

t.test('a thread that keeps ever more ends itself while there is room left', async (t) => {
  const { block, error } = await hoard(true);
  t.match(error.message, /^the heap of this shard is full: \d+ of \d+ MiB in use after a full collection$/);
  const [used, limit] = error.message.match(/\d+/g)!.map(Number) as [number, number];
  t.ok(used > limit * 0.75 - 1 && used < limit, `${used} of ${limit} MiB`);
  t.ok(block.counter(SHARD_COUNTER.collections) > 0, 'its collections are counted');
});

t.test('one that does not look is ended by V8', async (t) => {
  const { error } = await hoard(false);
  t.equal(error.code, 'ERR_WORKER_OUT_OF_MEMORY');
});
