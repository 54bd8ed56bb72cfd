/**
 * Work that is repeated: at its pace while somebody is there, seldom while every shard rests. A planet with nobody on it
 * then costs next to nothing. Contract: what is done so must bear to come late, once, by the seldom pace.
 */
import type { Timers } from '../base/clock.js';
import { SHARD_STATE } from './shard-block.js';
import type { SharedWorld } from './shared-world.js';

const QUIET_MS = 1000;

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
  quietMs = QUIET_MS,
): () => void {
  let cancel = () => {};
  const next = () => {
    cancel = timers.after(isQuiet(world) ? Math.max(ms, quietMs) : ms, () => {
      next(); // first: work may end it
      work();
    });
  };
  next();
  return () => cancel();
}
