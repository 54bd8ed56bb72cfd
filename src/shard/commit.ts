/**
 * The commit: one store, `committedTick = k`, makes everything of tick k valid at once. What follows it here only
 * rolls forward what the store decided, and every step of it can be done again by a replacement (adopt.ts).
 */
import { HOT } from '../memory/record.js';
import { ownReserved } from '../memory/slots.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import type { Core } from './core.js';

/** Writes the item totals' copy of this tick, commits, then rolls forward creations, removals and inbox heads. */
export function commit(core: Core): void {
  const { block, tick } = core;
  block.commit(tick, core.itemsCreated, core.itemsConsumed, core.ledger.books);
  countTallies(core);
  for (let i = 0; i < core.created.count; i++) {
    appear(core, core.created.values[i]!);
    core.progress();
  }
  for (let i = 0; i < core.freed.count; i++) {
    vanish(core, core.freed.values[i]!);
    core.progress();
  }
  publishHeads(core);
}

/** Only what is committed has happened. A death right here leaves the counters one tick short, never too high. */
function countTallies({ block, tallies }: Core): void {
  block.count(SHARD_COUNTER.actionsApplied, tallies.applied);
  block.count(SHARD_COUNTER.actionsRejected, tallies.rejected);
  block.count(SHARD_COUNTER.ticksDilated, tallies.dilated);
  block.count(SHARD_COUNTER.ticksFrozen, tallies.frozen);
  tallies.applied = tallies.rejected = tallies.dilated = tallies.frozen = 0;
}

/** A created slot becomes an entity: known by id, then owned. A slot freed in the same tick appears first, too. */
export function appear(core: Core, slot: number): void {
  const { arena, world } = core;
  const id = core.id(slot);
  if (world.ids.lookup(id) < 0) world.ids.insert(id, slot);
  ownReserved(arena, slot, core.shard);
  core.adopt(slot);
}

/** A removed entity loses its id, then, once the store has been told, its slot. */
export function vanish(core: Core, slot: number): void {
  core.onGone(slot);
  core.world.ids.remove(core.id(slot), slot);
  core.letGo(slot);
  core.cut.end(slot);
}

/** Lets the gateways overwrite what was drained. Before the commit this would lose actions on a death (case 14a). */
function publishHeads(core: Core): void {
  const { arena, world, drained } = core;
  for (let i = 0; i < drained.count; i++) {
    const slot = drained.values[i]!;
    core.progress();
    world.inboxes.publishHead(slot, arena.i32[(arena.hot(slot) + HOT.inboxHead) >> 2]!);
  }
}
