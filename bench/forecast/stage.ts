/**
 * People of a trace, second by second, as a shard sees them: each has a slot with its drift, squares are counted, and a
 * fixed layout of tiles looks at them. The production objects for drift and forecast; no server, no clock.
 */
import { LIMITS } from '../../src/base/limits.js';
import type { LeafLook } from '../../src/control/forecast/forecast.js';
import { HORIZONS_S } from '../../src/control/forecast/horizons.js';
import { type TileAddress, tileOfIndex } from '../../src/geo/address.js';
import { columnAt, rowAt, tileColumns } from '../../src/geo/tile.js';
import { Drifts } from '../../src/memory/drift.js';
import { CAME, noteDrift, squareAhead } from '../../src/world/drift.js';

const DEEPEST = LIMITS.deepestTileLevel;
const COLUMNS = tileColumns(DEEPEST);
const SLOTS = 65_536;

/** Somebody at a moment: plane metres, and the velocity that a server would know (m/s). */
export interface Person {
  /** Whole, from 0 on; the same for one person all the while. */
  readonly id: number;
  readonly x: number;
  readonly y: number;
  readonly vx: number;
  readonly vy: number;
}

interface Count {
  players: number;
  ahead: [number, number, number];
  came: number;
}

export class Stage {
  private readonly drifts = Drifts.create(SLOTS);
  private readonly slots = new Map<number, { slot: number; generation: number }>();
  private readonly free = Array.from({ length: SLOTS }, (_, i) => SLOTS - 1 - i);
  private readonly places = new Float64Array(2);
  private readonly speeds = new Float32Array(2);
  private generation = 0;

  /** @param level of the tiles that are looked at @param full players that are a load of 1 */
  constructor(
    private readonly level: number,
    private readonly full: number,
  ) {}

  /** @param second of the trace, one after the other @param people who are there now */
  look(second: number, people: readonly Person[]): LeafLook[] {
    const counts = new Map<number, Count>();
    const present = new Set<number>();
    for (const person of people) {
      present.add(person.id);
      this.note(second, person, counts);
    }
    for (const [id, { slot }] of this.slots) {
      if (present.has(id)) continue;
      this.slots.delete(id);
      this.free.push(slot);
    }
    return [...counts].map(([square, count]) => ({ tile: this.tileOf(square), full: this.full, ...count }));
  }

  private note(second: number, person: Person, counts: Map<number, Count>): void {
    const at = this.slotOf(person.id);
    this.places[0] = person.x;
    this.places[1] = person.y;
    this.speeds[0] = person.vx;
    this.speeds[1] = person.vy;
    const { drifts, places, speeds } = this;
    const came = noteDrift(drifts, at.slot, at.generation, places, 0, 1, speeds, 0, second, 1);
    const here = this.countOf(counts, rowAt(places, 1, DEEPEST) * COLUMNS + columnAt(places, 0, DEEPEST));
    here.players++;
    if (came !== CAME.STAYED) here.came++;
    for (const [h, seconds] of HORIZONS_S.entries()) {
      this.countOf(counts, squareAhead(drifts, at.slot, seconds)).ahead[h]++;
    }
  }

  private slotOf(id: number): { slot: number; generation: number } {
    let at = this.slots.get(id);
    if (at === undefined) {
      at = { slot: this.free.pop()!, generation: ++this.generation };
      this.slots.set(id, at);
    }
    return at;
  }

  /** Counted by the tile of the layout that holds the square. */
  private countOf(counts: Map<number, Count>, square: number): Count {
    const shift = DEEPEST - this.level;
    const column = square % COLUMNS;
    const key = (((square - column) / COLUMNS) >> shift) * tileColumns(this.level) + (column >> shift);
    let count = counts.get(key);
    if (count === undefined) {
      count = { players: 0, ahead: [0, 0, 0], came: 0 };
      counts.set(key, count);
    }
    return count;
  }

  private tileOf(key: number): TileAddress {
    return tileOfIndex(key, this.level);
  }
}
