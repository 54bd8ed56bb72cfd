/**
 * A change of layout (split, merge, move) as this shard sees it: squares of the deepest level that it had and has no
 * more. Whoever stands in one is handed over at once, by the ordinary steps, without margin and minimum stay; the
 * planner's side is told how many are left. Every state in between is legal: a shard goes on simulating what it owns
 * wherever that stands, so a death here needs ordinary recovery and nothing else.
 */
import { SHARD_GAUGE } from '../memory/shard-block.js';
import { maskOf, pathAt } from '../world/layout.js';
import type { Core } from './core.js';
import type { Tiles } from './tiles.js';

export class Migration {
  /** Entities in lost squares that the last round of handovers could not place. */
  left = 0;
  private version = -1;
  /** By base tile: squares that this shard has; and those that it has lost and that may still hold entities of its. */
  private readonly mine = new Map<number, number>();
  private readonly lost = new Map<number, number>();

  constructor(
    private readonly core: Core,
    private readonly tiles: Tiles,
  ) {}

  /** First thing in a tick: compares the layout with that of the tick before, if it has changed. */
  look(): void {
    const { directory } = this.core.world;
    const { version } = directory;
    if (version !== this.version) {
      this.version = version;
      for (const tile of this.tiles.tiles) if (!this.mine.has(tile)) this.mine.set(tile, 0);
      for (const [tile, before] of this.mine) this.compare(tile, before);
    }
    this.core.block.setGauge(SHARD_GAUGE.layoutSeen, version);
  }

  private compare(tile: number, before: number): void {
    const now = maskOf(this.core.world.directory, tile, this.core.shard);
    const lost = ((this.lost.get(tile) ?? 0) | (before & ~now)) & ~now;
    if (lost !== 0) this.lost.set(tile, lost);
    else this.lost.delete(tile);
    if (now !== 0) this.mine.set(tile, now);
    else this.mine.delete(tile);
  }

  /** Whether a place lies in a square that this shard has lost. */
  concerns(tile: number, x: number, y: number): boolean {
    if (this.lost.size === 0) return false;
    const lost = this.lost.get(tile);
    return lost !== undefined && (lost & (1 << pathAt(x, y))) !== 0;
  }

  /** After the handovers of a tick: a square that nobody is left in is forgotten; from then on margins count again. */
  settle(): void {
    this.core.block.setGauge(SHARD_GAUGE.leaving, this.left);
    if (this.left === 0 && this.lost.size > 0) this.lost.clear();
  }
}
