/**
 * The tick as a transaction over records: written only by the shard that owns the slot (or its replacement, after its
 * death); nobody waits. Before its first write to a record in tick k a shard copies it and tags the copy
 * (incarnation, k); the one store of `committedTick` (shard-block.ts) commits all records of the tick at once.
 *
 * ```
 *            beginHot                     writes                  committedTick = k
 *  hot   A ───────────── A ──────────────── B ───────────────────────── B
 *  undo  ?  copy … tag   A (inc, k)         A (inc, k)                  A (inc, k): not > committed, never restored
 *                 ▲                         ▲
 *        death before the tag:       death here: tag > committed, restoreHot copies A back and clears the tag
 *        nothing written yet
 * ```
 * Order of beginHot: copy, then the tag's incarnation, then its tick. Tag before copy: a death in between would make
 * the replacement restore a half-filled or an old copy over an unharmed record. The mixed tag (new incarnation, old
 * tick) between the last two stores is harmless: the old tick is either at most the committed one (what is stamped k is
 * taken in ticks ≥ k only), so nothing is restored, or equal to the tick being run, and then the copy is complete.
 * Order of restore: copy back, then clear the tag. A death in between restores the same bytes once more.
 */
import type { Arena } from './arena.js';
import { COLD_BYTES, HEADER, HOT_BYTES } from './record.js';
import { type Steps, drive } from './steps.js';

/**
 * Makes the hot state of a slot writable in this tick. Call before the first write; later calls cost one compare.
 * @returns whether it was the first call in this tick: then the undo copy shows the state as it is
 */
export function beginHot(arena: Arena, slot: number, incarnation: number, tick: number): boolean {
  const i32 = arena.i32;
  const h = arena.hotByte(slot) >> 2;
  if (
    i32[h + (HEADER.hotUndoTick >> 2)] === tick &&
    i32[h + (HEADER.hotUndoIncarnation >> 2)] === incarnation
  )
    return false;
  let from = arena.hot(slot) >> 2;
  let to = arena.hotUndo(slot) >> 2;
  // Int32, not Float64: a copy through doubles may change the bits of a NaN in the game's columns.
  for (const end = from + (HOT_BYTES >> 2); from < end; from += 4, to += 4) {
    i32[to] = i32[from];
    i32[to + 1] = i32[from + 1];
    i32[to + 2] = i32[from + 2];
    i32[to + 3] = i32[from + 3];
  }
  i32[h + (HEADER.hotUndoIncarnation >> 2)] = incarnation;
  Atomics.store(i32, h + (HEADER.hotUndoTick >> 2), tick);
  return true;
}

/** The same for the cold state. */
export function beginCold(arena: Arena, slot: number, incarnation: number, tick: number): boolean {
  const i32 = arena.i32;
  const h = arena.hotByte(slot) >> 2;
  if (
    i32[h + (HEADER.coldUndoTick >> 2)] === tick &&
    i32[h + (HEADER.coldUndoIncarnation >> 2)] === incarnation
  )
    return false;
  let from = arena.cold(slot) >> 2;
  let to = arena.coldUndo(slot) >> 2;
  for (const end = from + (COLD_BYTES >> 2); from < end; from += 4, to += 4) {
    i32[to] = i32[from];
    i32[to + 1] = i32[from + 1];
    i32[to + 2] = i32[from + 2];
    i32[to + 3] = i32[from + 3];
  }
  i32[h + (HEADER.coldUndoIncarnation >> 2)] = incarnation;
  Atomics.store(i32, h + (HEADER.coldUndoTick >> 2), tick);
  return true;
}

/**
 * Takes back what a dead incarnation wrote into the hot state and did not commit. May be repeated.
 * @returns whether there was something to take back
 */
export function restoreHot(
  arena: Arena,
  slot: number,
  deadIncarnation: number,
  committedTick: number,
): boolean {
  return restore(arena, hotPart(arena, slot), deadIncarnation, committedTick);
}

/** The same for the cold state. */
export function restoreCold(
  arena: Arena,
  slot: number,
  deadIncarnation: number,
  committedTick: number,
): boolean {
  return restore(arena, coldPart(arena, slot), deadIncarnation, committedTick);
}

/** Word indices of one part of a record: state, undo copy, their length, and the tag of the copy. */
export interface Part {
  state: number;
  undo: number;
  words: number;
  tag: number;
}

export function hotPart(arena: Arena, slot: number): Part {
  return {
    state: arena.hot(slot) >> 2,
    undo: arena.hotUndo(slot) >> 2,
    words: HOT_BYTES >> 2,
    tag: (arena.hotByte(slot) + HEADER.hotUndoIncarnation) >> 2,
  };
}

export function coldPart(arena: Arena, slot: number): Part {
  return {
    state: arena.cold(slot) >> 2,
    undo: arena.coldUndo(slot) >> 2,
    words: COLD_BYTES >> 2,
    tag: (arena.hotByte(slot) + HEADER.coldUndoIncarnation) >> 2,
  };
}

function restore(arena: Arena, part: Part, deadIncarnation: number, committedTick: number): boolean {
  return drive(restoreSteps(arena, part, deadIncarnation, committedTick, part.words));
}

/**
 * `beginHot` and `beginCold` in steps, for models (the straight functions above run once per entity and tick).
 * @param stride words copied between two yields
 */
export function* beginSteps(
  arena: Arena,
  part: Part,
  incarnation: number,
  tick: number,
  stride: number,
): Steps<void> {
  const { i32 } = arena;
  yield;
  if (i32[part.tag + 1] === tick && i32[part.tag] === incarnation) return;
  for (let at = 0; at < part.words; at += stride) {
    yield;
    i32.copyWithin(part.undo + at, part.state + at, part.state + Math.min(at + stride, part.words));
  }
  yield;
  i32[part.tag] = incarnation;
  yield;
  Atomics.store(i32, part.tag + 1, tick);
}

/** `restoreHot` and `restoreCold` in steps; production drives this one. */
export function* restoreSteps(
  arena: Arena,
  part: Part,
  deadIncarnation: number,
  committedTick: number,
  stride: number,
): Steps<boolean> {
  const { i32 } = arena;
  yield;
  if (i32[part.tag] !== deadIncarnation || Atomics.load(i32, part.tag + 1) <= committedTick) return false;
  for (let at = 0; at < part.words; at += stride) {
    yield;
    i32.copyWithin(part.state + at, part.undo + at, part.undo + Math.min(at + stride, part.words));
  }
  yield;
  Atomics.store(i32, part.tag, 0);
  return true;
}
