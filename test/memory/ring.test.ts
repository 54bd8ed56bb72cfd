/** The ring against a queue, around the wrap of its counters, and between two threads. */
import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import t from 'tap';
import { SpscRing } from '../../src/memory/ring.js';

/** Words of tail and head, to sleep on. */
const TAIL = 16;
const HEAD = 32;
/** Counters begin here: at 0, before the sign change, before −1 → 0. */
const STARTS = [0, 2 ** 31 - 3, -3];

function push(ring: SpscRing, value: number): boolean {
  const at = ring.offer();
  if (at < 0) return false;
  for (let i = 0; i < ring.entryBytes; i += 4) ring.i32[(at + i) >> 2] = value + i;
  ring.commit();
  return true;
}
function pop(ring: SpscRing): number | undefined {
  const at = ring.peek();
  if (at < 0) return undefined;
  const value = ring.i32[at >> 2];
  for (let i = 0; i < ring.entryBytes; i += 4) if (ring.i32[(at + i) >> 2] !== value + i) return -1;
  ring.advance();
  return value;
}

t.test('behaves as a bounded queue, wherever its counters stand', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...STARTS),
      fc.integer({ min: 0, max: 4 }),
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.boolean(), { maxLength: 80 }),
      (start, bits, words, pushes) => {
        const ring = SpscRing.create(2 ** bits, words, start);
        const queue: number[] = [];
        let next = 1;
        for (const isPush of pushes) {
          if (isPush) {
            assert.equal(push(ring, next), queue.length < 2 ** bits, 'full when the queue is');
            if (queue.length < 2 ** bits) queue.push(next);
            next++;
          } else assert.equal(pop(ring), queue.shift(), 'first in, first out');
          assert.equal(ring.available(), queue.length);
        }
      },
    ),
    { numRuns: 200 },
  );
  t.end();
});

t.test('takes places − 1 and places, refuses places + 1', (t) => {
  const ring = SpscRing.create(8, 2, 2 ** 31 - 4);
  for (let i = 0; i < 8; i++) t.ok(push(ring, i));
  t.notOk(push(ring, 8));
  t.equal(pop(ring), 0);
  t.ok(push(ring, 8));
  t.notOk(push(ring, 9));
  t.end();
});

t.test(
  'what was offered and not committed, or peeked and not advanced, is found again by the next handle',
  (t) => {
    const ring = SpscRing.create(2, 1);
    ring.i32[ring.offer() >> 2] = 5;
    t.equal(SpscRing.from(ring.sab).peek(), -1);
    push(ring, 6);
    const dead = SpscRing.from(ring.sab);
    t.equal(dead.i32[dead.peek() >> 2], 6);
    t.equal(pop(SpscRing.from(ring.sab)), 6);
    t.equal(dead.peek(), -1);
    for (let value = 7; value < 9; value++) {
      push(ring, value);
      pop(SpscRing.from(ring.sab));
    }
    t.equal(dead.peek(), -1, 'a handle that others have overtaken sees the truth');
    t.end();
  },
);

t.test('refuses what is no ring', (t) => {
  t.throws(() => SpscRing.create(3, 1), { message: /power of two/ });
  t.throws(() => SpscRing.create(0, 1), { message: /power of two/ });
  t.throws(() => SpscRing.create(2 ** 24, 32), { message: /Int32/ });
  t.throws(() => SpscRing.from(new SharedArrayBuffer(64)), { message: /magic/ });
  t.end();
});

t.test('two threads: every entry arrives whole, once, in order', async (t) => {
  const entries = 40_000;
  const ring = SpscRing.create(64, 4, 2 ** 31 - 1000);
  const worker = new Worker(new URL('./ring-producer.js', import.meta.url), {
    workerData: { sab: ring.sab, entries },
  });
  const exit = new Promise<number>((resolve) => worker.once('exit', resolve));
  let wrong = 0;
  for (let expected = 0; expected < entries; ) {
    const tail = Atomics.load(ring.i32, TAIL);
    const at = ring.peek();
    if (at < 0) {
      // Two cores, many threads: sleep on the tail instead of burning the producer's time.
      if (Atomics.wait(ring.i32, TAIL, tail, 10_000) === 'timed-out') break;
      continue;
    }
    for (let i = 0; i < 4; i++) if (ring.i32[(at >> 2) + i] !== expected * 4 + i) wrong++;
    ring.advance();
    Atomics.notify(ring.i32, HEAD);
    expected++;
    if (expected === entries) t.pass('all arrived');
  }
  t.equal(wrong, 0);
  t.equal(await exit, 0);
  t.equal(ring.peek(), -1);
});
