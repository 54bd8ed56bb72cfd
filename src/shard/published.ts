/**
 * What this shard last told the world of each slot, and which removals are due. Local to the thread, by slot.
 *
 * Absence in a frame means nothing, so whoever leaves a cell is removed explicitly: "to cell c′" or "gone". A handover
 * removes nobody: the adopter's first frame shows the entity in full under a higher epoch. But each owner answers for
 * the cells that were left while it had the entity, from the one where it got it to the one where it gave it away.
 */
import { cellNumber } from '../geo/cell.js';
import { HOT } from '../memory/record.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import type { Core } from './core.js';

/** No stream has shown the slot. */
export const NOWHERE = -1;
/** `to` of a removal: the entity is in no cell any more. */
export const GONE_CELL = -1;

export class Published {
  /** Cell in whose stream the slot was last shown. */
  readonly cell: Float64Array;
  /** Quantised state as last shown: position, velocity, kind and flags, public columns. `fresh` = 0: must be shown. */
  readonly position: Uint32Array;
  readonly velocity: Int32Array;
  readonly kind: Uint32Array;
  readonly pub0: Uint32Array;
  readonly pub1: Uint32Array;
  readonly fresh: Uint8Array;

  /** Removals due at the next frame: from, who, whereto. */
  removals = 0;
  readonly removalCell: Float64Array;
  readonly removalId: Float64Array;
  readonly removalEpoch: Uint32Array;
  readonly removalTo: Float64Array;
  readonly removalNext: Int32Array;

  constructor(private readonly core: Core) {
    const n = core.arena.capacity;
    this.cell = new Float64Array(n).fill(NOWHERE);
    this.position = new Uint32Array(n);
    this.velocity = new Int32Array(n);
    this.kind = new Uint32Array(n);
    this.pub0 = new Uint32Array(n);
    this.pub1 = new Uint32Array(n);
    this.fresh = new Uint8Array(n);
    this.removalCell = new Float64Array(n);
    this.removalId = new Float64Array(n);
    this.removalEpoch = new Uint32Array(n);
    this.removalTo = new Float64Array(n);
    this.removalNext = new Int32Array(n);
  }

  /**
   * The slot came here: somebody else may have shown it last, in the cell in which it stands (see `leaves`). So it has to
   * be shown, and if it moves on or is gone before that, to be removed from there.
   */
  arrived(slot: number): void {
    this.cell[slot] = this.cellOf(slot);
    this.fresh[slot] = 0;
  }

  /** The slot is about to be handed over. Its next owner takes it for shown in the cell in which it stands. */
  leaves(slot: number): void {
    const cell = this.cellOf(slot);
    if (this.cell[slot] !== cell) this.moved(slot, cell);
  }

  private cellOf(slot: number): number {
    const { arena } = this.core;
    const hot = arena.hot(slot);
    return cellNumber(arena.f64[(hot + HOT.x) >> 3]!, arena.f64[(hot + HOT.y) >> 3]!);
  }

  /** The slot was last shown in `cell` and now stands in `to` (GONE_CELL: in none). */
  moved(slot: number, to: number): void {
    const cell = this.cell[slot]!;
    this.cell[slot] = to;
    this.fresh[slot] = 0;
    if (cell === NOWHERE) return;
    if (this.removals === this.removalCell.length) {
      this.core.block.count(SHARD_COUNTER.eventsDropped);
      return;
    }
    const i = this.removals++;
    this.removalCell[i] = cell;
    this.removalId[i] = this.core.id(slot);
    this.removalEpoch[i] = this.core.epoch(slot);
    this.removalTo[i] = to;
  }

  /** The slot leaves the world or the sight of everyone. Call while its record is still its own. */
  gone(slot: number): void {
    this.moved(slot, GONE_CELL);
  }
}
