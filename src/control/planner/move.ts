/** Moves: a tile goes from a hot shard to a cooler one, and an idle shard is emptied so that its thread can end. */
import { formatTile } from '../../geo/address.js';
import type { Draft } from './draft.js';
import { isSplittable } from './split.js';
import { tileKey } from './squares.js';
import type { Decision, TileSample } from './types.js';

/** Tiles of a hot shard that are looked at: the heaviest ones. */
const LOOKED_AT = 64;

/** Shards that are hot by measure and by plan, though none of their tiles is about to be split. */
export function hotShards(draft: Draft): number[] {
  const { splitLoadShare } = draft.limits;
  const hot = draft.planned.flatMap(({ load }, s) =>
    draft.isAlive(s) && load >= splitLoadShare && draft.shardLoad(s) >= splitLoadShare ? [s] : [],
  );
  if (hot.length === 0) return hot;
  const busy = new Set<number>();
  for (const leaf of draft.leaves.values()) {
    const splits = draft.movableLoad(leaf.tile) >= splitLoadShare && isSplittable(draft, leaf);
    if (splits || draft.isHeld(leaf.tile)) busy.add(leaf.shard);
  }
  return hot.filter((s) => !busy.has(s));
}

export function coolHotShards(draft: Draft): void {
  for (const from of hotShards(draft)) {
    if (!draft.hasRoom) return;
    if (!draft.planned.some((_, s) => s !== from && draft.isTarget(s))) continue;
    const best = bestMove(draft, from);
    if (best === undefined) continue;
    const { leaf, to, load } = best;
    const { load: source } = draft.planned[from];
    const { load: target } = draft.planned[to];
    move(
      draft,
      leaf,
      to,
      { load, threshold: draft.limits.splitLoadShare, source, target },
      `shard ${from} is at load ${source.toFixed(2)}, shard ${to} at ${target.toFixed(2)}`,
    );
  }
}

/** The move that lowers the higher of the two loads most. */
function bestMove(draft: Draft, from: number) {
  const { splitLoadShare, moveGainShare } = draft.limits;
  const source = draft.planned[from].load;
  let bound = source - moveGainShare;
  let best: { leaf: TileSample; to: number; load: number } | undefined;
  for (const leaf of movable(draft, from)) {
    const load = draft.loadOf(leaf.tile);
    const fits = (s: number) => s !== from && draft.planned[s].load + load < splitLoadShare;
    const to = load > 0 ? draft.choose(leaf.tile, -1, [], fits) : -1;
    if (to < 0) continue;
    const worst = Math.max(source - load, draft.planned[to].load + load);
    if (worst > bound || (worst === bound && best !== undefined)) continue;
    bound = worst;
    best = { leaf, to, load };
  }
  return best;
}

/** Tiles of a shard that may be moved, heaviest first. */
function movable(draft: Draft, from: number): TileSample[] {
  const tiles = [...draft.leaves.values()].filter(
    ({ shard, tile }) => shard === from && !draft.isHeld(tile) && draft.hasRested(tile),
  );
  const heavier = (a: TileSample, b: TileSample) => draft.movableLoad(b.tile) - draft.movableLoad(a.tile);
  return tiles.sort((a, b) => heavier(a, b) || tileKey(a.tile) - tileKey(b.tile)).slice(0, LOOKED_AT);
}

/** Decides the move of a leaf. */
export function move(
  draft: Draft,
  leaf: TileSample,
  to: number,
  numbers: Readonly<Record<string, number>>,
  because: string,
): Decision {
  const load = draft.loadOf(leaf.tile);
  draft.shift(leaf.shard, load, -1);
  draft.shift(to, load, 1);
  draft.hold({ kind: 'move', tile: leaf.tile, shard: to, children: [] });
  const decision: Decision = {
    kind: 'move',
    tile: leaf.tile,
    from: leaf.shard,
    shard: to,
    timeS: draft.timeS,
    numbers,
    reason: `${formatTile(leaf.tile)} at load ${load.toFixed(2)} moves: ${because}.`,
  };
  draft.decisions.push(decision);
  return decision;
}

/** Empties one shard at a time, the idle one with the highest number; the last live one stays. */
export function packIdleShards(draft: Draft): void {
  const { pinShards, packAfterS } = draft.limits;
  const isIdle = (s: number) => draft.isAlive(s) && draft.timeS - draft.shards[s].idleS >= packAfterS;
  if (draft.emptying >= 0 && (pinShards || !isIdle(draft.emptying))) draft.emptying = -1;
  if (pinShards) return;
  if (draft.emptying < 0) {
    const others = draft.planned.flatMap((_, s) => (draft.isTarget(s) ? [s] : []));
    const idle = others.filter(isIdle);
    if (others.length < 2 || idle.length === 0) return;
    draft.emptying = idle[idle.length - 1];
  }
  empty(draft, draft.emptying);
}

/** Moves tiles off a shard, as far as others stay cool with them. */
function empty(draft: Draft, from: number): void {
  const { coolLoadShare, packLoadShare } = draft.limits;
  for (const leaf of movable(draft, from)) {
    if (!draft.hasRoom) return;
    const load = draft.loadOf(leaf.tile);
    const to = draft.choose(
      leaf.tile,
      -1,
      [],
      (s) => s !== from && draft.planned[s].load + load <= coolLoadShare,
    );
    if (to < 0) return;
    const target = draft.planned[to].load;
    move(
      draft,
      leaf,
      to,
      { load, threshold: packLoadShare, source: draft.planned[from].load, target },
      `shard ${from} has been idle and is emptied to shard ${to}`,
    );
  }
}
