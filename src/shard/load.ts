/**
 * Tells four times a second where this shard's load lies (memory/load-table.ts): one pass over its entities, about
 * 15 µs for a thousand of them. Allocates nothing.
 */
import { LIMITS } from '../base/limits.js';
import { columnAt, rowAt, tileColumns } from '../geo/tile.js';
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import { HOT } from '../memory/record.js';
import type { Core } from './core.js';

const DEEPEST = LIMITS.deepestTileLevel;
const COLUMNS = tileColumns(DEEPEST);

export class LoadNotes {
  private readonly every: number;
  /** By slot: last action id that was counted; belongs to the entity in the slot only while that one's ids grow. */
  private readonly counted: Uint32Array;
  private last = 0;

  constructor(private readonly core: Core) {
    this.every = Math.max(1, Math.round(core.world.clock.ticksPerSecond / LIMITS.plannerRateHz));
    this.counted = new Uint32Array(core.arena.capacity);
  }

  /** At the end of tick k. */
  publish(k: number): void {
    if (k % this.every !== 0) return;
    const { arena, owned, players, world, shard } = this.core;
    const table = world.loadTables[shard]!;
    table.begin();
    for (let i = 0; i < owned.count; i++) {
      const slot = owned.slots[i]!;
      const hot = arena.hot(slot);
      const column = columnAt(arena.f64, (hot + HOT.x) >> 3, DEEPEST);
      const square = rowAt(arena.f64, (hot + HOT.y) >> 3, DEEPEST) * COLUMNS + column;
      const isPlayer =
        players.has(slot) &&
        arena.u16[(hot + HOT.kind) >> 1] === PLAYER_KIND &&
        (arena.u16[(hot + HOT.flags) >> 1]! & FLAG.OFFLINE) === 0;
      table.add(square, isPlayer ? 1 : 0, isPlayer ? this.actionsOf(slot, hot) : 0);
    }
    table.publish(k - this.last);
    this.last = k;
  }

  /** Actions decided since the pass before; what was decided before the entity came here is not counted. */
  private actionsOf(slot: number, hot: number): number {
    const last = this.core.arena.u32[(hot + HOT.lastActionId) >> 2]!;
    const done = last - this.counted[slot]!;
    this.counted[slot] = last;
    return done >= 0 && done <= this.core.actionsPerTick * this.every ? done : 0;
  }
}
