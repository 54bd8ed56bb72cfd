/** Threads of shards: started before the load needs them, ended when they have nothing left. */
import type { Draft } from './draft.js';
import { hotShards } from './move.js';
import { isSplittable } from './split.js';

/** A split into four leaves one child where it is. */
const SHARDS_FOR_SPLIT = 3;

/** Asks for as many threads as splits and moves will want and cool ones are missing, lowest numbers first. */
export function startThreads(draft: Draft): void {
  const { pinShards, dwellS } = draft.limits;
  if (pinShards || draft.saturated) return; // another thread would only wait for a core as well
  const { wanted, load, from } = wantedShards(draft);
  if (wanted === 0) return;
  draft.emptying = -1;
  const ready = draft.planned.filter(
    (p, s) => draft.isStarting(s) || (s !== from && draft.isTarget(s) && p.load < draft.limits.coolLoadShare),
  ).length;
  let missing = wanted - ready;
  for (let s = 0; s < draft.planned.length && missing > 0; s++) {
    // Asked a short while ago and still not there: not again before the dwell, whatever is wrong with it.
    if (!draft.sample.shards[s].canStart || draft.timeS - draft.shards[s].startAskedS < dwellS) continue;
    missing--;
    draft.shards[s] = { ...draft.shards[s], startAskedS: draft.timeS };
    draft.decisions.push({
      kind: 'start',
      shard: s,
      timeS: draft.timeS,
      numbers: { load, threshold: draft.limits.startLoadShare, wanted, ready },
      reason: `Load ${load.toFixed(2)} on shard ${from} asks for ${wanted} cool shards and ${ready} are there: shard ${s} starts.`,
    });
  }
}

/** Cool shards beside `from` that the hottest tile, or a hot shard, has a use for. */
function wantedShards(draft: Draft): { wanted: number; load: number; from: number } {
  let hottest = { load: 0, from: -1 };
  let isForeseen = false;
  for (const leaf of draft.leaves.values()) {
    const load = draft.movableLoad(leaf.tile);
    const foreseen = draft.isForeseen(leaf.tile, 1);
    if (isForeseen && !foreseen && load < draft.limits.startLoadShare) continue;
    if ((load > hottest.load || (foreseen && !isForeseen)) && isSplittable(draft, leaf)) {
      hottest = { load, from: leaf.shard };
      isForeseen ||= foreseen;
    }
  }
  if (isForeseen || hottest.load >= draft.limits.startLoadShare)
    return { wanted: SHARDS_FOR_SPLIT, ...hottest };
  const hot = hotShards(draft).find((s) => draft.planned[s].tiles > 1);
  if (hot !== undefined) return { wanted: 1, load: draft.planned[hot].load, from: hot };
  return { wanted: 0, load: 0, from: -1 };
}

/** Ends the thread of a shard that was emptied, or never got a tile, and has been idle for as long as packing waits. */
export function stopThreads(draft: Draft): void {
  const { sample, limits, emptying: s } = draft;
  if (limits.pinShards || s < 0 || draft.isEnding(s) || draft.planned[s].tiles > 0) return;
  const { tiles, players } = sample.shards[s];
  if (tiles > 0 || players > 0 || draft.pending.some((p) => p.shard === s)) return;
  const idleS = draft.timeS - draft.shards[s].idleS;
  draft.shards[s] = { ...draft.shards[s], stopAskedS: draft.timeS };
  draft.emptying = -1;
  draft.decisions.push({
    kind: 'stop',
    shard: s,
    timeS: draft.timeS,
    numbers: { load: draft.shardLoad(s), threshold: limits.packLoadShare, idleS },
    reason: `Shard ${s} has no tile and has been idle for ${idleS.toFixed(0)} s: its thread ends.`,
  });
}
