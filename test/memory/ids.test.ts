/** The id table against a map, its overflow, leases and their bound. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { Arena } from '../../src/memory/arena.js';
import { IdLease, Ids } from '../../src/memory/ids.js';
import { HEADER } from '../../src/memory/record.js';

function put(arena: Arena, ids: Ids, id: number, slot: number): boolean {
  arena.f64[(arena.header(slot) + HEADER.id) >> 3] = id;
  return ids.insert(id, slot);
}

/** Entries that went past their bucket, over all buckets. */
function overflow(ids: Ids): number {
  const words = new Int32Array(ids.sab);
  let sum = 0;
  for (let at = 32; at < words.length; at += 16) sum += words[at];
  return sum;
}

t.test('behaves as a map, ids of 53 bits, every slot in use', (t) => {
  const capacity = 20; // four buckets
  const id = fc.oneof(fc.integer({ min: 4096, max: 4200 }), fc.integer({ min: 1, max: 2 ** 53 - 1 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), id, fc.nat(capacity - 1)), { maxLength: 100 }), (steps) => {
      const arena = Arena.create(capacity);
      const ids = Ids.create(arena);
      const map = new Map<number, number>();
      const idOf = new Map<number, number>();
      for (const [isInsert, id, slot] of steps) {
        if (isInsert && !map.has(id) && !idOf.has(slot)) {
          assert.ok(put(arena, ids, id, slot));
          map.set(id, slot);
          idOf.set(slot, id);
        } else if (!isInsert && idOf.has(slot)) {
          const own = idOf.get(slot) as number;
          assert.ok(ids.remove(own, slot));
          map.delete(own);
          idOf.delete(slot);
        }
        assert.equal(ids.lookup(id), map.get(id) ?? -1);
      }
      for (const [id, slot] of map) assert.equal(ids.lookup(id), slot);
      for (const [id, slot] of map) assert.ok(ids.remove(id, slot));
      assert.equal(overflow(ids), 0, 'nothing left behind');
      for (const id of map.keys()) assert.equal(ids.lookup(id), -1);
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('more ids in a bucket than it has places: found in the next ones, and the counters come back', (t) => {
  const arena = Arena.create(40);
  const ids = Ids.create(arena);
  // All ids until one bucket of the eight has been overrun.
  const slots = new Map<number, number>();
  for (let id = 1, slot = 0; slot < 40; id++) {
    const probe = Ids.create(arena);
    put(arena, probe, id, 39);
    const words = new Int32Array(probe.sab);
    const bucket = Math.floor((words.findIndex((word, at) => at >= 32 && word !== 0) - 32) / 16);
    if (bucket !== 3) continue;
    put(arena, ids, id, slot);
    slots.set(id, slot++);
  }
  t.ok(overflow(ids) >= 25, `${overflow(ids)} entries went on`);
  for (const [id, slot] of slots) t.equal(ids.lookup(id), slot);
  for (const [id, slot] of [...slots].reverse()) {
    t.ok(ids.remove(id, slot));
    t.equal(ids.lookup(id), -1);
  }
  t.equal(overflow(ids), 0);
  t.end();
});

t.test('inserting twice and removing twice are harmless; a slot of another life is not found', (t) => {
  const arena = Arena.create(4);
  const ids = Ids.create(arena);
  t.ok(put(arena, ids, 5000, 2));
  t.ok(put(arena, ids, 5000, 2));
  t.notOk(ids.remove(5000, 3), 'another slot');
  arena.f64[(arena.header(2) + HEADER.id) >> 3] = 0;
  t.equal(ids.lookup(5000), -1, 'the header decides');
  t.ok(ids.remove(5000, 2));
  t.notOk(ids.remove(5000, 2));
  t.equal(overflow(ids), 0);
  t.end();
});

t.test('leases never overlap and stop at what is granted', (t) => {
  const ids = Ids.create(Arena.create(1), 7, 8);
  const [a, b] = [new IdLease(ids), new IdLease(Ids.from(ids.sab, Arena.create(1)))];
  t.equal(a.next(), 7 * LIMITS.idLease);
  t.equal(b.next(), 8 * LIMITS.idLease);
  const seen = new Set<number>([7 * LIMITS.idLease]);
  for (let i = 1; i < LIMITS.idLease; i++) seen.add(a.next());
  t.equal(seen.size, LIMITS.idLease);
  t.equal(Math.max(...seen), 8 * LIMITS.idLease - 1);
  t.equal(a.next(), -1, 'the next lease is not granted');
  t.equal(a.next(), -1);
  t.equal(ids.nextLease(), 9, 'and none was burnt');
  ids.grant(9);
  t.equal(a.next(), 9 * LIMITS.idLease);
  t.equal(b.next(), 8 * LIMITS.idLease + 1);
  t.end();
});

t.test('leases at limit − 1, limit', (t) => {
  const last = 2 ** 31 - 1;
  const ids = Ids.create(Arena.create(1), last - 1);
  const id = new IdLease(ids).next();
  t.equal(id, (last - 1) * LIMITS.idLease);
  t.ok(Number.isSafeInteger(id + LIMITS.idLease));
  t.equal(new IdLease(ids).next(), -1, 'no number comes twice');
  t.throws(() => Ids.create(Arena.create(1), 0), { message: /leases/ });
  t.end();
});
