/**
 * Handovers of a tick, after its commit: entities that stand in a foreign tile beyond the margin, and whose minimum
 * stay is over, are offered to the tile's shard. Margin and stay bound what an oscillating player can cause (case 7).
 */
import { LIMITS } from '../base/limits.js';
import { columnAt, rowAt } from '../geo/tile.js';
import { clampY, wrapX } from '../geo/world.js';
import { HEADER, HOT } from '../memory/record.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import { type Carrier, offerNow } from '../world/handover.js';
import { ownerAt } from '../world/layout.js';
import type { Placer } from '../world/placing.js';
import type { ClosingWatch } from '../world/retirement.js';
import { BULK } from './bulk.js';
import type { Core } from './core.js';
import type { Migration } from './migration.js';
import { SparingClock } from './sparing-clock.js';
import { settle } from './step.js';

const DEEPEST = LIMITS.deepestTileLevel;

export class Border implements Carrier {
  private readonly stayTicks: number;
  private readonly clock: SparingClock;
  /** By shard: 1 = was sent something in the running tick. */
  private readonly sentTo: Uint8Array;
  /** How many may still be offered in the running tick. */
  private room = 0;

  constructor(
    private readonly core: Core,
    private readonly placer: Placer,
    private readonly closing: ClosingWatch,
    private readonly migration: Migration,
  ) {
    this.stayTicks = Math.round(LIMITS.minimumStayS / core.dt);
    this.clock = new SparingClock(core.clock);
    this.sentTo = new Uint8Array(core.world.shardBlocks.length);
  }

  /** Offers what the step collected. */
  handOver(): void {
    this.migration.left = 0;
    const { foreign } = this.core;
    if (foreign.count === 0) return;
    this.clock.begin();
    this.room = BULK.offered;
    for (let i = 0; i < foreign.count; i++) {
      this.consider(foreign.values[i]!);
      this.core.progress();
    }
    this.wakeTargets();
  }

  /** Whoever rests looks into its rings now: once for all that it was sent. */
  private wakeTargets(): void {
    const { sentTo } = this;
    for (let s = 0; s < sentTo.length; s++) {
      if (sentTo[s] === 0) continue;
      sentTo[s] = 0;
      this.core.world.shardBlocks[s]!.wake();
    }
  }

  private consider(slot: number): void {
    const { core } = this;
    const { arena, tick } = core;
    if (!core.owned.has(slot)) return;
    const hot = arena.hot(slot);
    const column = columnAt(arena.f64, (hot + HOT.x) >> 3, DEEPEST);
    const row = rowAt(arena.f64, (hot + HOT.y) >> 3, DEEPEST);
    const moved = this.migration.concerns(arena.i32[(hot + HOT.tile) >> 2]!, column, row);
    if (!moved && tick < arena.i32[(hot + HOT.stayUntilTick) >> 2]!) return;
    const target = this.placer.ensureOwnerOf(column, row);
    if (target < 0 || target === core.shard || (!moved && this.isNearOwn(hot))) return;
    const sent = this.mayOffer(target) && this.offer(slot, target, moved);
    if (!moved) return;
    if (sent) this.migration.moved++;
    else this.migration.left++;
  }

  /** Whether anybody may be offered now: not without room, so that no record is told to the store for nothing. */
  private mayOffer(target: number): boolean {
    const { core } = this;
    if (this.room === 0 || !this.closing.mayOffer(target)) return false;
    if (core.world.arrivals[core.shard]![target]!.offer() >= 0) return true;
    core.block.count(SHARD_COUNTER.handoversRefused);
    return false;
  }

  /** Whether a tile of this shard lies within the margin. @param hot where the entity's hot state begins */
  private isNearOwn(hot: number): boolean {
    const { arena, shard, world } = this.core;
    const x = arena.f64[(hot + HOT.x) >> 3]!;
    const y = arena.f64[(hot + HOT.y) >> 3]!;
    const m = LIMITS.borderMarginM;
    for (let i = -1; i <= 1; i += 2) {
      for (let j = -1; j <= 1; j += 2) {
        if (ownerAt(world.directory, wrapX(x + i * m), clampY(y + j * m)) === shard) return true;
      }
    }
    return false;
  }

  /** @returns false when the target had no room */
  private offer(slot: number, target: number, withTile: boolean): boolean {
    const { core } = this;
    const { arena } = core;
    const h = arena.header(slot);
    const hot = arena.hot(slot);
    if (!core.cut.leave(slot, false)) return false;
    core.onLeave(slot, withTile);
    settle(core, slot);
    // Written before the lock, while the record is ours: the target reads them after it has the record. Outside of the
    // tick's transaction on purpose: after the commit nothing of this record is undone.
    const decided = this.clock.now();
    arena.f64[(h + HEADER.handoverStamp) >> 3] = decided;
    core.world.stamps.decided(slot, core.shard, decided);
    arena.i32[(h + HEADER.handoverTick) >> 2] = core.tick;
    arena.i32[(hot + HOT.stayUntilTick) >> 2] = core.tick + this.stayTicks;
    if (offerNow(arena.owner, slot, core.shard, target, core.epoch(slot), this) === 'refused') {
      core.block.count(SHARD_COUNTER.handoversRefused);
      return false;
    }
    this.sentTo[target] = 1;
    this.room--;
    core.letGo(slot);
    core.block.count(SHARD_COUNTER.handoversOut);
    return true;
  }

  /** The entry of a locked slot. @returns false when the target's ring is full */
  push(slot: number, target: number, epoch: number): boolean {
    const { core } = this;
    const { arena } = core;
    const { stamps } = core.world;
    stamps.locked(slot, this.clock.now());
    const ring = core.world.arrivals[core.shard]![target]!;
    const at = ring.offer();
    if (at < 0) return false;
    const word = at >> 2;
    ring.i32[word] = slot;
    ring.u32[word + 1] = arena.u32[(arena.header(slot) + HEADER.generation) >> 2]!;
    ring.u32[word + 2] = epoch;
    ring.i32[word + 3] = core.tick;
    stamps.pushed(slot, this.clock.now()); // shown by the commit below, like the entry
    ring.commit();
    return true;
  }
}
