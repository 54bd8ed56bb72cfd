/**
 * Handovers of a tick, after its commit: entities that stand in a foreign tile beyond the margin, and whose minimum
 * stay is over, are offered to the tile's shard. Margin and stay bound what an oscillating player can cause (case 7).
 */
import { LIMITS } from '../base/limits.js';
import { clampY, wrapX } from '../geo/world.js';
import { HEADER, HOT } from '../memory/record.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import { ownerAt } from '../world/layout.js';
import type { Placer } from '../world/placing.js';
import { drive } from '../memory/steps.js';
import { offer } from '../world/handover.js';
import type { ClosingWatch } from '../world/retirement.js';
import type { Core } from './core.js';
import type { Migration } from './migration.js';
import { settle } from './step.js';

export class Border {
  private readonly stayTicks: number;

  constructor(
    private readonly core: Core,
    private readonly placer: Placer,
    private readonly closing: ClosingWatch,
    private readonly migration: Migration,
  ) {
    this.stayTicks = Math.round(LIMITS.minimumStayS / core.dt);
  }

  /** Offers what the step collected. */
  handOver(): void {
    this.migration.left = 0;
    const { foreign } = this.core;
    for (let i = 0; i < foreign.count; i++) this.consider(foreign.values[i]!);
  }

  private consider(slot: number): void {
    const { core } = this;
    const { arena, tick } = core;
    const hot = arena.hot(slot);
    if (!core.owned.has(slot)) return;
    const x = arena.f64[(hot + HOT.x) >> 3]!;
    const y = arena.f64[(hot + HOT.y) >> 3]!;
    const moved = this.migration.concerns(arena.i32[(hot + HOT.tile) >> 2]!, x, y);
    if (!moved && tick < arena.i32[(hot + HOT.stayUntilTick) >> 2]!) return;
    const target = this.placer.ensureOwner(x, y);
    if (target < 0 || target === core.shard || (!moved && this.isNearOwn(x, y))) return;
    const sent = this.closing.mayOffer(target) && this.offer(slot, target);
    if (!moved) return;
    if (sent) this.migration.moved++;
    else this.migration.left++;
  }

  /** Whether a tile of this shard lies within the margin. */
  private isNearOwn(x: number, y: number): boolean {
    const { directory } = this.core.world;
    const m = LIMITS.borderMarginM;
    for (let i = -1; i <= 1; i += 2) {
      for (let j = -1; j <= 1; j += 2) {
        if (ownerAt(directory, wrapX(x + i * m), clampY(y + j * m)) === this.core.shard) return true;
      }
    }
    return false;
  }

  /** @returns false when the target had no room */
  private offer(slot: number, target: number): boolean {
    const { core } = this;
    const { arena } = core;
    const h = arena.header(slot);
    const hot = arena.hot(slot);
    if (!core.cut.leave(slot, false)) return false;
    core.onLeave(slot);
    settle(core, slot);
    // Written before the lock, while the record is ours: the target reads them after it has the record. Outside of the
    // tick's transaction on purpose: after the commit nothing of this record is undone.
    const { stamps } = core.world;
    const decided = core.clock.now();
    arena.f64[(h + HEADER.handoverStamp) >> 3] = decided;
    stamps.decided(slot, core.shard, decided);
    arena.i32[(h + HEADER.handoverTick) >> 2] = core.tick;
    arena.i32[(hot + HOT.stayUntilTick) >> 2] = core.tick + this.stayTicks;
    const epoch = core.epoch(slot);
    const ring = core.world.arrivals[core.shard]![target]!;
    const result = drive(
      offer(arena.owner, slot, core.shard, target, epoch, () => {
        stamps.locked(slot, core.clock.now());
        const at = ring.offer();
        if (at < 0) return false;
        const word = at >> 2;
        ring.i32[word] = slot;
        ring.u32[word + 1] = arena.u32[(h + HEADER.generation) >> 2]!;
        ring.u32[word + 2] = epoch;
        ring.i32[word + 3] = core.tick;
        stamps.pushed(slot, core.clock.now()); // shown by the commit below, like the entry
        ring.commit();
        return true;
      }),
    );
    if (result === 'refused') {
      core.block.count(SHARD_COUNTER.handoversRefused);
      return false;
    }
    core.world.shardBlocks[target]!.wake();
    core.letGo(slot);
    core.block.count(SHARD_COUNTER.handoversOut);
    return true;
  }
}
