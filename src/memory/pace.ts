/**
 * Work that is repeated: at its pace while somebody is there, seldom while every shard rests. A planet with nobody on it
 * then costs next to nothing. Contract: what is done so must bear to come late, once, by the seldom pace.
 */
import type { Clock, Timers } from '../base/clock.js';
import { SHARD_STATE } from './shard-block.js';
import type { SharedWorld } from './shared-world.js';

const QUIET_MS = 1000;

/** Whether there is nothing anywhere: every shard that runs rests. */
export function isQuiet({ shardBlocks }: Pick<SharedWorld, 'shardBlocks'>): boolean {
  return shardBlocks.every((block) => block.isResting || block.state === SHARD_STATE.NONE);
}

/** A thread's time, and the world whose quiet it works by. */
export interface Pacing {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly world: Pick<SharedWorld, 'shardBlocks'>;
}

/** All that a thread does in the quiet is due on the same beats: it wakes once for all of it. @returns ms to the next */
function untilBeat(now: number, ms: number): number {
  const least = Math.min(ms, QUIET_MS / 2);
  return Math.ceil((now + least) / QUIET_MS) * QUIET_MS - now;
}

/**
 * Repeats `work` each `ms` (up to 1000), in the quiet each second.
 * @returns what ends it
 */
export function paced({ clock, timers, world }: Pacing, ms: number, work: () => void): () => void {
  let cancel = () => {};
  const next = () => {
    // Timers cut off what is below a millisecond: rounded up, or the beat would be met twice.
    const wait = isQuiet(world) ? Math.ceil(untilBeat(clock.now(), ms)) : ms;
    cancel = timers.after(wait, () => {
      next(); // first: work may end it
      work();
    });
  };
  next();
  return () => cancel();
}
