/** Creation of an entity by game code: part of the tick's transaction, visible to others after its commit. */
import { clampY, wrapX } from '../geo/world.js';
import { tileIndex } from '../geo/tile.js';
import { LIMITS } from '../base/limits.js';
import type { Arena } from '../memory/arena.js';
import { COLD_BYTES, HEADER, HOT, HOT_BYTES } from '../memory/record.js';
import { tagCreated } from '../memory/slots.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import type { Core } from './core.js';

/** @returns the entity, or −1 when the arena has no room (counted) */
export function spawn(core: Core, kind: number, x: number, y: number): number {
  const { arena } = core;
  const origin = core.nature.nextOrigin(); // counted even where there is no room
  const room = core.nature.isMaking ? core.roomForNature : core.roomForGame;
  const id = room > 0 ? core.nextId() : -1;
  const slot = id < 0 ? -1 : core.slots.take();
  if (slot < 0) {
    core.block.count(SHARD_COUNTER.slotsExhausted);
    return -1;
  }
  // The tag first: a death while the record is filled must find it as not committed.
  tagCreated(arena, slot, core.options.incarnation, core.tick);
  clearState(arena, slot);
  core.world.cut.reset(slot, 1);
  const h = arena.header(slot);
  const hot = arena.hot(slot);
  arena.f64[(h + HEADER.id) >> 3] = id;
  arena.i32[(h + HEADER.birthTick) >> 2] = core.tick;
  arena.f64[(h + HEADER.handoverStamp) >> 3] = -core.tick; // what it will post is in the books of its maker
  const wx = wrapX(x);
  const wy = clampY(y);
  arena.f64[(hot + HOT.x) >> 3] = wx;
  arena.f64[(hot + HOT.y) >> 3] = wy;
  arena.u16[(hot + HOT.kind) >> 1] = kind;
  arena.i32[(hot + HOT.lastTick) >> 2] = core.tick;
  arena.i32[(hot + HOT.tile) >> 2] = tileIndex(wx, wy, LIMITS.baseTileLevel);
  arena.u32[(hot + HOT.origin) >> 2] = origin;
  core.roomForGame--;
  core.roomForNature--;
  core.created.add(slot);
  core.createdById.set(id, slot);
  core.deeds.made(slot);
  core.deeds.did(core.wasCreated, slot);
  return slot;
}

/** Takes back the latest creation of the running tick. Its id is used up. */
export function unmake(core: Core, slot: number): void {
  core.createdById.delete(core.id(slot));
  core.created.count--;
  core.roomForGame++;
  core.roomForNature++;
  core.world.cut.dirty[slot] = 0;
  core.slots.giveBack(slot);
}

/** Zeroes hot and cold state: a new entity carries nothing and every component is 0. */
function clearState(arena: Arena, slot: number): void {
  const hot = arena.hot(slot) >> 2;
  const cold = arena.cold(slot) >> 2;
  arena.i32.fill(0, hot, hot + (HOT_BYTES >> 2));
  arena.i32.fill(0, cold, cold + (COLD_BYTES >> 2));
}
