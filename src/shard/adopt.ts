/**
 * Adoption: what a replacement does before its first tick, the same after every exit, orderly or not.
 *
 * 1. Restore: every record tagged (dead incarnation, > committedTick) is put back; such slots and totals too.
 * 2. Roll forward: what the dead one had committed but not finished (creations, removals, inbox heads) is finished.
 * 3. Adopt: every owner word that names this shard number, as owner or as target (world/handover.ts `recover`). What was
 *    given to it in a tick after `committedTick`, by a shard that is ahead, is taken in that tick and no sooner
 *    (arrivals.ts): it would stand in a cut in which its giver was not yet that far.
 *
 * Every step may be done again: a replacement that dies in here is followed by another that starts over.
 */
import { HEADER, HOT, OWNER, ownerOf, ownerState } from '../memory/record.js';
import { nextInUse, recoverReserved, settleFreed } from '../memory/slots.js';
import { restoreCold, restoreHot } from '../memory/undo.js';
import { drive } from '../memory/steps.js';
import { FULL_SPEED } from '../world/dilation.js';
import { epochFromWord, recover } from '../world/handover.js';
import { vanish } from './commit.js';
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import type { Core } from './core.js';

/** @param dead incarnation that held the shard number before */
export function adoptAfter(core: Core, dead: number): void {
  const { arena, block, world } = core;
  const committed = block.committedTick;
  block.totals(core.itemsCreated, core.itemsConsumed, core.ledger.books);
  world.transfers[core.shard]!.rollBack(committed);
  recoverReserved(arena, core.shard, dead, committed, (slot, what) => {
    const id = core.id(slot);
    if (what === 'freed' && id !== 0) world.ids.remove(id, slot);
  });
  for (let slot = nextInUse(arena, 0); slot < arena.capacity; slot = nextInUse(arena, slot + 1)) {
    adoptSlot(core, slot, dead, committed);
    core.progress();
  }
}

function adoptSlot(core: Core, slot: number, dead: number, committed: number): void {
  const { arena } = core;
  const word = Atomics.load(arena.owner, slot);
  const state = ownerState(word);
  if (state !== OWNER.OWNED && state !== OWNER.TRANSIT) return;
  // Before a slot in transit from here is taken back its record must be whole: the dead one committed before it
  // offered, so restoring finds nothing there; and one in transit to here was never written by the dead one.
  const wasHere = state === OWNER.OWNED && ownerOf(word) === core.shard;
  if (wasHere) {
    restoreHot(arena, slot, dead, committed);
    restoreCold(arena, slot, dead, committed);
  }
  if (!drive(recover(arena.owner, slot, core.shard, (at, given) => isEarly(core, at, given, committed))))
    return;
  core.setEpochFromWord(slot, Atomics.load(arena.owner, slot));
  core.adopt(slot);
  // What the dead one passed by stood in its own notes only. All that it had was stepped or passed by up to its commit.
  const isAsleep = (core.flags(slot) & FLAG.ASLEEP) !== 0;
  if (wasHere && (isAsleep || core.factorOf(slot) < FULL_SPEED)) core.passed[slot] = committed;
  finishOne(core, slot, dead, committed);
}

function isEarly(core: Core, slot: number, word: number, committed: number): boolean {
  const { arena } = core;
  const tick = core.givenTick(slot);
  if (tick <= committed) return false;
  const generation = arena.u32[(arena.header(slot) + HEADER.generation) >> 2]!;
  core.early.push({ slot, generation, epoch: epochFromWord(core.epoch(slot), word), tick });
  return true;
}

/** Rolls forward what was committed for one adopted slot, and takes back a removal that was not. */
function finishOne(core: Core, slot: number, dead: number, committed: number): void {
  const { arena, world } = core;
  if (settleFreed(arena, slot, dead, committed)) return vanish(core, slot);
  if (world.ids.lookup(core.id(slot)) < 0) world.ids.insert(core.id(slot), slot);
  if (core.kind(slot) !== PLAYER_KIND) return;
  const head = arena.i32[(arena.hot(slot) + HOT.inboxHead) >> 2]!;
  world.inboxes.publishHead(slot, head);
  // A session that waits for its READY: answered here, since the dead one may not have done it. Not while entries wait:
  // a resume stands behind them, and whoever was told of an earlier state would send again what is in there.
  const isDrained = world.inboxes.available(slot, head) === 0;
  if (isDrained && !(core.flags(slot) & FLAG.OFFLINE)) core.ready.add(slot);
}
