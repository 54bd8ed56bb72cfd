/**
 * The planner: which tile is split, merged, moved or served less, and which threads of shards run. A pure function of
 * what it remembers and what was seen; without clock, chance or I/O, so the same inputs give the same decisions.
 *
 * ```
 *  sample ─▶ observe ─▶ start ─▶ split ─▶ cool hot shards ─▶ merge ─▶ pack, stop ─▶ degrade ─▶ state, decisions
 * ```
 * load(tile) = max(players ÷ capacity, CPU time ÷ tick budget), both smoothed; of a shard likewise. Constants are
 * LIMITS of src/base/limits.ts.
 *
 * ```
 *  rule           when                                             constant                      value
 * ─────────────  ───────────────────────────────────────────────  ────────────────────────────  ───────────
 *  smoothing      a load is a mean over this                       loadSmoothingS                3 s
 *  start          a tile that can be split, and fewer cool         startLoadShare                ≥ 0.6
 *                 shards than it has use for (3; for a hot shard   coolLoadShare                 cool < 0.4
 *                 1); the same number once a dwell at most
 *  split          load, after the dwell; it waits for threads      splitLoadShare                ≥ 0.8
 *                 that start, but not longer than                  startWaitS                    2 s
 *  foreseen       a split that is foreseen within 30 s comes       foreseenShare                 chance ≥ 0.5
 *                 early, from foreseenSplitShare on; within 60 s   foreseenSplitShare            ≥ 0.6
 *                 threads start for it; within 300 s its tiles
 *                 are not merged. Nothing is ever later for it.
 *  emergency      load, or players counted now; waits for no       emergencyLoadShare            ≥ 1
 *                 thread, and in a tile just born of a split for
 *                 no dwell: relief may go on downwards
 *  two levels     a child that would be hot where the players      splitLevelsAtOnce             2
 *                 stand now is divided in the same split
 *  never          a tile of the deepest level is not split         deepestTileLevel              13
 *  children       to the least loaded shards, neighbours apart     src/world/placement.ts
 *  merge          four sibling leaves together, after the dwell    mergeLoadShare                < 0.4
 *                 of each and of the parent, none degraded; to
 *                 the shard with most of their entities
 *  move           a shard is hot and none of its tiles can be      moveGainShare                 gain ≥ 0.1
 *                 split for it: the tile whose move lowers the
 *                 higher of the two loads most
 *  pack           load of a shard stayed low for so long           packLoadShare, packAfterS     < 0.02, 60 s
 *                 (never with pinShards): its tiles go where the
 *                 load stays low, then its thread ends             coolLoadShare                 ≤ 0.4
 *  dwell          from the end of a reshape to the next one        dwellS                        20 s
 *  one at a time  a pending reshape holds its tile, all above      reshapesAtOnce                8 in all
 *                 and all below it, until done()
 *  full machine   threads wait for a core for more than this       fullWaitingShare, fullWindowS > 0.2, 5 s
 *                 (until half of it), and have work of their    fullOwnShare                  ≥ 0.1
 *                 own: no start, no split or move for CPU time,
 *                 degrade from splitLoadShare on; of a wait for
 *                 a core this server's own share of the machine
 *  degrade        busy ≥ 1: far rate, near rate, time, a rung at   degradeStepS                  0.5 s
 *                 a time; players ≥ 1: the rates only; time down   minDilationShare              to 0.1
 *                 to; back a rung when the rung above would cost
 *                 less than 0.8, after                             degradeBackS                  2 s
 * ```
 * A tile or shard that nobody runs is left to recovery. A leaf that leaves the sample is forgotten once it has rested.
 */
import { type TileAddress, formatTile } from '../../geo/address.js';
import { degrade } from './degrade.js';
import { Draft } from './draft.js';
import { merge, mergeIdleSiblings, siblingsOf } from './merge.js';
import { coolHotShards, move, packIdleShards } from './move.js';
import { leavesOf, observe } from './observe.js';
import { split, splitHotTiles } from './split.js';
import { covers, tileKey } from './squares.js';
import { startThreads, stopThreads } from './threads.js';
import type { Decision, Foresight, Plan, PlannerLimits, PlannerState, Sample } from './types.js';

/**
 * @param state of the plan before, or `initialState()`; with `done` called for what has ended since
 * @param foresight null = decide by what is there alone
 * @returns the next state, and what is to be executed, in this order
 * @throws AssertionError when the sample is none: time goes back, leaves overlap (I9), loads are not finite
 */
export function plan(
  state: PlannerState,
  sample: Sample,
  limits: PlannerLimits,
  foresight: Foresight | null = null,
): Plan {
  const leaves = leavesOf(sample, limits);
  const observed = observe(state, sample, leaves, limits);
  const draft = new Draft(observed, sample, leaves, limits, foresight);
  if (draft.saturated !== state.saturated)
    draft.decisions.push(saturation(draft, observed.waiting, sample.ownShare));
  startThreads(draft);
  splitHotTiles(draft);
  coolHotShards(draft);
  mergeIdleSiblings(draft);
  packIdleShards(draft);
  stopThreads(draft);
  degrade(draft);
  return { state: draft.finish(), decisions: draft.decisions };
}

function saturation(draft: Draft, waiting: number, ownShare: number): Decision {
  const on = draft.saturated;
  const share = `${(waiting * 100).toFixed(0)} % of the time`;
  const own = `${(ownShare * 100).toFixed(0)} % of what runs is this server`;
  return {
    kind: 'saturated',
    on,
    timeS: draft.timeS,
    numbers: { waiting, ownShare, threshold: draft.limits.fullWaitingShare },
    reason: on
      ? `The machine is full, a thread waits for a core ${share} and ${own}: its own load degrades instead of splitting.`
      : `The machine has room again, no thread waits for a core more than ${share}.`,
  };
}

/** A reshape that a person asks for: no threshold and no dwell, but never against what is under way. */
export type Request =
  | { readonly kind: 'split' | 'merge'; readonly tile: TileAddress }
  | { readonly kind: 'move'; readonly tile: TileAddress; readonly shard: number };

/** Why a request was refused. */
export type Refusal =
  | 'RESHAPE_IN_PROGRESS'
  | 'NOT_A_LEAF'
  | 'NOT_SPLIT_ONCE'
  | 'DEEPEST_LEVEL'
  | 'SHARD_NOT_ALIVE'
  | 'ALREADY_THERE';

export type Answer =
  | { readonly state: PlannerState; readonly decision: Decision }
  | { readonly refused: Refusal };

/** Plans what was asked for. @param sample of now: the layout and the shards; not older than the state */
export function ask(state: PlannerState, sample: Sample, limits: PlannerLimits, request: Request): Answer {
  const leaves = leavesOf(sample, limits);
  const observed = { ...observe(state, sample, leaves, limits), saturated: state.saturated };
  const draft = new Draft(observed, sample, leaves, limits);
  const { tile } = request;
  if (draft.isHeld(tile)) return { refused: 'RESHAPE_IN_PROGRESS' };
  const decision = request.kind === 'merge' ? askMerge(draft, tile) : askLeaf(draft, request);
  return typeof decision === 'string' ? { refused: decision } : { state: draft.finish(), decision };
}

function askMerge(draft: Draft, tile: TileAddress): Decision | Refusal {
  const siblings = tile.z < draft.limits.deepestTileLevel ? siblingsOf(draft, tile) : undefined;
  if (siblings === undefined || tile.z < draft.limits.baseTileLevel) return 'NOT_SPLIT_ONCE';
  return merge(draft, tile, siblings, 0) ?? 'SHARD_NOT_ALIVE';
}

function askLeaf(draft: Draft, request: Request): Decision | Refusal {
  const leaf = draft.leaves.get(tileKey(request.tile));
  if (leaf === undefined) return 'NOT_A_LEAF';
  if (!draft.isAlive(leaf.shard)) return 'SHARD_NOT_ALIVE';
  if (request.kind !== 'move') {
    if (leaf.tile.z >= draft.limits.deepestTileLevel) return 'DEEPEST_LEVEL';
    return split(draft, leaf, draft.loadOf(leaf.tile), 0) ?? 'SHARD_NOT_ALIVE';
  }
  if (request.shard === leaf.shard) return 'ALREADY_THERE';
  if (!draft.isTarget(request.shard)) return 'SHARD_NOT_ALIVE';
  const load = draft.loadOf(leaf.tile);
  return move(draft, leaf, request.shard, { load }, `shard ${request.shard} was asked to have it`);
}

/** Whether players must wait before they enter a place of this tile: it is over its capacity and its split runs. */
export function admissionWaits(state: PlannerState, tile: TileAddress, limits: PlannerLimits): boolean {
  const { players, busy } = state.tiles.get(tileKey(tile)) ?? { players: 0, busy: 0 };
  if (Math.max(players, busy) < limits.emergencyLoadShare) return false;
  return state.pending.some((p) => p.kind === 'split' && covers(p.tile, tile));
}

/** The status line of a decision: "split 11/2048/512". */
export function titleOf(decision: Decision): string {
  if ('tile' in decision) return `${decision.kind} ${formatTile(decision.tile)}`;
  if ('shard' in decision) return `${decision.kind} shard ${decision.shard}`;
  if (decision.kind === 'forecast')
    return `forecast ${decision.horizonS} s ${decision.trusted ? 'trusted' : 'not trusted'}`;
  return decision.on ? 'saturated' : 'not saturated';
}
