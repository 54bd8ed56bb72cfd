/**
 * What the store was told and has not made durable: the newest version of each entity, tiles, totals, journal lines.
 * Local to the store's thread. Reads look here before the engine, the newest set first: what is in the file may be old.
 */
import { LIMITS } from '../base/limits.js';
import type { TransferLine } from '../memory/store-ring.js';

/** The newest version of an entity, or its end. */
export interface Version {
  readonly epoch: number;
  /** Framed bytes; null = it is gone for ever. */
  readonly value: Uint8Array | null;
  /** Base tile where it stands; −1 for players, who are found by id alone. */
  readonly tile: number;
  /** −1: no player, 0: a guest, 1: of an account. */
  readonly player: number;
  /** Slot that is PARKED under this epoch, −1 = not parked. */
  readonly parkedSlot: number;
}

export interface Totals {
  readonly created: Float64Array;
  readonly consumed: Float64Array;
}

const JOURNAL_BYTES = 64;

export class Pending {
  readonly entities = new Map<number, Version>();
  readonly tiles = new Map<number, number>();
  /** Origins of natural content that was told for the first time, or is gone. */
  readonly touched = new Set<number>();
  readonly totals = new Map<number, Totals>();
  readonly journal: TransferLine[] = [];
  /** Of values and journal lines, about. */
  bytes = 0;

  /**
   * Keeps the version of the greatest owner epoch, of one epoch the later; an end is final.
   * @returns whether it was the newest
   */
  put(id: number, version: Version): boolean {
    const known = this.entities.get(id);
    if (known !== undefined) {
      if (known.value === null) return false;
      if (version.value !== null && version.epoch < known.epoch) return false;
      this.bytes -= known.value.length;
    }
    this.entities.set(id, version);
    this.bytes += version.value?.length ?? 0;
    return true;
  }

  setTotals(shard: number, created: Float64Array, consumed: Float64Array): void {
    this.totals.set(shard, { created, consumed });
  }

  addLine(line: TransferLine): void {
    this.journal.push(line);
    this.bytes += JOURNAL_BYTES;
  }

  get isEmpty(): boolean {
    return (
      this.entities.size + this.tiles.size + this.touched.size + this.totals.size + this.journal.length === 0
    );
  }
}

/** A copy of one shard's totals out of its ring. */
export function totalsAt(f64: Float64Array, at: number): Totals {
  const kinds = LIMITS.itemKinds;
  return { created: f64.slice(at, at + kinds), consumed: f64.slice(at + kinds, at + 2 * kinds) };
}
