/** A thread for `collections.test.ts`: ticks of a shard whose game keeps ever more, looked at as the shard's thread does it. */
import { setImmediate as turn } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { ShardBlock } from '../../src/memory/shard-block.js';
import { Collections } from '../../src/shard/collections.js';

const { sab, perTurn, looks } = workerData as { sab: SharedArrayBuffer; perTurn: number; looks: boolean };
const collections = new Collections(ShardBlock.from(sab));
for (const hoard: object[] = []; ; ) {
  for (let i = 0; i < perTurn; i++)
    hoard.push({ id: hoard.length + 0.5, name: `what ${i}`, seen: [i, i + 0.5] });
  await turn();
  if (looks) collections.check();
}
