/**
 * Gives an ownerless tile to a shard: any thread that needs the tile may do it, one compare-and-swap decides among
 * several. The winner tells the new owner to wake the tile.
 */
import { LIMITS } from '../base/limits.js';
import { tileColumns, tileIndex, tileRows } from '../geo/tile.js';
import { SHARD_GAUGE, SHARD_STATE } from '../memory/shard-block.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { baseOf, ownerAt } from './layout.js';
import { type ShardLoad, choosePlacement } from './placement.js';

/** Arrivals entry with this slot: "wake the base tile in word 1". */
export const WAKE = -1;

export class Placer {
  private readonly neighbours = new Int32Array(8);
  private readonly loads: ShardLoad[];

  /**
   * @param thread number of the calling thread: index of its arrivals rings
   * @param capacity players that make a full shard
   */
  constructor(
    private readonly world: SharedWorld,
    private readonly thread: number,
    private readonly capacity: number = LIMITS.capacityPlayers,
  ) {
    this.loads = world.shardBlocks.map(() => ({ alive: false, load: 0, tiles: 0 }));
  }

  /**
   * @param x, y world metres
   * @returns the shard that owns the base tile of the point, placing it first where nobody does; −1 when no shard is
   * alive or the target's arrivals ring is full (try again next tick)
   */
  ensureOwner(x: number, y: number): number {
    const owner = ownerAt(this.world.directory, x, y);
    return owner >= 0 ? owner : this.place(tileIndex(x, y, LIMITS.baseTileLevel));
  }

  /** The same for a square of the deepest level. */
  ensureOwnerOf(column: number, row: number): number {
    const owner = this.world.directory.lookupDeepest(column, row);
    return owner >= 0 ? owner : this.place(baseOf(column, row));
  }

  /** The same for a base tile's index. */
  ensureTile(tile: number): number {
    const { directory } = this.world;
    const owner = directory.lookup(tile);
    return owner >= 0 ? owner : this.place(tile);
  }

  private place(tile: number): number {
    const { directory, shardBlocks, arrivals } = this.world;
    for (let s = 0; s < this.loads.length; s++) {
      const block = shardBlocks[s]!;
      const load = this.loads[s]!;
      load.alive = block.state === SHARD_STATE.RUNNING;
      load.load = block.gauge(SHARD_GAUGE.players) / this.capacity;
      load.tiles = block.tiles;
    }
    this.fillNeighbours(tile);
    const shard = choosePlacement(this.loads, this.neighbours);
    if (shard < 0) return -1;
    const ring = arrivals[this.thread]![shard]!;
    const at = ring.offer();
    if (at < 0) return -1;
    if (!directory.place(tile, shard)) return directory.lookup(tile); // another thread was first; nothing committed
    // The entry, then this look; whoever ends the shard marks it, then looks for entries. One sees the other.
    if (shardBlocks[shard]!.state !== SHARD_STATE.RUNNING && directory.release(tile, shard)) return -1;
    ring.i32[at >> 2] = WAKE;
    ring.i32[(at >> 2) + 1] = tile;
    ring.i32[(at >> 2) + 3] = 0; // of no tick: at once
    ring.commit();
    shardBlocks[shard]!.ring(); // it may be resting
    shardBlocks[shard]!.addTiles(1);
    return shard;
  }

  private fillNeighbours(tile: number): void {
    const columns = tileColumns(LIMITS.baseTileLevel);
    const rows = tileRows(LIMITS.baseTileLevel);
    const column = tile % columns;
    const row = (tile - column) / columns;
    let i = 0;
    for (let dr = -1; dr <= 1; dr++) {
      for (let dc = -1; dc <= 1; dc++) {
        if (dr === 0 && dc === 0) continue;
        const r = row + dr;
        const c = (column + dc + columns) % columns;
        this.neighbours[i++] = r < 0 || r >= rows ? -1 : this.world.directory.lookup(r * columns + c);
      }
    }
  }
}
