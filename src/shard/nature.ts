/**
 * Natural content in a shard: made when its tile wakes, removed when the tile falls asleep, and stored only where
 * somebody has touched it. What makes and removes is part of the tick's transaction; memory/nature.ts says what of it
 * outlives a death.
 *
 * Touched is what anybody but its own step has written to: an action, a message, a gift, a job, the step of another. So
 * is what gains or loses an item, has left its tile or the world, and what a game wants kept (`World.keep`). From then
 * on it is an entity like any other, and its place in the tile is never filled again.
 */
import { LIMITS } from '../base/limits.js';
import { NATURE_PLACES, NATURE_STATE, indexOfOrigin, originOf, tileOfOrigin } from '../memory/nature.js';
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import { COLD, HOT } from '../memory/record.js';
import { tagFreed } from '../memory/slots.js';
import type { Core } from './core.js';

export class NatureKeeper {
  /** Spawns of the `populate` that is running, −1 = none is. */
  private spawns = -1;
  private tile = 0;

  constructor(private readonly core: Core) {}

  /** `populate` of a tile begins: what is spawned from here on is counted. */
  begin(tile: number): void {
    this.spawns = 0;
    this.tile = tile;
    this.core.world.nature.begin(tile);
  }

  /** It was left out, or has thrown and is undone: nothing of the tile is made. */
  abandon(): void {
    this.spawns = -1;
  }

  /** Whether a `populate` is running. */
  get isMaking(): boolean {
    return this.spawns >= 0;
  }

  /** A spawn is tried. @returns its HOT.origin, 0 = no natural content, or one too many */
  nextOrigin(): number {
    if (this.spawns < 0) return 0;
    const index = this.spawns++;
    return index < NATURE_PLACES ? originOf(this.tile, index) : 0;
  }

  /**
   * It has ended: what of it has a life of its own already is taken away again, the rest is nature.
   * @param first of the tick's creations the first one of this tile
   */
  end(first: number): void {
    const { core, tile } = this;
    const { nature } = core.world;
    const isWhole = this.spawns > NATURE_PLACES;
    this.spawns = -1;
    nature.setState(tile, isWhole ? NATURE_STATE.WHOLE : NATURE_STATE.ALIVE);
    for (let i = first; i < core.created.count; i++) {
      const slot = core.created.values[i]!;
      core.progress();
      if (core.isFreed(slot)) continue;
      if (isWhole) core.arena.u32[(core.arena.hot(slot) + HOT.origin) >> 2] = 0;
      else this.settle(slot);
    }
  }

  private settle(slot: number): void {
    const { arena, ledger, world } = this.core;
    const hot = arena.hot(slot);
    const index = indexOfOrigin(arena.u32[(hot + HOT.origin) >> 2]!);
    if (world.nature.isTaken(this.tile, index)) {
      arena.u32[(hot + HOT.origin) >> 2] = 0;
      this.remove(slot);
    } else if (arena.i32[(hot + HOT.tile) >> 2] !== this.tile) {
      world.nature.take(this.tile, index); // it was put into another tile: nobody would miss it here
    } else {
      arena.u16[(hot + HOT.flags) >> 1]! |= FLAG.NATURAL;
      world.nature.made(this.tile, index);
      ledger.natural(slot, 1);
    }
  }

  /** HOT.origin of what is no player; 0 = it does not come from a tile's `populate`, or is a player. */
  origin(slot: number): number {
    const { arena } = this.core;
    return this.core.kind(slot) === PLAYER_KIND ? 0 : arena.u32[(arena.hot(slot) + HOT.origin) >> 2]!;
  }

  /** An untouched entity that may be written to: from here on it is stored. The bit before the commit (nature.ts). */
  touch(slot: number): void {
    const { arena, ledger, world } = this.core;
    const hot = arena.hot(slot);
    const origin = arena.u32[(hot + HOT.origin) >> 2]!;
    world.nature.take(tileOfOrigin(origin), indexOfOrigin(origin));
    arena.u16[(hot + HOT.flags) >> 1]! &= ~FLAG.NATURAL;
    ledger.natural(slot, -1);
  }

  /** Whether the record says that it is untouched though it was touched: in a tick that was undone. */
  isDoubtful(slot: number): boolean {
    const { arena, world } = this.core;
    const origin = arena.u32[(arena.hot(slot) + HOT.origin) >> 2]!;
    return world.nature.isTaken(tileOfOrigin(origin), indexOfOrigin(origin));
  }

  /** Takes an untouched entity out of the world with this tick. It can be made again. */
  unmake(slot: number): void {
    this.core.ledger.natural(slot, -1);
    this.remove(slot);
  }

  private remove(slot: number): void {
    const { core } = this;
    core.ledger.verify(slot, core.tick); // what must not be there is not counted as consumed
    const cold = core.writeUntouched(slot);
    for (let kind = 0; kind < LIMITS.itemKinds; kind++) {
      const at = (cold + COLD.items + kind * 4) >> 2;
      core.itemsConsumed[kind]! += core.arena.u32[at]!;
      core.ledger.change(slot, kind, -core.arena.u32[at]!);
      core.arena.u32[at] = 0;
    }
    tagFreed(core.arena, slot, core.options.incarnation, core.tick);
    core.freed.add(slot);
  }
}
