/**
 * Work that the main thread repeats: at its pace while somebody is there, once a second while every shard rests. A planet
 * with nobody on it then costs next to nothing. Contract: what is done so must bear to come a second late, once.
 */
import type { Timers } from '../base/clock.js';
import { SHARD_STATE } from '../memory/shard-block.js';
import type { SharedWorld } from '../memory/shared-world.js';

export const QUIET_PACE_MS = 1000;

/** Whether there is nothing anywhere: every shard that runs rests. */
export function isQuiet({ shardBlocks }: Pick<SharedWorld, 'shardBlocks'>): boolean {
  return shardBlocks.every((block) => block.isResting || block.state === SHARD_STATE.NONE);
}

/** @returns what ends it */
export function paced(
  timers: Timers,
  ms: number,
  world: Pick<SharedWorld, 'shardBlocks'>,
  work: () => void,
): () => void {
  let cancel = () => {};
  const next = () => {
    cancel = timers.after(isQuiet(world) ? Math.max(ms, QUIET_PACE_MS) : ms, () => {
      next(); // first: work may end it
      work();
    });
  };
  next();
  return () => cancel();
}
