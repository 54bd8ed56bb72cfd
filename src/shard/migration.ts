/**
 * A change of layout (split, merge, move) as this shard sees it: squares of the deepest level that it had and has no
 * more. Whoever stands in one is handed over at once, by the ordinary steps, without margin and minimum stay; the
 * planner's side is told how many are left. Every state in between is legal: a shard goes on simulating what it owns
 * wherever that stands, so a death here needs ordinary recovery and nothing else.
 */
import { HOT } from '../memory/record.js';
import { SHARD_GAUGE } from '../memory/shard-block.js';
import { TRACE_KIND } from '../memory/trace-ring.js';
import { maskOf, ownerAt, pathAt, pathOf } from '../world/layout.js';
import type { Core } from './core.js';
import type { Tiles } from './tiles.js';

export class Migration {
  /** Entities in lost squares that the last round of handovers could not place. */
  left = 0;
  /** Entities handed over because of changes of layout, since the last was done. */
  moved = 0;
  private quietTicks = 0;
  private version = -1;
  /** By base tile: squares that this shard has; and those that it has lost and that may still hold entities of its. */
  private readonly mine = new Map<number, number>();
  private readonly lost = new Map<number, number>();

  constructor(
    private readonly core: Core,
    private readonly tiles: Tiles,
  ) {}

  /** After a death: whoever was adopted and stands in a foreign square is handed over like the others of a change. */
  adopt(): void {
    const { arena, owned, world, shard } = this.core;
    for (let i = 0; i < owned.count; i++) {
      const hot = arena.hot(owned.slots[i]!);
      this.core.progress();
      const x = arena.f64[(hot + HOT.x) >> 3]!;
      const y = arena.f64[(hot + HOT.y) >> 3]!;
      if (ownerAt(world.directory, x, y) === shard) continue;
      const tile = arena.i32[(hot + HOT.tile) >> 2]!;
      this.lost.set(tile, (this.lost.get(tile) ?? 0) | (1 << pathAt(x, y)));
    }
  }

  /** First thing in a tick: compares the layout with that of the tick before, where it has changed. */
  look(): void {
    const { directory } = this.core.world;
    const { version } = directory;
    if (this.tiles.fresh.size > 0) this.lookAtFresh();
    if (version === this.version) return;
    this.core.traces.layout(TRACE_KIND.layoutSeen, version, 0);
    const told = directory.forEachChanged(this.version, version, this.review);
    if (!told) for (const [tile, before] of this.mine) this.compare(tile, before);
    this.version = version;
  }

  private lookAtFresh(): void {
    for (const tile of this.tiles.fresh) {
      if (!this.mine.has(tile)) this.compare(tile, this.tiles.taken.get(tile) ?? 0);
    }
    this.tiles.fresh.clear();
  }

  private readonly review = (tile: number): void => {
    const before = this.mine.get(tile);
    if (before !== undefined || this.tiles.taken.has(tile)) this.compare(tile, before ?? 0);
  };

  private compare(tile: number, before: number): void {
    const now = maskOf(this.core.world.directory, tile, this.core.shard);
    const lost = ((this.lost.get(tile) ?? 0) | (before & ~now)) & ~now;
    if (lost !== 0) {
      this.lost.set(tile, lost);
      this.quietTicks = 0;
    } else this.lost.delete(tile);
    if (now !== 0) this.mine.set(tile, now);
    else this.mine.delete(tile);
  }

  get isQuiet(): boolean {
    return this.lost.size === 0 && this.left === 0 && this.moved === 0;
  }

  /** Whether this shard has lost a square of the deepest level. @param tile the base tile that holds it */
  concerns(tile: number, column: number, row: number): boolean {
    if (this.lost.size === 0) return false;
    const lost = this.lost.get(tile);
    return lost !== undefined && (lost & (1 << pathOf(column, row))) !== 0;
  }

  /**
   * After the handovers of a tick. Lost squares are remembered for a second after the last one who was found in them:
   * another shard may still send somebody here by the old layout. From then on margins count again.
   */
  settle(): void {
    this.core.block.setGauge(SHARD_GAUGE.leaving, this.left);
    this.core.block.setGauge(SHARD_GAUGE.layoutSeen, this.version);
    if (this.moved > 0 && this.left === 0) {
      this.core.traces.layout(TRACE_KIND.layoutLeft, this.version, this.moved);
      this.moved = 0;
    }
    if (this.lost.size === 0) return;
    this.quietTicks = this.left === 0 ? this.quietTicks + 1 : 0;
    if (this.quietTicks <= this.core.world.clock.ticksPerSecond) return;
    this.lost.clear();
    this.quietTicks = 0;
  }
}
