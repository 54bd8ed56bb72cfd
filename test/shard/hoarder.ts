/**
 * A thread for `collections.test.ts`: ticks of a shard whose game keeps ever more, looked at as the shard's thread does it.
 * When it looks it also has V8 collect now and then: V8 left alone may find its limit before it has made one collection.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { workerData } from 'node:worker_threads';
import { SHARD_COUNTER, ShardBlock } from '../../src/memory/shard-block.js';
import { Collections } from '../../src/shard/collections.js';

/** Five megabytes between two collections: far less than the quarter of the heap that is left when it counts as full. */
const TURNS = 16;

const { sab, perTurn, looks } = workerData as { sab: SharedArrayBuffer; perTurn: number; looks: boolean };
const block = ShardBlock.from(sab);
const collections = new Collections(block);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const hoard: object[] = [];
for (let turns = 1; ; turns++) {
  for (let i = 0; i < perTurn; i++)
    hoard.push({ id: hoard.length + 0.5, name: `what ${i}`, seen: [i, i + 0.5] });
  await turn();
  if (!looks) continue;
  if (turns % TURNS === 0) {
    const before = block.counter(SHARD_COUNTER.collections);
    collect();
    // Told in a turn of their own, the small ones before it first.
    while (block.counter(SHARD_COUNTER.collections) === before) await turn();
    await turn();
  }
  collections.check();
}
