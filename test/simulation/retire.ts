/**
 * Threads that end and begin while everything runs: the simulation's side of a retirement. The tiles of a shard are moved
 * to others one by one; when it has none it is marked CLOSING (world/retirement.ts), goes on until it owns nobody and
 * nobody can offer it anything, and ends. Later the number begins again as a new incarnation. A death on the way is an
 * ordinary death: the replacement is asked to retire anew.
 */
import { LIMITS } from '../../src/base/limits.js';
import { formatTile } from '../../src/geo/address.js';
import { tileColumns } from '../../src/geo/tile.js';
import { SHARD_STATE } from '../../src/memory/shard-block.js';
import { leafAt } from '../../src/world/layout.js';
import type { SimNode } from './node.js';

const SIDE = 2 ** (LIMITS.deepestTileLevel - LIMITS.baseTileLevel);
const COLUMNS = tileColumns(LIMITS.baseTileLevel);

export class Retirement {
  /** The shard that is on its way out or has ended; −1: none. One at a time. */
  shard = -1;

  constructor(private readonly node: SimNode) {}

  begin(shard: number): void {
    if (this.shard < 0) this.shard = shard;
  }

  /** The number works again. */
  revive(): void {
    if (this.shard < 0) return;
    if (this.node.isGone(this.shard)) this.node.revive(this.shard);
    else if (this.node.world.shardBlocks[this.shard]!.state === SHARD_STATE.CLOSING) return;
    this.shard = -1;
  }

  /** Once a tick. @returns base tiles of which a leaf was moved */
  tend(others: readonly number[]): number[] {
    const { shard, node } = this;
    if (shard < 0 || node.isGone(shard)) return [];
    const block = node.world.shardBlocks[shard]!;
    if (block.state === SHARD_STATE.RUNNING) {
      const leaves = this.leaves();
      if (leaves.length === 0) block.state = SHARD_STATE.CLOSING;
      return leaves.flatMap(({ name, tile }, i) =>
        node.reshaper.move(name, others[i % others.length]!, 'retirement') === null ? [tile] : [],
      );
    }
    const { core } = node.shards[shard]!;
    if (core.owned.count > 0 || !node.shards[shard]!.isUnreachable) return [];
    node.shards[shard]!.end();
    if (core.owned.count === 0) node.end(shard);
    return [];
  }

  private leaves(): { name: string; tile: number }[] {
    const { directory } = this.node.world;
    const found = new Map<string, number>();
    directory.forEachTaken((tile) => {
      const column = (tile % COLUMNS) * SIDE;
      const row = Math.floor(tile / COLUMNS) * SIDE;
      for (let i = 0; i < SIDE * SIDE; i++) {
        const square = (row + Math.floor(i / SIDE)) * COLUMNS * SIDE + column + (i % SIDE);
        const leaf = leafAt(directory, square);
        if (leaf?.shard === this.shard) found.set(formatTile(leaf.address), tile);
      }
    });
    return [...found].map(([name, tile]) => ({ name, tile }));
  }
}
