/** Slots: taken once, found again, retired at their last generation, recovered after a death. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { Arena } from '../../src/memory/arena.js';
import {
  HEADER,
  NOBODY,
  OWNER,
  epochOf,
  ownerOf,
  ownerState,
  packOwner,
  targetOf,
} from '../../src/memory/record.js';
import {
  LAST_GENERATION,
  SLOT_BATCH,
  SlotCache,
  freeSlot,
  nextInUse,
  ownReserved,
  recoverReserved,
  sendReserved,
  settleFreed,
  tagCreated,
  tagFreed,
} from '../../src/memory/slots.js';

function states(arena: Arena): number[] {
  return Array.from({ length: arena.capacity }, (_, slot) => ownerState(arena.owner[slot]));
}
function generation(arena: Arena, slot: number): number {
  return arena.u32[(arena.header(slot) + HEADER.generation) >> 2];
}

t.test('every slot is given out once, at capacity − 1, capacity and beyond', (t) => {
  for (const capacity of [1, SLOT_BATCH - 1, SLOT_BATCH, SLOT_BATCH + 1, 100]) {
    const cache = new SlotCache(Arena.create(capacity), 3);
    const taken = new Set<number>();
    for (let i = 0; i < capacity; i++) taken.add(cache.take());
    t.equal(taken.size, capacity);
    t.notOk(taken.has(-1));
    t.equal(cache.take(), -1, 'exhausted');
    t.equal(cache.take(), -1, 'and says so again');
    cache.giveBack(0);
    t.equal(cache.take(), 0, 'what is given back is found again');
  }
  t.end();
});

t.test('release frees what the cache holds, not what it gave out', (t) => {
  const arena = Arena.create(SLOT_BATCH * 2);
  const cache = new SlotCache(arena, 3);
  const slot = cache.take();
  t.equal(states(arena).filter((state) => state === OWNER.RESERVED).length, SLOT_BATCH);
  cache.release();
  t.strictSame(
    states(arena)
      .map((state, at) => state === OWNER.RESERVED && at !== slot)
      .filter(Boolean),
    [],
  );
  t.equal(ownerState(arena.owner[slot]), OWNER.RESERVED);
  t.end();
});

t.test('several caches never hold one slot, against a reference set', (t) => {
  const step = fc.record({ who: fc.nat(2), what: fc.constantFrom('take', 'take', 'free', 'release') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 80 }), (steps, capacity) => {
      const arena = Arena.create(capacity);
      const caches = [0, 1, 64].map((thread) => new SlotCache(arena, thread));
      const lives = new Map<number, number>();
      const held: number[] = [];
      for (const { who, what } of steps) {
        if (what === 'release') caches[who].release();
        else if (what === 'free') {
          const slot = held.pop();
          if (slot !== undefined) freeSlot(arena, slot);
        } else {
          const slot = caches[who].take();
          if (slot < 0) continue;
          assert.ok(!held.includes(slot), 'I1: a held slot is not given out');
          assert.ok(generation(arena, slot) >= (lives.get(slot) ?? 0), 'I4: generations never decrease');
          assert.notEqual(lives.get(slot), generation(arena, slot), 'I4: each life has its own generation');
          lives.set(slot, generation(arena, slot));
          held.push(slot);
        }
      }
      for (const cache of caches) cache.release();
      const reserved = states(arena).filter((state) => state === OWNER.RESERVED).length;
      assert.equal(reserved, held.length, 'I7: nothing is leaked');
    }),
    { numRuns: 60 },
  );
  t.end();
});

t.test('a slot is retired after its last generation', (t) => {
  for (const [start, state] of [
    [LAST_GENERATION - 2, OWNER.FREE],
    [LAST_GENERATION - 1, OWNER.RESERVED],
    [LAST_GENERATION, OWNER.RESERVED],
  ]) {
    const arena = Arena.create(1);
    const cache = new SlotCache(arena, 0);
    const slot = cache.take();
    arena.u32[(arena.header(slot) + HEADER.generation) >> 2] = start;
    freeSlot(arena, slot);
    t.equal(ownerState(arena.owner[slot]), state);
    t.equal(generation(arena, slot), Math.min(start + 1, LAST_GENERATION));
    if (state === OWNER.RESERVED) {
      t.equal(ownerOf(arena.owner[slot]), NOBODY, 'nobody recovers it');
      t.equal(cache.take(), -1);
      for (let thread = 0; thread < NOBODY; thread++)
        recoverReserved(arena, thread, 1, 1, () => t.fail('recovered'));
    }
  }
  t.end();
});

t.test('searches see every slot that is not free, whatever else stands in a free word', (t) => {
  const arena = Arena.create(64);
  for (let slot = 0; slot < 64; slot++) arena.owner[slot] = packOwner(OWNER.FREE, NOBODY, NOBODY, slot);
  t.equal(nextInUse(arena, 0), 64);
  const used = [0, 1, 40, 63];
  used.forEach((slot, i) => {
    arena.owner[slot] = packOwner(OWNER.RESERVED + i, 0, 0, 0);
  });
  const seen: number[] = [];
  for (let slot = nextInUse(arena, 0); slot < 64; slot = nextInUse(arena, slot + 1)) seen.push(slot);
  t.same(seen, used);
  t.equal(nextInUse(arena, 64), 64);
  t.end();
});

t.test('the epoch goes on over a freeing, and the id does not', (t) => {
  const arena = Arena.create(1);
  arena.owner[0] = packOwner(OWNER.OWNED, 2, NOBODY, 77);
  arena.f64[(arena.header(0) + HEADER.id) >> 3] = 4096;
  freeSlot(arena, 0);
  t.equal(epochOf(arena.owner[0]), 77);
  t.equal(arena.f64[(arena.header(0) + HEADER.id) >> 3], 0);
  t.equal(new SlotCache(arena, 2).take(), 0);
  t.equal(epochOf(arena.owner[0]), 77);
  t.end();
});

t.test('only a reserved slot of the thread itself is published', (t) => {
  const arena = Arena.create(2);
  const cache = new SlotCache(arena, 5);
  const slot = cache.take();
  t.throws(() => ownReserved(arena, slot, 6), { message: /I1/ });
  sendReserved(arena, slot, 5, 9);
  const word = arena.owner[slot];
  t.strictSame([ownerState(word), ownerOf(word), targetOf(word)], [OWNER.TRANSIT, 5, 9]);
  t.throws(() => sendReserved(arena, slot, 5, 9), { message: /I1/ });
  const other = cache.take();
  ownReserved(arena, other, 5);
  t.equal(ownerState(arena.owner[other]), OWNER.OWNED);
  t.end();
});

t.test(
  'recovery after a death: committed creations stay, the rest is freed, strangers are left alone',
  (t) => {
    const arena = Arena.create(SLOT_BATCH + 2);
    const cache = new SlotCache(arena, 1);
    const [before, last, after] = [cache.take(), cache.take(), cache.take()];
    tagCreated(arena, before, 7, 99);
    tagCreated(arena, last, 7, 100);
    tagCreated(arena, after, 7, 101);
    const stranger = new SlotCache(arena, 2).take();
    const seen: [number, string][] = [];
    recoverReserved(arena, 1, 7, 100, (slot, what) => {
      seen.push([slot, what]);
      t.equal(
        ownerState(arena.owner[slot]),
        what === 'created' ? OWNER.OWNED : OWNER.RESERVED,
        'told in time',
      );
    });
    t.strictSame(
      seen
        .filter(([, what]) => what === 'created')
        .map(([slot]) => slot)
        .sort((a, b) => a - b),
      [before, last].sort((a, b) => a - b),
    );
    t.equal(seen.length, SLOT_BATCH);
    t.equal(ownerState(arena.owner[after]), OWNER.FREE);
    t.equal(ownerState(arena.owner[stranger]), OWNER.RESERVED);
    t.end();
  },
);

t.test('a committed freeing is done again, one that was not is forgotten', (t) => {
  const arena = Arena.create(1);
  tagFreed(arena, 0, 7, 100);
  t.notOk(settleFreed(arena, 0, 8, 200), 'of another incarnation');
  t.ok(settleFreed(arena, 0, 7, 100));
  t.ok(settleFreed(arena, 0, 7, 101));
  t.notOk(settleFreed(arena, 0, 7, 99));
  t.notOk(settleFreed(arena, 0, 7, 200), 'forgotten');
  t.end();
});
