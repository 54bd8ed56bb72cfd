/**
 * Exhaustive models of slot allocation: two takers race for a slot that is being freed; a shard takes, creates, frees
 * and takes again and may die anywhere, twice, its recovery included. Driven are the generators of src/memory/slots.ts.
 */
import t from 'tap';
import { Arena } from '../../src/memory/arena.js';
import { HEADER, NOBODY, OWNER, ownerOf, ownerState, packOwner } from '../../src/memory/record.js';
import {
  freeSteps,
  ownReserved,
  recoverReservedSteps,
  settleFreed,
  tagSteps,
  takeSteps,
} from '../../src/memory/slots.js';
import type { Steps } from '../../src/memory/steps.js';
import { type Script, type Scenario, holds, isCaught } from './explore.js';

/** What a model is made of, so that a planted bug can replace one part. */
const production = { take: takeSteps, free: freeSteps, tag: tagSteps, recover: recoverReservedSteps };
type Protocol = typeof production;

const SHARD = 1;
const DEAD = 5;
const OLD_GENERATION = 3;

/** Words of slot 0's header. */
function header(arena: Arena, field: number): number {
  return (arena.hotByte(0) + field) >> 2;
}
function state(arena: Arena): number {
  return ownerState(Atomics.load(arena.owner, 0));
}

// ---------------------------------------------------------------------------------------------------------------------
// Two takers and a slot that is being freed.

function race(p: Protocol): () => Scenario {
  return () => {
    const arena = Arena.create(1);
    arena.owner[0] = packOwner(OWNER.OWNED, SHARD, NOBODY, 7);
    arena.u32[header(arena, HEADER.generation)] = OLD_GENERATION;
    const taken: { id: number; generation: number }[] = [];
    function* taker(thread: number, id: number): Script {
      yield () => state(arena) === OWNER.FREE || taken.length > 0;
      if (!(yield* p.take(arena, 0, thread))) return;
      taken.push({ id, generation: arena.u32[header(arena, HEADER.generation)] });
      yield;
      arena.f64[header(arena, HEADER.id) >> 1] = id;
    }
    return {
      actors: [
        { name: 'owner', run: p.free(arena, 0) },
        { name: 'taker a', run: taker(64, 100) },
        { name: 'taker b', run: taker(65, 200) },
      ],
      finish() {
        if (taken.length !== 1) throw new Error(`I1: ${taken.length} takers hold one slot`);
        if (arena.f64[header(arena, HEADER.id) >> 1] !== taken[0].id)
          throw new Error('the record is not its taker’s');
        const generation = arena.u32[header(arena, HEADER.generation)];
        if (generation !== taken[0].generation) throw new Error('I4: the generation moved under the taker');
        if (generation === OLD_GENERATION) throw new Error('I4: two lives of one generation');
      },
    };
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// One shard through two lives of a slot, dying anywhere; its replacement may die as well.

function lives(p: Protocol): () => Scenario {
  return () => {
    const arena = Arena.create(1);
    let committed = 6;
    /** id of the entity that must exist after each committed tick; 0 = none. */
    const expected = new Map([
      [6, 0],
      [7, 100],
      [8, 0],
      [9, 200],
    ]);
    function* create(id: number, tick: number): Script {
      if (!(yield* p.take(arena, 0, SHARD))) return;
      yield* p.tag(arena, 0, HEADER.createdIncarnation, DEAD, tick);
      yield;
      arena.f64[header(arena, HEADER.id) >> 1] = id;
      yield;
      committed = tick;
      yield;
      ownReserved(arena, 0, SHARD);
    }
    function* shard(): Script {
      yield* create(100, 7);
      yield* p.tag(arena, 0, HEADER.freedIncarnation, DEAD, 8);
      yield;
      committed = 8;
      yield* p.free(arena, 0);
      yield* create(200, 9);
      yield;
    }
    function* replacement(): Script {
      yield* p.recover(arena, 0, SHARD, DEAD, committed, () => {});
      yield;
      const word = Atomics.load(arena.owner, 0);
      if (ownerState(word) !== OWNER.OWNED || ownerOf(word) !== SHARD) return;
      yield;
      if (settleFreed(arena, 0, DEAD, committed)) yield* p.free(arena, 0);
    }
    let deaths = 0;
    return {
      actors: [{ name: 'shard', run: shard(), mortal: true }],
      died: () => [{ name: `replacement ${++deaths}`, run: replacement(), mortal: true }],
      finish() {
        const id = arena.f64[header(arena, HEADER.id) >> 1];
        const wanted = expected.get(committed);
        if (state(arena) === OWNER.RESERVED) throw new Error('I7: the slot is leaked');
        if (wanted === 0 && state(arena) !== OWNER.FREE)
          throw new Error(`entity ${id} was not committed, yet it is there`);
        if (wanted !== 0 && state(arena) !== OWNER.OWNED)
          throw new Error(`I5: committed entity ${wanted} is gone`);
        if (wanted !== 0 && id !== wanted) throw new Error(`entity ${id} instead of ${wanted}`);
      },
    };
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// A shard that dies while somebody else wants its slot.

function wanted(p: Protocol): () => Scenario {
  return () => {
    const arena = Arena.create(1);
    let committed = 6;
    let stranger = 0;
    function* shard(): Script {
      if (!(yield* p.take(arena, 0, SHARD))) return;
      yield* p.tag(arena, 0, HEADER.createdIncarnation, DEAD, 7);
      yield;
      committed = 7;
      yield;
      ownReserved(arena, 0, SHARD);
    }
    function* gateway(): Script {
      yield () => state(arena) === OWNER.FREE || committed === 7;
      if (!(yield* p.take(arena, 0, 64))) return;
      stranger = arena.u32[header(arena, HEADER.generation)] + 1;
    }
    return {
      actors: [
        { name: 'shard', run: shard(), mortal: true },
        { name: 'gateway', run: gateway() },
      ],
      died: () => [{ name: 'replacement', run: p.recover(arena, 0, SHARD, DEAD, committed, () => {}) }],
      finish() {
        const word = Atomics.load(arena.owner, 0);
        if (stranger > 0) {
          if (ownerState(word) !== OWNER.RESERVED || ownerOf(word) !== 64)
            throw new Error('I1: taken from its holder');
          const generation = arena.u32[header(arena, HEADER.generation)];
          if (generation !== stranger - 1) throw new Error('I4: the generation moved under the holder');
        } else if (ownerState(word) === OWNER.RESERVED) throw new Error('I7: the slot is leaked');
        else if (committed === 7 && ownerState(word) !== OWNER.OWNED)
          throw new Error('I5: a committed entity is gone');
      },
    };
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// Broken variants.

function* takeByStore(arena: Arena, slot: number, thread: number): Steps<boolean> {
  yield;
  if (ownerState(Atomics.load(arena.owner, slot)) !== OWNER.FREE) return false;
  yield;
  Atomics.store(arena.owner, slot, packOwner(OWNER.RESERVED, thread, NOBODY, 7));
  return true;
}

function* takeWithOldTags(arena: Arena, slot: number, thread: number): Steps<boolean> {
  yield;
  const word = Atomics.load(arena.owner, slot);
  if (ownerState(word) !== OWNER.FREE) return false;
  yield;
  return (
    Atomics.compareExchange(arena.owner, slot, word, packOwner(OWNER.RESERVED, thread, NOBODY, 7)) === word
  );
}

/** The steps of freeing in an order of choice: c creation tag, i id, g generation, w owner word. */
const freeInOrder = (order: string) =>
  function* (arena: Arena, slot: number): Steps<void> {
    const h = arena.hotByte(slot);
    for (const step of order) {
      yield;
      if (step === 'c') Atomics.store(arena.i32, (h + HEADER.createdIncarnation) >> 2, 0);
      if (step === 'i') arena.f64[(h + HEADER.id) >> 3] = 0;
      if (step === 'g') Atomics.add(arena.u32, (h + HEADER.generation) >> 2, 1);
      if (step === 'w') Atomics.store(arena.owner, slot, packOwner(OWNER.FREE, NOBODY, NOBODY, 7));
    }
  };

function* tagIncarnationFirst(
  arena: Arena,
  slot: number,
  tag: number,
  incarnation: number,
  tick: number,
): Steps<void> {
  const at = (arena.hotByte(slot) + tag) >> 2;
  yield;
  Atomics.store(arena.i32, at, incarnation);
  yield;
  Atomics.store(arena.i32, at + 1, tick);
}

function* recoverByFreeing(arena: Arena, slot: number, thread: number): Steps<void> {
  yield;
  const word = Atomics.load(arena.owner, slot);
  if (ownerState(word) === OWNER.RESERVED && ownerOf(word) === thread) yield* freeSteps(arena, slot);
}

const recoverWordFirst: Protocol['recover'] = function* (arena, slot, thread, dead, committed, visit) {
  const created =
    arena.i32[header(arena, HEADER.createdIncarnation)] === dead &&
    arena.i32[header(arena, HEADER.createdTick)] <= committed;
  if (created) return yield* recoverReservedSteps(arena, slot, thread, dead, committed, visit);
  yield;
  const word = Atomics.load(arena.owner, slot);
  if (ownerState(word) !== OWNER.RESERVED || ownerOf(word) !== thread) return;
  yield* freeInOrder('ciwg')(arena, slot);
};

function* recoverAnybodys(arena: Arena, slot: number): Steps<void> {
  yield;
  if (ownerState(Atomics.load(arena.owner, slot)) === OWNER.RESERVED) yield* freeSteps(arena, slot);
}

t.test('two takers and a slot that is being freed', (t) => {
  holds(t, 'one taker gets it, with a new generation', race(production));
  isCaught(t, 'take by load and store', race({ ...production, take: takeByStore }));
  isCaught(t, 'free without generation bump', race({ ...production, free: freeInOrder('ciw') }));
  isCaught(t, 'owner word freed before the generation', race({ ...production, free: freeInOrder('ciwg') }));
  isCaught(
    t,
    'owner word freed before the id is cleared',
    race({ ...production, free: freeInOrder('cgwi') }),
  );
  t.end();
});

t.test('a shard through two lives of a slot, dying anywhere, twice', (t) => {
  const kills = { kills: 2 };
  holds(t, 'what was committed is there, what was not is free', lives(production), kills);
  isCaught(t, 'creation tag kept over a freeing', lives({ ...production, free: freeInOrder('igw') }), kills);
  isCaught(t, 'freeing tag kept over a taking', lives({ ...production, take: takeWithOldTags }), kills);
  isCaught(t, 'tag: incarnation before tick', lives({ ...production, tag: tagIncarnationFirst }), kills);
  isCaught(
    t,
    'recovery frees what was committed',
    lives({ ...production, recover: recoverByFreeing }),
    kills,
  );
  t.end();
});

t.test('a shard dies while a gateway wants its slot', (t) => {
  holds(t, 'a free slot is found again, a taken one is left alone', wanted(production), { kills: 1 });
  isCaught(t, 'recovery frees anybody’s slot', wanted({ ...production, recover: recoverAnybodys }), {
    kills: 1,
  });
  isCaught(
    t,
    'recovery: owner word before generation',
    wanted({ ...production, recover: recoverWordFirst }),
    {
      kills: 1,
    },
  );
  t.end();
});
