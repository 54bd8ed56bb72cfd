/**
 * Rest: a shard that holds no tile and no entity sleeps on its doorbell instead of running every tick, and goes on with
 * the tick that it is then. Nothing can have been missed: what it does not hold it does not step.
 *
 * Contract: whoever puts something into a ring of the shard calls `wake` of its block afterwards; the shard says that it
 * rests *before* it looks into its rings a last time. Whatever the order, one of them sees the other (all of it through
 * Atomics, sequentially consistent). A cut of the store rings in any case, and its tick is never jumped over.
 */
import { SHARD_STATE } from '../memory/shard-block.js';
import type { SharedWorld } from '../memory/shared-world.js';
import type { Core } from './core.js';

/** A part of the shard that may have something left to do in the next ticks though the shard holds nothing. */
export interface Quiet {
  readonly isQuiet: boolean;
}

export class Rest {
  /** Newest tick that had something to do. */
  private lively = 0;

  constructor(
    private readonly core: Core,
    private readonly parts: readonly Quiet[],
  ) {}

  /** Before the first tick: as if something had happened in the one before. */
  start(): void {
    this.lively = this.core.tick;
  }

  /** At the end of each tick. A second passes before the shard rests: frames, load, counts are told by then. */
  note(): void {
    if (!this.holdsNothing) this.lively = this.core.tick;
  }

  /** Before the thread waits. @returns whether it may sleep through the next ticks, until somebody rings */
  begin(): boolean {
    const { core } = this;
    const { block } = core;
    const isIdle =
      core.tick - this.lively >= core.world.clock.ticksPerSecond && block.state === SHARD_STATE.RUNNING;
    if (isIdle) block.isResting = true; // before the look
    if (isIdle && this.holdsNothing && !this.hasMail) return core.cut.askedTick === 0;
    if (block.isResting) {
      block.isResting = false;
      core.world.cut.ring(); // the store takes cuts in its usual rhythm again
    }
    return false;
  }

  /**
   * After the sleep.
   * @param next the tick after the last one @param now the tick that it is
   * @returns the tick to go on with
   */
  end(next: number, now: number): number {
    const asked = this.core.cut.askedTick;
    return Math.max(next, asked === 0 ? now : Math.min(now, asked));
  }

  private get holdsNothing(): boolean {
    const { owned, ready, logs, senders, early } = this.core;
    if (owned.count + ready.count + logs.count + senders.count + early.length > 0) return false;
    return this.parts.every((part) => part.isQuiet);
  }

  private get hasMail(): boolean {
    const { world, shard } = this.core;
    if (world.results[shard]!.used() > 0) return true;
    const waits = (rows: SharedWorld['arrivals']) => rows.some((row) => (row?.[shard]?.available() ?? 0) > 0);
    return waits(world.messages) || waits(world.arrivals);
  }
}
