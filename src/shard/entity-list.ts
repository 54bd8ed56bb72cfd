/**
 * The slots that one shard owns, in no order: O(1) add, remove and membership. Local to the shard's thread: a
 * replacement rebuilds it from the owner words.
 */
import { assert } from '../base/assert.js';

export class EntityList {
  readonly slots: Int32Array;
  count = 0;
  private readonly place: Int32Array;

  /** @param capacity slots of the arena */
  constructor(capacity: number) {
    this.slots = new Int32Array(capacity);
    this.place = new Int32Array(capacity).fill(-1);
  }

  has(slot: number): boolean {
    return this.place[slot]! >= 0;
  }

  add(slot: number): void {
    assert(this.place[slot]! < 0, 'I1: a slot is adopted once by its shard');
    this.place[slot] = this.count;
    this.slots[this.count++] = slot;
  }

  /** Removes a slot; the last one takes its place. */
  remove(slot: number): void {
    const at = this.place[slot]!;
    assert(at >= 0, 'I1: only an owned slot can be let go');
    const last = this.slots[--this.count]!;
    this.slots[at] = last;
    this.place[last] = at;
    this.place[slot] = -1;
  }
}
