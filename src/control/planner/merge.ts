/** Merges: four sibling leaves that are nearly idle together become their parent. */
import { type TileAddress, childrenOf, formatTile, parentOf } from '../../geo/address.js';
import type { Draft } from './draft.js';
import { tileKey } from './squares.js';
import type { Decision, TileSample } from './types.js';

/** A load that no shard notices. */
const NEXT_TO_NOTHING = 0.02;

export function mergeIdleSiblings(draft: Draft): void {
  const { baseTileLevel, mergeLoadShare } = draft.limits;
  for (const leaf of draft.leaves.values()) {
    if (!draft.hasRoom) return;
    if (leaf.tile.z === baseTileLevel || (leaf.tile.x & 1) !== 0 || (leaf.tile.y & 1) !== 0) continue;
    const parent = parentOf(leaf.tile)!;
    const siblings = siblingsOf(draft, parent);
    if (siblings === undefined || draft.isHeld(parent)) continue;
    if (!draft.hasRested(parent) || siblings.some((s) => !isCalm(draft, s))) continue;
    if (siblings.some((sibling) => draft.isForeseen(sibling.tile, 2))) continue; // it would be undone
    if (togetherOf(draft, siblings) < mergeLoadShare) merge(draft, parent, siblings, mergeLoadShare);
  }
}

/** The four leaves below a tile, or undefined when it is not divided into just these. */
export function siblingsOf(draft: Draft, parent: TileAddress): readonly TileSample[] | undefined {
  const found = childrenOf(parent).flatMap((child) => draft.leaves.get(tileKey(child)) ?? []);
  return found.length === 4 ? found : undefined;
}

/** Rested, not degraded, and nobody has to recover it first. */
function isCalm(draft: Draft, leaf: TileSample): boolean {
  const owned = leaf.shard < 0 || draft.isAlive(leaf.shard);
  return owned && draft.hasRested(leaf.tile) && draft.memory(leaf.tile).rung === 0;
}

/** Load of the siblings together; players that have just come count at once. */
function togetherOf(draft: Draft, siblings: readonly TileSample[]): number {
  const { capacityPlayers } = draft.limits;
  return siblings.reduce(
    (sum, leaf) => sum + Math.max(draft.loadOf(leaf.tile), leaf.players / capacityPlayers),
    0,
  );
}

/** Decides the merge. @param threshold what the load was held against, 0 = asked for */
export function merge(
  draft: Draft,
  parent: TileAddress,
  siblings: readonly TileSample[],
  threshold: number,
): Decision | undefined {
  const load = togetherOf(draft, siblings);
  const shard = targetOf(draft, parent, siblings, threshold === 0 ? Infinity : draft.limits.splitLoadShare);
  if (shard < 0) return undefined;
  const memories = siblings.map((leaf) => draft.memory(leaf.tile));
  const rung = Math.max(...memories.map((memory) => memory.rung));
  for (const leaf of siblings) {
    draft.shift(leaf.shard, draft.loadOf(leaf.tile), -1);
    draft.shift(shard, draft.loadOf(leaf.tile), 1);
  }
  const sum = (of: (m: (typeof memories)[number]) => number) => memories.reduce((n, m) => n + of(m), 0);
  // Kept by what follows a merge at once; the dwell begins when it is done.
  const seeded = { players: sum((m) => m.players), busy: sum((m) => m.busy) };
  draft.tiles.set(tileKey(parent), { ...draft.memory(parent), ...seeded, rung, rungS: draft.timeS });
  draft.hold({ kind: 'merge', tile: parent, shard, children: [] });
  const entities = siblings.map((leaf) => leaf.entities);
  const said = threshold === 0 ? 'was asked to merge' : `is below ${threshold}`;
  const decision: Decision = {
    kind: 'merge',
    tile: parent,
    shard,
    degrade: draft.degradeAt(rung),
    timeS: draft.timeS,
    numbers: { load, threshold, entities: entities.reduce((a, b) => a + b, 0) },
    reason: `The four tiles of ${formatTile(parent)} at load ${load.toFixed(2)} together: ${said}; to shard ${shard}.`,
  };
  draft.decisions.push(decision);
  return decision;
}

/**
 * The shard with most of the entities that stays below `bound` with all of them; otherwise the least loaded. A shard that
 * carries nearly all of their load already is made no fuller by the merge, however full it is.
 */
function targetOf(draft: Draft, parent: TileAddress, siblings: readonly TileSample[], bound: number): number {
  const entities = new Map<number, number>();
  const loads = new Map<number, number>();
  let total = 0;
  for (const { tile, shard, entities: n } of siblings) {
    entities.set(shard, (entities.get(shard) ?? 0) + n);
    loads.set(shard, (loads.get(shard) ?? 0) + draft.loadOf(tile));
    total += draft.loadOf(tile);
  }
  const fits = (s: number) => {
    const added = total - (loads.get(s) ?? 0);
    return added <= NEXT_TO_NOTHING || draft.planned[s].load + added < bound;
  };
  const owners = [...entities.keys()].filter((s) => s >= 0 && draft.isTarget(s) && fits(s));
  owners.sort((a, b) => entities.get(b)! - entities.get(a)! || a - b);
  return owners[0] ?? draft.choose(parent, -1, [], fits);
}
