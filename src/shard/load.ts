/**
 * Tells four times a second where this shard's load lies (memory/load-table.ts): one pass over its entities, about
 * 15 µs for a thousand of them. Every fourth pass looks at the drift of the players as well (world/drift.ts): into which
 * squares it puts them in 30, 60 and 300 s, and who has come into another square. Allocates nothing.
 */
import { LIMITS } from '../base/limits.js';
import { columnAt, rowAt, tileColumns } from '../geo/tile.js';
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import { HEADER, HOT } from '../memory/record.js';
import { CAME, FORESIGHT_S, noteDrift, squareAhead } from '../world/drift.js';
import type { Core } from './core.js';

const DEEPEST = LIMITS.deepestTileLevel;
const COLUMNS = tileColumns(DEEPEST);
/** Column of the table of flows that counts who came; before it one for each horizon. */
const CAME_COLUMN = FORESIGHT_S.length + 1;

export class LoadNotes {
  private readonly every: number;
  /** By slot: last action id that was counted; belongs to the entity in the slot only while that one's ids grow. */
  private readonly counted: Uint32Array;
  private last = 0;
  private readonly looksEvery: number;

  constructor(private readonly core: Core) {
    this.looksEvery = Math.max(1, Math.round(core.world.clock.ticksPerSecond));
    this.every = Math.max(1, Math.round(core.world.clock.ticksPerSecond / LIMITS.plannerRateHz));
    this.counted = new Uint32Array(core.arena.capacity);
  }

  /** At the end of tick k. */
  publish(k: number): void {
    if (k % this.looksEvery === 0) this.foresee(k);
    if (k % this.every !== 0) return;
    const { arena, owned, players, world, shard } = this.core;
    const table = world.loadTables[shard]!;
    table.begin();
    for (let i = 0; i < owned.count; i++) {
      const slot = owned.slots[i]!;
      this.core.progress();
      const hot = arena.hot(slot);
      const column = columnAt(arena.f64, (hot + HOT.x) >> 3, DEEPEST);
      const square = rowAt(arena.f64, (hot + HOT.y) >> 3, DEEPEST) * COLUMNS + column;
      const isPlayer = players.has(slot) && this.isOnline(hot);
      table.add(square, isPlayer ? 1 : 0, isPlayer ? this.actionsOf(slot, hot) : 0);
    }
    table.publish(k - this.last);
    this.last = k;
  }

  /** Once a second: where the players are heading. */
  private foresee(k: number): void {
    const { arena, players, world, shard } = this.core;
    const { drifts } = world;
    const table = world.flowTables[shard]!;
    table.begin();
    for (let i = 0; i < players.count; i++) {
      const slot = players.slots[i]!;
      this.core.progress();
      const hot = arena.hot(slot);
      if (!this.isOnline(hot)) continue;
      const [x, y, v] = [(hot + HOT.x) >> 3, (hot + HOT.y) >> 3, (hot + HOT.vx) >> 2];
      const generation = arena.u32[(arena.header(slot) + HEADER.generation) >> 2]!;
      const came = noteDrift(drifts, slot, generation, arena.f64, x, y, arena.f32, v, k, this.looksEvery);
      if (came !== CAME.STAYED) {
        const column = columnAt(arena.f64, x, DEEPEST);
        table.count(rowAt(arena.f64, y, DEEPEST) * COLUMNS + column, CAME_COLUMN);
      }
      for (let h = 0; h < FORESIGHT_S.length; h++) {
        table.count(squareAhead(drifts, slot, FORESIGHT_S[h]!), h + 1);
      }
    }
    table.publish(this.looksEvery);
  }

  private isOnline(hot: number): boolean {
    const { u16 } = this.core.arena;
    return u16[(hot + HOT.kind) >> 1] === PLAYER_KIND && (u16[(hot + HOT.flags) >> 1]! & FLAG.OFFLINE) === 0;
  }

  /** Actions decided since the pass before; what was decided before the entity came here is not counted. */
  private actionsOf(slot: number, hot: number): number {
    const last = this.core.arena.u32[(hot + HOT.lastActionId) >> 2]!;
    const done = last - this.counted[slot]!;
    this.counted[slot] = last;
    return done >= 0 && done <= this.core.actionsPerTick * this.every ? done : 0;
  }
}
