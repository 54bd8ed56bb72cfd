/** Entities that rest in the arena come back when their tile wakes, as many in a tick as BULK says. */
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import { HEADER, HOT, OWNER, epochOf, ownerState, packOwner } from '../memory/record.js';
import { BULK } from './bulk.js';
import type { Core } from './core.js';

export class Waking {
  /** Tiles taken since the last look for parked entities. */
  private woken = new Set<number>();
  /** Of these tiles something is still to be taken back. */
  private readonly early = new Set<number>();
  /** Tiles for which parked entities are being looked for, and the slot at which the search goes on. */
  private searched = new Set<number>();
  private searchAt = 0;

  constructor(private readonly core: Core) {}

  /** What rests in a tile is to come back. */
  want(tile: number): void {
    this.woken.add(tile);
  }

  /** Whether something in a tile may still have to come back. */
  isSought(tile: number): boolean {
    return this.woken.has(tile) || this.searched.has(tile);
  }

  /** Tiles of which that is so. */
  get sought(): number {
    return this.woken.size + this.searched.size;
  }

  /**
   * Takes back what was parked when the woken tiles went to sleep, as much as a tick takes on; players who are away stay
   * parked. A tile that is woken meanwhile is looked for in a search of its own. Once a tick.
   */
  unpark(): void {
    const { arena } = this.core;
    if (this.searched.size === 0) {
      if (this.woken.size === 0) return;
      [this.searched, this.woken] = [this.woken, this.searched];
      this.searchAt = 0;
    }
    let room = BULK.woken;
    let slot = this.searchAt;
    for (; slot < arena.capacity && room > 0; slot++) {
      // A plain look at first: nearly all words say something else, and an atomic one is a call.
      if (ownerState(arena.owner[slot]!) !== OWNER.PARKED) continue;
      const word = Atomics.load(arena.owner, slot);
      if (ownerState(word) !== OWNER.PARKED) continue;
      // Hints, read without owning the record: the claim fails unless the word, and so the record, stayed as it was.
      if (this.core.kind(slot) === PLAYER_KIND) continue;
      const tile = arena.i32[(arena.hot(slot) + HOT.tile) >> 2]!;
      if (!this.searched.has(tile)) continue;
      room--;
      this.core.progress();
      // Not yet: it went to rest in a tick that this shard has still to run.
      if (!this.claim(slot, word) && Atomics.load(arena.owner, slot) === word) this.early.add(tile);
    }
    this.searchAt = slot;
    if (slot < arena.capacity) return;
    this.searched.clear();
    for (const tile of this.early) this.woken.add(tile);
    this.early.clear();
  }

  /** Takes one parked entity. @returns whether it is ours now */
  claim(slot: number, word: number): boolean {
    const { arena, shard, tick } = this.core;
    // What went to rest in tick k is taken in ticks ≥ k only.
    if (arena.i32[(arena.header(slot) + HEADER.handoverTick) >> 2]! > tick) return false;
    const epoch = epochOf(word) + 1;
    const mine = packOwner(OWNER.OWNED, shard, 127, epoch);
    if (Atomics.compareExchange(arena.owner, slot, word, mine) !== word) return false;
    this.core.setEpochFromWord(slot, mine);
    this.core.adopt(slot);
    const hot = this.core.writeHot(slot);
    arena.u16[(hot + HOT.flags) >> 1]! |= FLAG.RESTED;
    return true;
  }
}
