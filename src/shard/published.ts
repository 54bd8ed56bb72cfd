/**
 * What this shard last told the world of each slot, and which removals are due. Local to the thread, by slot.
 *
 * Absence in a frame means nothing, so whoever leaves a cell is removed explicitly: "to cell c′" or "gone". A handover
 * removes nobody: the adopter's first frame shows the entity in full under a higher epoch. But each owner answers for
 * the cells that were left while it had the entity, from the one where it got it to the one where it gave it away.
 */
import { cellNumber } from '../geo/cell.js';
import { SQUARE_DEPTH } from '../geo/square.js';
import { HOT } from '../memory/record.js';
import { ROW, type ViewWriter } from '../memory/view.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import type { Core } from './core.js';

/** No stream has shown the slot. */
export const NOWHERE = -1;
/** `to` of a removal: the entity is in no cell any more. */
export const GONE_CELL = -1;
/** Leaf of a slot in a cell that is not cut. */
export const UNKNOWN = 255;
/** Depths of squares: the cell, and its parts. */
export const DEPTHS = SQUARE_DEPTH + 1;

export class Published {
  /** Cell in whose stream the slot was last shown. */
  readonly cell: Float64Array;
  /** Leaf of the cell in which it was seen then; UNKNOWN where the cell was not cut. */
  readonly leaf: Uint8Array;
  /** Id and owner epoch when it was seen last. */
  readonly id: Float64Array;
  readonly epoch: Uint32Array;
  /** Tick of the frame in which its state was last another than before. */
  readonly changedTick: Int32Array;
  /**
   * Four a slot, by depth of a square: since this tick it has to be shown in full, since more than its place has changed,
   * or it came into its square of that depth then.
   */
  readonly fullTick: Int32Array;
  /** Quantised state as last seen: position, velocity, kind and flags, public columns. `fresh` = 0: all is new. */
  readonly position: Int32Array;
  readonly velocity: Int32Array;
  readonly kind: Int32Array;
  readonly pub0: Int32Array;
  readonly pub1: Int32Array;
  readonly fresh: Uint8Array;
  /** Place and velocity as they stood in the view then, and whether a view since showed others. */
  private readonly place: Float64Array;
  private readonly speed: Float32Array;
  private readonly strayed: Uint8Array;

  /** Cell in which the slot stood in the last tick. */
  private readonly standing: Float64Array;

  /** Removals due at the next frame: from, who, whereto. */
  removals = 0;
  readonly removalCell: Float64Array;
  readonly removalId: Float64Array;
  readonly removalEpoch: Uint32Array;
  readonly removalTo: Float64Array;
  /** Leaf that it left, or UNKNOWN. */
  readonly removalLeaf: Uint8Array;
  private readonly scratch = new Float64Array(1);

  constructor(private readonly core: Core) {
    const n = core.arena.capacity;
    this.cell = new Float64Array(n).fill(NOWHERE);
    this.position = new Int32Array(n);
    this.velocity = new Int32Array(n);
    this.kind = new Int32Array(n);
    this.pub0 = new Int32Array(n);
    this.pub1 = new Int32Array(n);
    this.fresh = new Uint8Array(n);
    this.place = new Float64Array(2 * n);
    this.speed = new Float32Array(2 * n);
    this.strayed = new Uint8Array(n);
    this.standing = new Float64Array(n);
    this.removalCell = new Float64Array(n);
    this.removalId = new Float64Array(n);
    this.removalEpoch = new Uint32Array(n);
    this.removalTo = new Float64Array(n);
    this.removalLeaf = new Uint8Array(n);
    this.leaf = new Uint8Array(n).fill(UNKNOWN);
    this.id = new Float64Array(n);
    this.epoch = new Uint32Array(n);
    this.changedTick = new Int32Array(n);
    this.fullTick = new Int32Array(n * DEPTHS);
  }

  /** Compares a slot with what was seen of it in the last frame. */
  see(
    slot: number,
    leaf: number,
    position: number,
    velocity: number,
    kind: number,
    p0: number,
    p1: number,
  ): void {
    const { tick } = this.core;
    const isBack = this.position[slot] === position && this.velocity[slot] === velocity;
    const isNew = this.fresh[slot] === 0 || (isBack && this.strayed[slot] === 1);
    this.strayed[slot] = 0;
    if (isNew || this.kind[slot] !== kind || this.pub0[slot] !== p0 || this.pub1[slot] !== p1) {
      this.fresh[slot] = 1;
      this.kind[slot] = kind;
      this.pub0[slot] = p0;
      this.pub1[slot] = p1;
      this.fullTick.fill(tick, slot * DEPTHS, (slot + 1) * DEPTHS);
    } else if (isBack) {
      if (this.leaf[slot] !== leaf) this.enter(slot, leaf);
      return;
    }
    this.changedTick[slot] = tick;
    this.position[slot] = position;
    this.velocity[slot] = velocity;
    if (this.leaf[slot] !== leaf) this.enter(slot, leaf);
  }

  /** Where and how fast it was in the frame that is being made, from its row. */
  keep(slot: number, view: ViewWriter, byte: number): void {
    this.place[2 * slot] = view.f64[(byte + ROW.x) >> 3]!;
    this.place[2 * slot + 1] = view.f64[(byte + ROW.y) >> 3]!;
    this.speed[2 * slot] = view.f32[(byte + ROW.vx) >> 2]!;
    this.speed[2 * slot + 1] = view.f32[(byte + ROW.vy) >> 2]!;
  }

  /**
   * A row of a view between two frames. Somebody may be shown it (a key frame is taken from any view), so whatever it has
   * else than the last frame has to be told with the next one, be it by then what it was before.
   * @param leaf UNKNOWN where the cell is not cut
   */
  glimpse(slot: number, leaf: number, view: ViewWriter, byte: number): void {
    const w = byte >> 2;
    const kind = (view.u16[(byte + ROW.kind) >> 1]! << 16) | view.u16[(byte + ROW.flags) >> 1]!;
    const isOther =
      this.kind[slot] !== kind ||
      this.pub0[slot] !== view.i32[w + (ROW.pub0 >> 2)] ||
      this.pub1[slot] !== view.i32[w + (ROW.pub1 >> 2)] ||
      (leaf !== UNKNOWN && this.leaf[slot] !== leaf);
    if (isOther) this.fresh[slot] = 0;
    if (
      this.place[2 * slot] !== view.f64[(byte + ROW.x) >> 3] ||
      this.place[2 * slot + 1] !== view.f64[(byte + ROW.y) >> 3] ||
      this.speed[2 * slot] !== view.f32[(byte + ROW.vx) >> 2] ||
      this.speed[2 * slot + 1] !== view.f32[(byte + ROW.vy) >> 2]
    )
      this.strayed[slot] = 1;
  }

  /** A view between two frames does not show it: a key frame that is taken from it lacks it. */
  unseen(slot: number): void {
    this.fresh[slot] = 0;
  }

  /** In which cell the slot stands in this tick; in an array, since a double passed by itself is allocated. Who changes it has to be shown in full, be it back by the next frame. */
  standsIn(slot: number, cell: Float64Array): void {
    if (this.standing[slot] === cell[0]) return;
    this.standing[slot] = cell[0]!;
    this.fresh[slot] = 0;
  }

  /** The slot is in another leaf now; the squares that hold both know it already. */
  private enter(slot: number, leaf: number): void {
    const before = this.leaf[slot]!;
    this.leaf[slot] = leaf;
    for (let depth = 1; depth < DEPTHS; depth++) {
      const shift = 2 * (SQUARE_DEPTH - depth);
      if (before === UNKNOWN || before >> shift !== leaf >> shift)
        this.fullTick[slot * DEPTHS + depth] = this.core.tick;
    }
  }

  /**
   * The slot came here: somebody else may have shown it last, in the cell in which it stands (see `leaves`). So it has to
   * be shown, and if it moves on or is gone before that, to be removed from there.
   */
  arrived(slot: number): void {
    this.cell[slot] = this.cellOf(slot);
    this.leaf[slot] = UNKNOWN;
    this.fresh[slot] = 0;
  }

  /** The slot is about to be handed over. Its next owner takes it for shown in the cell in which it stands. */
  leaves(slot: number): void {
    const cell = this.cellOf(slot);
    if (this.cell[slot] === cell) return;
    this.scratch[0] = cell;
    this.moved(slot, this.scratch, 0);
  }

  private cellOf(slot: number): number {
    const { arena } = this.core;
    const hot = arena.hot(slot);
    return cellNumber(arena.f64[(hot + HOT.x) >> 3]!, arena.f64[(hot + HOT.y) >> 3]!);
  }

  /** The slot was last shown in `cell` and now stands in the one at a place of an array (GONE_CELL: in none). */
  moved(slot: number, tos: Float64Array, at: number): void {
    const to = tos[at]!;
    const cell = this.cell[slot]!;
    const leaf = this.leaf[slot]!;
    this.cell[slot] = to;
    this.leaf[slot] = UNKNOWN;
    this.fresh[slot] = 0;
    if (cell === NOWHERE) return;
    if (this.removals === this.removalCell.length) {
      this.core.block.count(SHARD_COUNTER.eventsDropped);
      return;
    }
    const i = this.removals++;
    this.removalCell[i] = cell;
    this.removalId[i] = this.core.arena.f64[this.core.idAt(slot)]!;
    this.removalEpoch[i] = this.core.epoch(slot);
    this.removalTo[i] = to;
    this.removalLeaf[i] = leaf;
  }

  /** The slot leaves the world or the sight of everyone. Call while its record is still its own. */
  gone(slot: number): void {
    this.scratch[0] = GONE_CELL;
    this.moved(slot, this.scratch, 0);
  }
}
