/** Thread of ring.test.ts: pushes numbered entries into a ring as fast as it takes them. */
import { workerData } from 'node:worker_threads';
import { SpscRing } from '../../src/memory/ring.js';

const { sab, entries } = workerData as { sab: SharedArrayBuffer; entries: number };
const ring = SpscRing.from(sab);
/** Words of tail and head, to sleep on. */
const TAIL = 16;
const HEAD = 32;

for (let n = 0; n < entries; ) {
  const head = Atomics.load(ring.i32, HEAD);
  const at = ring.offer();
  if (at < 0) {
    Atomics.wait(ring.i32, HEAD, head, 1000);
    continue;
  }
  for (let i = 0; i < 4; i++) ring.i32[(at >> 2) + i] = n * 4 + i;
  ring.commit();
  Atomics.notify(ring.i32, TAIL);
  n++;
}
