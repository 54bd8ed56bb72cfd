/** The byte ring against a queue of buffers, around the wrap of its counters and the end of its bytes. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { ByteRing, RECORD_HEADER_BYTES } from '../../src/memory/byte-ring.js';

/** Counters begin here: at 0, before the sign change, before −8 → 0. */
const STARTS = [0, 2 ** 31 - 64, -64];

function push(ring: ByteRing, body: Uint8Array, tag: number, reserve = body.length): boolean {
  const at = ring.reserve(reserve);
  if (at < 0) return false;
  for (let w = 1; w < 8; w++) ring.i32[(at >> 2) + w] = tag + w;
  ring.u8.set(body, at + RECORD_HEADER_BYTES);
  ring.commit(body.length);
  return true;
}
function pop(ring: ByteRing): { body: string; tag: number } | undefined {
  const at = ring.next();
  if (at < 0) return undefined;
  assert.equal(ring.next(), at, 'the same record until it is released');
  assert.equal(at % 8, 0, 'aligned');
  const tag = ring.i32[(at >> 2) + 1] - 1;
  for (let w = 1; w < 8; w++) assert.equal(ring.i32[(at >> 2) + w], tag + w);
  const from = at + RECORD_HEADER_BYTES;
  assert.ok(from + ring.length(at) <= ring.u8.length, 'in one piece');
  const body = Buffer.from(ring.u8.slice(from, from + ring.length(at))).toString('hex');
  ring.release();
  return { body, tag };
}

t.test('behaves as a bounded queue of records, wherever its counters stand', (t) => {
  const ring = fc.record({ start: fc.constantFrom(...STARTS), bits: fc.integer({ min: 7, max: 10 }) });
  const step = fc.oneof(fc.constant(null), fc.record({ length: fc.nat(500), spare: fc.nat(40) }));
  fc.assert(
    fc.property(ring, fc.array(step, { maxLength: 120 }), ({ start, bits }, steps) => {
      const bytes = 2 ** bits;
      const ring = ByteRing.create(bytes, start);
      const queue: { body: string; tag: number }[] = [];
      let tag = 0;
      for (const step of steps) {
        if (step === null) assert.deepEqual(pop(ring), queue.shift());
        else {
          const length = step.length % (ring.maxBody + 1);
          const body = new Uint8Array(length).fill(++tag);
          const pushed = push(ring, body, tag, Math.min(length + step.spare, ring.maxBody));
          if (pushed) queue.push({ body: Buffer.from(body).toString('hex'), tag });
          else assert.ok(queue.length > 0, 'an empty ring takes any record');
        }
        assert.ok(ring.used() >= 0 && ring.used() <= bytes, 'I7');
        assert.equal(ring.used() === 0, queue.length === 0);
      }
      while (queue.length > 0) assert.deepEqual(pop(ring), queue.shift());
      assert.equal(ring.next(), -1);
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('bodies of max − 1 and max fit into an empty ring at every offset, max + 1 is refused', (t) => {
  for (let offset = 0; offset < 128; offset += 8) {
    for (const less of [1, 0]) {
      const ring = ByteRing.create(128, offset);
      t.ok(push(ring, new Uint8Array(ring.maxBody - less).fill(7), 1));
      t.equal(pop(ring)?.body.length, 2 * (ring.maxBody - less));
      t.throws(() => ring.reserve(ring.maxBody + 1), { message: /I7/ });
    }
  }
  t.end();
});

t.test('what was reserved and not committed was never there, a skip before it neither', (t) => {
  const ring = ByteRing.create(128);
  push(ring, new Uint8Array(32), 1); // 64 of 128
  pop(ring);
  push(ring, new Uint8Array(8), 2); // to 104
  t.ok(ring.reserve(32) >= 0, 'behind a skip');
  const next = ByteRing.from(ring.sab);
  t.ok(push(next, new Uint8Array(8).fill(3), 3), 'the replacement reserves anew');
  t.equal(pop(next)?.tag, 2);
  t.equal(pop(next)?.tag, 3);
  t.equal(pop(next), undefined);
  t.end();
});

t.test('a consumer that dies between next and release leaves the record to the next one', (t) => {
  const ring = ByteRing.create(128);
  push(ring, new Uint8Array(4).fill(9), 5);
  t.ok(ring.next() >= 0);
  t.equal(pop(ByteRing.from(ring.sab))?.tag, 5);
  t.equal(ring.next(), -1);
  for (let tag = 6; tag < 9; tag++) {
    push(ring, new Uint8Array(4), tag);
    pop(ByteRing.from(ring.sab));
  }
  t.equal(ring.next(), -1, 'a handle that others have overtaken sees the truth');
  t.end();
});

t.test('refuses what is no byte ring', (t) => {
  t.throws(() => ByteRing.create(64), { message: /power of two/ });
  t.throws(() => ByteRing.create(1000), { message: /power of two/ });
  t.throws(() => ByteRing.create(128, 4), { message: /aligned/ });
  t.throws(() => ByteRing.from(new SharedArrayBuffer(64)), { message: /magic/ });
  t.end();
});

t.test('a ring that was read begins again at its start when the producer wants it', (t) => {
  const ring = ByteRing.create(256);
  const consumer = ByteRing.from(ring.sab);
  const put = (): number => {
    const at = ring.reserve(8);
    if (at >= 0) ring.commit(8);
    return at;
  };
  const get = (): number => {
    const at = consumer.next();
    if (at >= 0) consumer.release();
    return at;
  };
  const first = put();
  t.equal(get(), first);
  ring.rewind();
  t.equal(put(), first + 40, 'not from the first half: what is skipped is full until it was passed');
  t.equal(put(), first + 80);
  ring.rewind();
  t.equal(put(), first + 120, 'not while something waits');
  for (let i = 0; i < 3; i++) t.ok(get() >= 0);
  for (let round = 0; round < 20; round++) {
    ring.rewind();
    t.equal(put(), first);
    for (let i = 1; i < 4; i++) t.equal(put(), first + 40 * i, 'and there is room behind it');
    for (let i = 0; i < 4; i++) t.equal(get(), first + 40 * i);
    t.equal(get(), -1);
  }
  t.end();
});

t.test('what had been committed at an end is told from what came later, wherever its counters stand', (t) => {
  for (const start of STARTS) {
    const ring = ByteRing.create(1024, start);
    const consumer = ByteRing.from(ring.sab);
    t.ok(consumer.isPast(consumer.end), 'an empty ring');
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 3; i++) t.ok(push(ring, new Uint8Array(20), round));
      const { end } = consumer;
      t.ok(push(ring, new Uint8Array(round % 20), 99), 'later');
      let taken = 0;
      for (; consumer.next() >= 0 && !consumer.isPast(end); taken++) consumer.release();
      t.equal(taken, 3);
      t.equal(pop(consumer)?.tag, 99);
      t.equal(consumer.next(), -1);
    }
  }
  t.end();
});
