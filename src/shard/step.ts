/**
 * The step of every entity, by global tick numbers: each entity is stepped exactly once for each number, whoever owned
 * it before (design: lastTick = k − 1 step; ≥ k skip; up to 3 behind: one step for each; older: it was frozen).
 */
import { LIMITS } from '../base/limits.js';
import { tileX, tileY } from '../geo/tile.js';
import { HEADER, HOT } from '../memory/record.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import type { World } from '../world/facade.js';
import { baseOf } from '../world/layout.js';
import { FLAG } from '../memory/player.js';
import { blamed } from './blame.js';
import type { Core } from './core.js';
import type { Mail } from './mail.js';

/** An entity that lags more ticks than this was frozen (dead shard, stall) and does not catch up. */
const CATCH_UP_TICKS = 4;

export class Stepper {
  /** Step that the facade sees: one tick's length. */
  constructor(
    private readonly core: Core,
    private readonly facade: World,
    private readonly mail: Mail,
  ) {}

  stepAll(): void {
    const { core } = this;
    const { owned } = core;
    // Entities created in this tick are not in the list yet: they are stepped from the next tick on.
    for (let i = 0; i < owned.count; i++) this.stepOne(owned.slots[i]!);
    core.block.takeInHand(0, 0);
  }

  private stepOne(slot: number): void {
    const { core } = this;
    const { arena, tick } = core;
    const hot = arena.hot(slot);
    const last = arena.i32[(hot + HOT.lastTick) >> 2]!;
    if (last >= tick) return; // its last owner has done this tick
    const flags = arena.u16[(hot + HOT.flags) >> 1]!;
    if (flags & FLAG.OFFLINE) return;
    if (core.isFreed(slot)) return;
    core.writeHot(slot);
    let steps = tick - last;
    let skipped = 0;
    if (flags & FLAG.RESTED) {
      arena.u16[(hot + HOT.flags) >> 1] = flags & ~FLAG.RESTED;
      skipped = steps - 1;
    } else if (steps > CATCH_UP_TICKS) {
      skipped = steps - 1;
      core.block.count(SHARD_COUNTER.ticksFrozen, skipped);
    }
    const id = core.id(slot);
    if (core.isFrozen(id)) {
      core.block.count(SHARD_COUNTER.ticksFrozen, steps - skipped);
      skipped = steps;
    }
    steps -= skipped;
    if (steps > 0) this.play(slot, id, steps);
    this.account(slot, hot, steps + skipped);
    this.place(slot, hot);
    if (arena.i32[(hot + HOT.outboxCount) >> 2]! > 0) {
      core.senders.add(slot);
      this.mail.prepare(slot);
    }
  }

  private play(slot: number, id: number, steps: number): void {
    const { core, facade } = this;
    const { game } = core;
    core.block.takeInHand(id, 0);
    try {
      // One that has removed itself has no next step.
      for (let s = 0; s < steps && !core.isFreed(slot); s++) game.module.step(facade, slot);
    } catch (error) {
      throw blamed(error, game, `step of a '${game.kinds[core.kind(slot)]}', entity ${id}`);
    }
  }

  /**
   * Moves the tick on and holds it against an independent count: steps done since creation must equal ticks lived.
   * The two are written at different places, so a missed or doubled step shows.
   */
  private account(slot: number, hot: number, ticks: number): void {
    const { core } = this;
    const { arena, tick } = core;
    arena.i32[(hot + HOT.lastTick) >> 2] = tick;
    const steps = (arena.i32[(hot + HOT.stepCount) >> 2]! + ticks) | 0;
    const lived = (tick - arena.i32[(arena.header(slot) + HEADER.birthTick) >> 2]!) | 0;
    if (steps !== lived) {
      const missed = lived - steps;
      if (missed > 0) core.block.count(SHARD_COUNTER.ticksMissed, missed);
      else core.block.count(SHARD_COUNTER.ticksDoubled, -missed);
    }
    arena.i32[(hot + HOT.stepCount) >> 2] = lived;
  }

  /** Notes the tile in which the entity now stands; counts crossings, collects those in foreign tiles. */
  private place(slot: number, hot: number): void {
    const { core } = this;
    const { arena } = core;
    const column = tileX(arena.f64[(hot + HOT.x) >> 3]!, LIMITS.deepestTileLevel);
    const row = tileY(arena.f64[(hot + HOT.y) >> 3]!, LIMITS.deepestTileLevel);
    const tile = baseOf(column, row);
    const before = arena.i32[(hot + HOT.tile) >> 2]!;
    const owner = core.world.directory.lookupDeepest(column, row);
    if (tile !== before) {
      arena.i32[(hot + HOT.tile) >> 2] = tile;
      if (owner === core.shard && core.world.directory.lookup(before) === core.shard) {
        core.block.count(SHARD_COUNTER.crossings);
      }
    }
    if (owner !== core.shard) core.foreign.add(slot);
  }
}
