/**
 * What lies and grows about, as far as some bot of this process has seen it: a shared memory of ids and places, so that
 * bots without a view of their own know what to reach for. Bounded; entries grow old.
 */
import { dx } from '../geo/world.js';

export interface Thing {
  readonly id: number;
  readonly kind: number;
  x: number;
  y: number;
  /** Not to be tried again before, ms. */
  restsUntil: number;
}

const PER_CELL = 64;
const CELLS = 4096;
/** A cell is looked at again after this time, ms. */
const STALE_MS = 20_000;

interface Cell {
  things: Map<number, Thing>;
  seenMs: number;
}

export class Things {
  private readonly cells = new Map<number, Cell>();

  /** Whether somebody should look into this cell. */
  wants(cell: number, now: number): boolean {
    const known = this.cells.get(cell);
    return known === undefined || now - known.seenMs > STALE_MS;
  }

  /** A complete look begins: what is not seen again is forgotten. */
  begin(cell: number, now: number): void {
    this.cells.delete(cell);
    this.cells.set(cell, { things: new Map(), seenMs: now });
    // A map keeps its order: the first is the cell that was looked at longest ago.
    if (this.cells.size > CELLS) this.cells.delete(this.cells.keys().next().value!);
  }

  see(cell: number, id: number, kind: number, x: number, y: number, now: number): void {
    const known = this.cells.get(cell);
    if (known === undefined) {
      this.begin(cell, now);
      this.cells.get(cell)!.seenMs = Number.NEGATIVE_INFINITY; // one thing is not a complete look
      return this.see(cell, id, kind, x, y, now);
    }
    if (known.things.size < PER_CELL || known.things.has(id))
      known.things.set(id, { id, kind, x, y, restsUntil: 0 });
  }

  /** The nearest thing of a kind in the cell within a distance; it then rests for a while. */
  take(
    cell: number,
    kind: number,
    x: number,
    y: number,
    within: number,
    restMs: number,
    now: number,
  ): Thing | undefined {
    const best = this.nearest(cell, kind, x, y, within, now);
    if (best !== undefined) best.restsUntil = now + restMs;
    return best;
  }

  nearest(cell: number, kind: number, x: number, y: number, within: number, now: number): Thing | undefined {
    let best: Thing | undefined;
    let nearest = within;
    for (const thing of this.cells.get(cell)?.things.values() ?? []) {
      if (thing.kind !== kind || thing.restsUntil > now) continue;
      const distance = Math.hypot(dx(x, thing.x), thing.y - y);
      if (distance > nearest) continue;
      nearest = distance;
      best = thing;
    }
    return best;
  }
}
