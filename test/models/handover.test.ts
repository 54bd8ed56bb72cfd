/**
 * Exhaustive models of the handover: a slot goes from shard S to shard D while either may die at any point, its
 * replacement recovers by the owner word, and rings carry stale entries. Driven are the generators of
 * src/world/handover.ts. Checked: I1 (never two owners, one in the end), I4 (epochs grow), I8 (no word stays locked).
 */
import t from 'tap';
import { NOBODY, OWNER, epochOf, ownerOf, ownerState, packOwner } from '../../src/memory/record.js';
import { SpscRing } from '../../src/memory/ring.js';
import type { Steps } from '../../src/memory/steps.js';
import { type OfferResult, accept, offer, recover } from '../../src/world/handover.js';
import { type Actor, type Scenario, type Script, holds, isCaught } from './explore.js';

const S = 1;
const D = 2;
const SLOT = 0;
const GENERATION = 3;

/** What a model is made of, so that a planted bug can replace one part. */
const production = { offer, accept, recover };
type Protocol = typeof production;

interface Setup {
  /** Places of the arrivals ring: 1 makes it full for the second entry. */
  places: number;
  /** Entries in the ring before the model starts (stale ones). */
  stale: { generation: number; epoch: number }[];
  /** D ends in good order: once the slot has been offered (undrained), or once it has accepted it. */
  targetRetires: 'no' | 'offered' | 'accepted';
  /** Whether the replacement of an ended or dead thread scans the owner words. */
  scans: boolean;
}

const plain: Setup = { places: 2, stale: [], targetRetires: 'no', scans: true };

/** One slot, one ring S → D; who believes to own it is noted when its own code has been told so. */
class Model {
  readonly owner = new Int32Array(new SharedArrayBuffer(4));
  readonly ring: SpscRing;
  readonly believers = new Set<string>([`${S}`]);
  generation = GENERATION;
  /** (epoch, shard number) of each ownership, in order. */
  owned: [number, number][] = [[5, S]];

  constructor(
    readonly p: Protocol,
    readonly setup: Setup,
  ) {
    this.owner[SLOT] = packOwner(OWNER.OWNED, S, NOBODY, 5);
    this.ring = SpscRing.create(setup.places, 4);
    for (const entry of setup.stale) this.push(entry.generation, entry.epoch);
  }

  push(generation: number, epoch: number): boolean {
    const at = this.ring.offer();
    if (at < 0) return false;
    this.ring.i32[at >> 2] = SLOT;
    this.ring.u32[(at >> 2) + 1] = generation;
    this.ring.u32[(at >> 2) + 2] = epoch;
    this.ring.commit();
    return true;
  }

  /** Offers until it is sent (or lost to somebody), as a shard does tick by tick. */
  *source(name: string, tries: number): Script {
    for (let i = 0; i < tries; i++) {
      this.believers.delete(name);
      const epoch = epochOf(this.owner[SLOT]!);
      const result: OfferResult = yield* this.p.offer(this.owner, SLOT, S, D, epoch, () =>
        this.push(this.generation, epoch),
      );
      if (result === 'refused') this.believe(name);
      if (result !== 'refused') {
        yield; // a death after the push
        return;
      }
      yield () => this.ring.available() < this.setup.places; // next tick: there is room
    }
  }

  /** Drains the ring until the slot has settled. */
  *target(name: string): Script {
    for (;;) {
      yield () => this.ring.available() > 0 || this.settled;
      if (this.ring.available() === 0) break;
      const at = this.ring.peek() >> 2;
      const generation = this.ring.u32[at + 1]!;
      const epoch = this.ring.u32[at + 2]!;
      this.ring.advance(); // nobody else can tell this from the first look at the word
      const next = yield* this.p.accept(this.owner, SLOT, D, generation, epoch, () => this.generation);
      if (next >= 0) this.believe(name);
    }
    yield; // a death after adopting
  }

  /** Ends in good order, with or without having drained its arrivals. */
  *retiring(name: string): Script {
    if (this.setup.targetRetires === 'accepted') yield* this.target(name);
    else yield () => ownerState(this.owner[SLOT]!) === OWNER.TRANSIT || this.settled;
    this.believers.delete(name);
  }

  /** A replacement: scans, then goes on as its number does. */
  *replacement(name: string, number: number): Script {
    if (this.setup.scans) {
      const mine: boolean = yield* this.p.recover(this.owner, SLOT, number);
      if (mine) this.believe(name);
    }
    if (number === D) yield* this.target(name);
    else if (this.believers.has(name)) yield* this.source(name, 2);
  }

  believe(name: string): void {
    this.believers.add(name);
    this.owned.push([epochOf(this.owner[SLOT]!), Number.parseInt(name, 10)]);
  }

  /** The entity has got where it was going. */
  get settled(): boolean {
    const word = this.owner[SLOT]!;
    return ownerState(word) === OWNER.OWNED && ownerOf(word) === D && this.believers.size === 1;
  }

  check(): void {
    if (this.believers.size > 1)
      throw new Error(`I1: ${[...this.believers].join(' and ')} both own the slot`);
    for (let i = 1; i < this.owned.length; i++) {
      const [before, by] = this.owned[i - 1]!;
      const [epoch, number] = this.owned[i]!;
      // Another owner has a greater epoch; the same number (refused, or replaced in place) may go on in its own.
      if (epoch < before || (epoch === before && number !== by))
        throw new Error(`I4: epoch ${epoch} after ${before}`);
    }
  }

  finish(): void {
    const word = this.owner[SLOT]!;
    if (ownerState(word) !== OWNER.OWNED)
      throw new Error(`I8: the slot stays locked (state ${ownerState(word)})`);
    if (this.believers.size !== 1) throw new Error(`I1: ${this.believers.size} owners in the end`);
    const [believer] = this.believers;
    if (Number.parseInt(believer!, 10) !== ownerOf(word))
      throw new Error(`I1: ${believer} believes, ${ownerOf(word)} owns`);
  }
}

/** One handover, both sides mortal. */
function handover(setup: Setup, p: Protocol = production): () => Scenario {
  return () => {
    const model = new Model(p, setup);
    const replacements = new Map([
      ['1', "1'"],
      ["1'", "1''"],
      ['2', "2'"],
      ["2'", "2''"],
    ]);
    const replace = (name: string): Actor => {
      const next = replacements.get(name)!;
      return { name: next, run: model.replacement(next, Number.parseInt(next, 10)), mortal: true };
    };
    const target: Actor =
      setup.targetRetires !== 'no'
        ? { name: '2', run: retireAndReplace(model) }
        : { name: '2', run: model.target('2'), mortal: true };
    return {
      actors: [{ name: '1', run: model.source('1', 2), mortal: true }, target],
      died(name) {
        model.believers.delete(name);
        return [replace(name)];
      },
      check: () => model.check(),
      finish: () => model.finish(),
    };
  };
}

/** D retires in good order; its replacement comes after its exit. */
function* retireAndReplace(model: Model): Script {
  yield* model.retiring('2');
  yield* model.replacement("2'", D);
}

t.test('one handover, one death anywhere', (t) => {
  holds(t, 'handover', handover(plain), { kills: 1 });
  holds(t, 'ring full at first', handover({ ...plain, places: 1, stale: [{ generation: 2, epoch: 5 }] }), {
    kills: 1,
  });
  holds(
    t,
    'an entry of an older life in the ring',
    handover({ ...plain, stale: [{ generation: 2, epoch: 5 }] }),
    { kills: 1 },
  );
  holds(
    t,
    'an entry of an older epoch in the ring',
    handover({ ...plain, stale: [{ generation: GENERATION, epoch: 4 }] }),
    { kills: 1 },
  );
  holds(t, 'the target retires undrained', handover({ ...plain, targetRetires: 'offered' }), { kills: 1 });
  holds(t, 'the target retires with the slot', handover({ ...plain, targetRetires: 'accepted' }), {
    kills: 1,
  });
  t.end();
});

t.test('one handover, two deaths anywhere: both sides, either order, replacements included', (t) => {
  holds(t, 'handover', handover(plain), { kills: 2 });
  t.end();
});

// ---------------------------------------------------------------------------------------------------------------------
// Planted bugs: each replaces one part of the protocol, and must be found.

const transit = (epoch: number) => packOwner(OWNER.TRANSIT, S, D, epoch);
const owned = (number: number, epoch: number) => packOwner(OWNER.OWNED, number, NOBODY, epoch);

function* unlocksByStore(
  owner: Int32Array,
  slot: number,
  source: number,
  _target: number,
  epoch: number,
  push: () => boolean,
): Steps<OfferResult> {
  yield;
  if (Atomics.compareExchange(owner, slot, owned(source, epoch), transit(epoch)) !== owned(source, epoch))
    return 'gone';
  yield;
  if (push()) return 'sent';
  yield;
  Atomics.store(owner, slot, owned(source, epoch));
  return 'refused';
}

function* pushesBeforeLock(
  owner: Int32Array,
  slot: number,
  source: number,
  _target: number,
  epoch: number,
  push: () => boolean,
): Steps<OfferResult> {
  yield;
  if (!push()) return 'refused';
  yield;
  if (Atomics.compareExchange(owner, slot, owned(source, epoch), transit(epoch)) !== owned(source, epoch))
    return 'gone';
  return 'sent';
}

function* keepsAfterFull(
  owner: Int32Array,
  slot: number,
  source: number,
  _target: number,
  epoch: number,
  push: () => boolean,
): Steps<OfferResult> {
  yield;
  if (Atomics.compareExchange(owner, slot, owned(source, epoch), transit(epoch)) !== owned(source, epoch))
    return 'gone';
  yield;
  return push() ? 'sent' : 'refused'; // and stays locked
}

function* acceptsByStore(
  owner: Int32Array,
  slot: number,
  target: number,
  generation: number,
  epoch: number,
  generationOf: (s: number) => number,
): Steps<number> {
  yield;
  if (ownerState(Atomics.load(owner, slot)) !== OWNER.TRANSIT || generationOf(slot) !== generation) return -1;
  yield;
  Atomics.store(owner, slot, owned(target, epoch + 1));
  return epoch + 1;
}

function* acceptsAnyEpoch(
  owner: Int32Array,
  slot: number,
  target: number,
  generation: number,
  epoch: number,
  generationOf: (s: number) => number,
): Steps<number> {
  yield;
  const word = Atomics.load(owner, slot);
  if (ownerState(word) !== OWNER.TRANSIT || generationOf(slot) !== generation) return -1;
  yield;
  return Atomics.compareExchange(owner, slot, word, owned(target, epoch + 1)) === word ? epoch + 1 : -1;
}

function* acceptsUnseen(
  owner: Int32Array,
  slot: number,
  target: number,
  _generation: number,
  epoch: number,
): Steps<number> {
  yield;
  Atomics.store(owner, slot, owned(target, epoch + 1)); // "the ring says so"
  return epoch + 1;
}

function* recoversOwnedOnly(owner: Int32Array, slot: number, number: number): Steps<boolean> {
  yield;
  const word = Atomics.load(owner, slot);
  return ownerState(word) === OWNER.OWNED && ownerOf(word) === number;
}

function* recoversByStore(owner: Int32Array, slot: number, number: number): Steps<boolean> {
  yield;
  const word = Atomics.load(owner, slot);
  if (ownerState(word) === OWNER.OWNED) return ownerOf(word) === number;
  yield;
  Atomics.store(owner, slot, owned(number, epochOf(word) + 1));
  return true;
}

function* recoversInOldEpoch(owner: Int32Array, slot: number, number: number): Steps<boolean> {
  yield;
  const word = Atomics.load(owner, slot);
  if (ownerState(word) === OWNER.OWNED) return ownerOf(word) === number;
  yield;
  return Atomics.compareExchange(owner, slot, word, owned(number, epochOf(word))) === word;
}

function* recoversOnceOnly(owner: Int32Array, slot: number, number: number): Steps<boolean> {
  yield;
  const word = Atomics.load(owner, slot);
  if (ownerState(word) === OWNER.OWNED) return ownerOf(word) === number;
  yield;
  Atomics.compareExchange(owner, slot, word, owned(number, epochOf(word) + 1));
  return true; // whoever won the race
}

t.test('planted bugs are found', (t) => {
  const full: Setup = { ...plain, places: 1, stale: [{ generation: 2, epoch: 5 }] };
  const one = { kills: 1 };
  isCaught(t, 'unlock by a plain store', handover(full, { ...production, offer: unlocksByStore }), one);
  isCaught(t, 'push before the lock', handover(plain, { ...production, offer: pushesBeforeLock }), one);
  isCaught(
    t,
    'stays locked when the ring is full',
    handover(full, { ...production, offer: keepsAfterFull }),
    one,
  );
  isCaught(t, 'accept by a plain store', handover(plain, { ...production, accept: acceptsByStore }), one);
  isCaught(
    t,
    'accept without looking at the word',
    handover({ ...plain, stale: [{ generation: 2, epoch: 5 }] }, { ...production, accept: acceptsUnseen }),
    one,
  );
  isCaught(
    t,
    'accept an entry of any epoch',
    handover(
      { ...plain, stale: [{ generation: GENERATION, epoch: 4 }] },
      { ...production, accept: acceptsAnyEpoch },
    ),
    one,
  );
  isCaught(
    t,
    'recover only what is owned',
    handover(plain, { ...production, recover: recoversOwnedOnly }),
    one,
  );
  isCaught(t, 'recover by a plain store', handover(plain, { ...production, recover: recoversByStore }), one);
  isCaught(
    t,
    'recover without a new epoch',
    handover(plain, { ...production, recover: recoversInOldEpoch }),
    one,
  );
  isCaught(
    t,
    'recover believes a lost race',
    handover(plain, { ...production, recover: recoversOnceOnly }),
    one,
  );
  isCaught(
    t,
    'no scan after an orderly exit',
    handover({ ...plain, targetRetires: 'accepted', scans: false }),
  );
  isCaught(t, 'no scan after a death', handover({ ...plain, scans: false }), one);
  t.end();
});
