/**
 * What must hold of a planet between any two ticks, also while a shard is dead, and what must hold once all are well.
 * Each check throws with the number of the invariant that it found broken.
 */
import { LIMITS } from '../../src/base/limits.js';
import { HEADER, OWNER, ownerOf, ownerState, targetOf } from '../../src/memory/record.js';
import type { Planet } from './planet.js';

function broken(text: string): never {
  throw new Error(text);
}

/** I1, I2, I4: of every live entity one record, under its own id, in the list of its owner alone; items add up. */
export function checkPlanet(planet: Planet, items: number): void {
  const { arena, ids } = planet.world;
  const seen = new Map<number, number>();
  const lists = new Map<number, number>();
  planet.shards.forEach((shard, s) => {
    if (planet.isLost(s)) return;
    const { owned } = shard.core;
    for (let i = 0; i < owned.count; i++) {
      const slot = owned.slots[i]!;
      if (lists.has(slot)) broken(`I1: slot ${slot} in the lists of ${lists.get(slot)} and ${s}`);
      lists.set(slot, s);
    }
  });
  for (let slot = 0; slot < arena.capacity; slot++) {
    const word = Atomics.load(arena.owner, slot);
    const state = ownerState(word);
    const lost = (s: number) => s < planet.shards.length && planet.isLost(s);
    if (state === OWNER.OWNED) {
      if (!lost(ownerOf(word)) && lists.get(slot) !== ownerOf(word))
        broken(`I1: slot ${slot} of shard ${ownerOf(word)} is in the list of ${lists.get(slot)}`);
    } else if (lists.has(slot))
      broken(`I1: slot ${slot} in state ${state} is in the list of ${lists.get(slot)}`);
    if (state === OWNER.FREE || state === OWNER.RESERVED) continue;
    // A dead shard's creations and removals are settled by its replacement.
    if (lost(ownerOf(word)) || (state === OWNER.TRANSIT && lost(targetOf(word)))) continue;
    const id = arena.f64[(arena.header(slot) + HEADER.id) >> 3]!;
    if (seen.has(id)) broken(`I4: id ${id} in slots ${seen.get(id)} and ${slot}`);
    seen.set(id, slot);
    if (ids.lookup(id) !== slot) broken(`I5: id ${id} of slot ${slot} leads to ${ids.lookup(id)}`);
  }
  if (planet.shards.some((_, s) => planet.isLost(s))) return;
  for (let kind = 0; kind < items; kind++) {
    const there = planet.totalItems(kind);
    const booked = planet.balance(kind);
    if (there !== booked) broken(`I2: ${there} items of kind ${kind}, ${booked} in the books`);
  }
  if (planet.counter('ticksDoubled') > 0) broken('I1: a tick was doubled');
  if (planet.counter('ticksMissed') > 0) broken('I1: a tick was missed');
}

/** After some quiet ticks: nobody in transit, no mail under way. */
export function checkQuiet(planet: Planet): void {
  const { arena } = planet.world;
  for (let slot = 0; slot < arena.capacity; slot++) {
    const state = ownerState(Atomics.load(arena.owner, slot));
    if (state === OWNER.TRANSIT) broken(`I1: slot ${slot} is still in transit`);
    if (state === OWNER.OWNED && planet.outbox(slot) !== 0) broken(`I3: slot ${slot} still has mail out`);
  }
}

export const ALL_ITEMS: number = LIMITS.itemKinds;
