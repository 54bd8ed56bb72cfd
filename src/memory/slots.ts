/**
 * Slots are allocated and freed by any thread at any time, lock-free, without a list: the owner words are the free list.
 *
 * ```
 *            take: CAS            the taker fills the record, then publishes it
 *   FREE ───────────▶ RESERVED(t) ─────────────▶ OWNED(t) / TRANSIT(t→D) ──▶ … ──▶ OWNED(x)
 *    ▲                    │                                                           │
 *    └── freeSlot: clear the creation tag, generation + 1, then the owner word ◀──────┘
 * ```
 * A death leaves RESERVED(t) words, which the replacement of t (or the supervisor) frees or completes with
 * `recoverReserved`; or an OWNED(x) word of a slot half freed, which the replacement of x frees again, since its record
 * carries the committed tag of the freeing (`tagFreed`).
 *
 * Tags of an earlier life must not be read in a later one. Each is cleared where nothing reads it: the creation tag
 * (read in RESERVED) by freeSlot, while the word is not yet free; the freeing and undo tags (read in OWNED) by take,
 * while the word is RESERVED.
 */
import { assert } from '../base/assert.js';
import type { Arena } from './arena.js';
import { HEADER, NOBODY, OWNER, STATE_SHIFT, epochOf, ownerOf, ownerState, packOwner } from './record.js';
import { type Steps, drive } from './steps.js';

/** Slots that a cache takes from the arena at once. */
export const SLOT_BATCH = 32;
/** A slot whose generation stands here is retired: its next life could not be told from an old one (I4). */
export const LAST_GENERATION = 0xffffffff;

/** Slots held ready by one thread; local to it, rebuilt from nothing after its death. */
export class SlotCache {
  private readonly held = new Int32Array(SLOT_BATCH);
  private count = 0;
  private readonly start: number;

  /** @param thread thread number that stands in the reserved words */
  constructor(
    private readonly arena: Arena,
    private readonly thread: number,
  ) {
    assert(thread >= 0 && thread < NOBODY, 'slots: a thread number');
    // Threads start apart from one another, so that their scans seldom meet on the same words.
    this.start = (Math.imul(thread + 1, 0x9e3779b1) >>> 0) % arena.capacity;
  }

  /** @returns a RESERVED slot that this thread fills and publishes, or −1 when the arena is exhausted */
  take(): number {
    if (this.count === 0) this.refill();
    if (this.count === 0) return -1;
    return this.held[--this.count];
  }

  /** Returns a taken slot that was not published. Its record may have been written. */
  giveBack(slot: number): void {
    freeSlot(this.arena, slot);
  }

  /** Frees what is held; call before the thread ends in good order. */
  release(): void {
    while (this.count > 0) freeSlot(this.arena, this.held[--this.count]);
  }

  /**
   * First fit from the thread's own start, not from where the last search ended: slots that were freed are used again
   * while their memory is warm, and what was never needed stays untouched.
   */
  private refill(): void {
    const { arena } = this;
    const { owner, capacity } = arena;
    let slot = this.start;
    for (let looked = 0; looked < capacity && this.count < SLOT_BATCH; looked++) {
      const here = slot;
      slot = here + 1 === capacity ? 0 : here + 1;
      if (ownerState(Atomics.load(owner, here)) !== OWNER.FREE) continue;
      if (drive(takeSteps(arena, here, this.thread))) this.held[this.count++] = here;
    }
  }
}

/**
 * For searches of the whole arena, most of which is free. A plain look, since a replacement runs this from the
 * interpreter while players wait, and there an atomic one takes several times as long: who cares for a word reads it again.
 * What comes into use beside the look may be missed; not for a search that somebody else's atomic look is to cross.
 * @returns the first slot from `from` on whose word is not free, or the arena's capacity
 */
export function nextInUse({ owner, capacity }: Arena, from: number): number {
  let slot = from;
  while (slot < capacity && owner[slot]! >>> STATE_SHIFT === OWNER.FREE) slot++;
  return slot;
}

/** FREE → RESERVED(thread), tags of the last life cleared. @returns whether the slot is ours */
export function* takeSteps(arena: Arena, slot: number, thread: number): Steps<boolean> {
  yield;
  const word = Atomics.load(arena.owner, slot);
  if (ownerState(word) !== OWNER.FREE) return false;
  yield;
  // The epoch goes on from life to life: with it no owner word of the last life ever comes back (I4).
  const reserved = packOwner(OWNER.RESERVED, thread, NOBODY, epochOf(word));
  if (Atomics.compareExchange(arena.owner, slot, word, reserved) !== word) return false;
  const h = arena.hotByte(slot) >> 2;
  // After the CAS, not before: until then another taker may hold the slot and have set them for good.
  yield;
  Atomics.store(arena.i32, h + (HEADER.freedIncarnation >> 2), 0);
  yield;
  Atomics.store(arena.i32, h + (HEADER.hotUndoIncarnation >> 2), 0);
  yield;
  Atomics.store(arena.i32, h + (HEADER.coldUndoIncarnation >> 2), 0);
  return true;
}

/**
 * Frees a slot that this thread holds (RESERVED or OWNED by it, the id already out of the id table). A slot at the end
 * of its generations is retired instead.
 */
export function freeSlot(arena: Arena, slot: number): void {
  drive(freeSteps(arena, slot));
}

export function* freeSteps(arena: Arena, slot: number): Steps<void> {
  const h = arena.hotByte(slot) >> 2;
  yield;
  Atomics.store(arena.i32, h + (HEADER.createdIncarnation >> 2), 0);
  yield;
  // No lookup may find the old id in the next life.
  arena.f64[((h << 2) + HEADER.id) >> 3] = 0;
  yield;
  const generation = Atomics.load(arena.u32, h + (HEADER.generation >> 2));
  if (generation < LAST_GENERATION) {
    yield;
    // Before the word is free: a ring entry of this life must not match the next one. A death right here bumps it
    // twice, which is harmless.
    Atomics.store(arena.u32, h + (HEADER.generation >> 2), generation + 1);
  }
  yield;
  const word = Atomics.load(arena.owner, slot);
  const state = generation < LAST_GENERATION - 1 ? OWNER.FREE : OWNER.RESERVED;
  yield;
  // A plain store: the word is ours, nobody else may change it in this state.
  Atomics.store(arena.owner, slot, packOwner(state, NOBODY, NOBODY, epochOf(word)));
}

/** Notes that the slot is created in this tick; call before the record is filled, while it is RESERVED. */
export function tagCreated(arena: Arena, slot: number, incarnation: number, tick: number): void {
  drive(tagSteps(arena, slot, HEADER.createdIncarnation, incarnation, tick));
}

/** Notes that the slot is to be freed with the commit of this tick. */
export function tagFreed(arena: Arena, slot: number, incarnation: number, tick: number): void {
  drive(tagSteps(arena, slot, HEADER.freedIncarnation, incarnation, tick));
}

/** @param tag HEADER.createdIncarnation or HEADER.freedIncarnation */
export function* tagSteps(
  arena: Arena,
  slot: number,
  tag: number,
  incarnation: number,
  tick: number,
): Steps<void> {
  const at = (arena.hotByte(slot) + tag) >> 2;
  yield;
  // Tick first: the incarnation makes the tag count, and must not do so with the tick of another life.
  Atomics.store(arena.i32, at + 1, tick);
  yield;
  Atomics.store(arena.i32, at, incarnation);
}

/**
 * For a slot that its owner word still shows as owned by the dead: whether the dead incarnation committed its freeing
 * (take its id out of the id table and free it again). A freeing that it did not commit is forgotten here.
 */
export function settleFreed(
  arena: Arena,
  slot: number,
  deadIncarnation: number,
  committedTick: number,
): boolean {
  const h = arena.hotByte(slot) >> 2;
  if (Atomics.load(arena.i32, h + (HEADER.freedIncarnation >> 2)) !== deadIncarnation) return false;
  if (Atomics.load(arena.i32, h + (HEADER.freedTick >> 2)) <= committedTick) return true;
  Atomics.store(arena.i32, h + (HEADER.freedIncarnation >> 2), 0);
  return false;
}

/** Publishes a filled slot as an entity of the thread itself. The header's epoch must be in step with the word's. */
export function ownReserved(arena: Arena, slot: number, thread: number): void {
  const word = Atomics.load(arena.owner, slot);
  assert(
    ownerState(word) === OWNER.RESERVED && ownerOf(word) === thread,
    'I1: only a reserved slot is published',
  );
  Atomics.store(arena.owner, slot, packOwner(OWNER.OWNED, thread, NOBODY, epochOf(word)));
}

/** Publishes a filled slot as in transit to a shard (login, load). The entry in the arrivals ring follows. */
export function sendReserved(arena: Arena, slot: number, thread: number, target: number): void {
  const word = Atomics.load(arena.owner, slot);
  assert(
    ownerState(word) === OWNER.RESERVED && ownerOf(word) === thread,
    'I1: only a reserved slot is published',
  );
  Atomics.store(arena.owner, slot, packOwner(OWNER.TRANSIT, thread, target, epochOf(word)));
}

/** What became of a reserved slot of a dead thread. */
export type Recovered = 'created' | 'freed';

/**
 * Settles every slot that a dead thread left RESERVED: creations that it committed become OWNED(thread), all others are
 * freed. May be interrupted by a death and run again.
 * @param visit told 'created' after the slot is OWNED (adopt it), 'freed' *before* it is freed (take a non-zero header
 *   id out of the id table)
 */
export function recoverReserved(
  arena: Arena,
  thread: number,
  deadIncarnation: number,
  committedTick: number,
  visit: (slot: number, what: Recovered) => void,
): void {
  const { capacity } = arena;
  for (let slot = nextInUse(arena, 0); slot < capacity; slot = nextInUse(arena, slot + 1)) {
    const word = Atomics.load(arena.owner, slot);
    if (ownerState(word) !== OWNER.RESERVED || ownerOf(word) !== thread) continue;
    drive(recoverReservedSteps(arena, slot, thread, deadIncarnation, committedTick, visit));
  }
}

/** One slot of `recoverReserved`. */
export function* recoverReservedSteps(
  arena: Arena,
  slot: number,
  thread: number,
  deadIncarnation: number,
  committedTick: number,
  visit: (slot: number, what: Recovered) => void,
): Steps<void> {
  yield;
  const word = Atomics.load(arena.owner, slot);
  if (ownerState(word) !== OWNER.RESERVED || ownerOf(word) !== thread) return;
  const h = arena.hotByte(slot) >> 2;
  yield;
  const created =
    Atomics.load(arena.i32, h + (HEADER.createdIncarnation >> 2)) === deadIncarnation &&
    Atomics.load(arena.i32, h + (HEADER.createdTick >> 2)) <= committedTick;
  if (!created) {
    yield;
    visit(slot, 'freed');
    yield* freeSteps(arena, slot);
    return;
  }
  yield;
  Atomics.store(arena.owner, slot, packOwner(OWNER.OWNED, thread, NOBODY, epochOf(word)));
  yield;
  visit(slot, 'created');
}
