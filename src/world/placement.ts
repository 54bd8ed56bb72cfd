/**
 * Where a waking tile goes: a pure function of loads and neighbours. The least loaded live shard wins; among equals
 * one that does not hold a neighbouring tile, then the one with fewer tiles, so that neighbours spread.
 */

/** What placement knows of one shard. `load` is in shares of a tick budget (0…1 and beyond). */
export interface ShardLoad {
  alive: boolean;
  load: number;
  tiles: number;
}

/** Cost of a neighbouring tile on the same shard, in shares of a tick budget: a crowd on a border uses two cores. */
const NEIGHBOUR_COST = 0.2;
/** Cost of one more tile on a shard: breaks ties between idle shards. */
const TILE_COST = 0.01;

/**
 * @param loads one entry a shard
 * @param neighbours shards that hold the eight neighbouring tiles (−1 where nobody does)
 * @returns the shard, or −1 when none is alive
 */
export function choosePlacement(loads: readonly ShardLoad[], neighbours: ArrayLike<number>): number {
  let best = -1;
  let bestCost = Infinity;
  for (let shard = 0; shard < loads.length; shard++) {
    const l = loads[shard]!;
    if (!l.alive) continue;
    let cost = l.load + l.tiles * TILE_COST;
    for (let i = 0; i < neighbours.length; i++) if (neighbours[i] === shard) cost += NEIGHBOUR_COST;
    if (cost < bestCost) {
      bestCost = cost;
      best = shard;
    }
  }
  return best;
}
