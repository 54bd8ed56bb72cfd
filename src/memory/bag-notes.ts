/**
 * What each entity's bag should hold, by slot: kept beside the records by whoever owns them (shard/ledger.ts), so that an
 * entity takes its notes along when it changes hands. Plain accesses, published by the owner word like the record itself.
 *
 * ```
 *  64 B      slot 0              slot 1
 * ┌────────┬───────────────────┬──────────────┬─────
 * │ header │ kind 0 … 15       │              │  …      u32 each: a line of the cache
 * └────────┴───────────────────┴──────────────┴─────
 * ```
 * Not part of a tick's transaction: after the death of an owner its replacement takes the notes anew from the records as
 * they were committed. Who is in transit then was noted by a giver that had committed.
 */
import { LIMITS } from '../base/limits.js';
import { LINE, checkHeader, magicOf, writeHeader } from './header.js';

const MAGIC = magicOf('BMbn');

export class BagNotes {
  /** LIMITS.itemKinds words a slot. */
  readonly u32: Uint32Array;

  private constructor(readonly sab: SharedArrayBuffer) {
    checkHeader(sab, MAGIC, 'bag notes');
    this.u32 = new Uint32Array(sab, LINE);
  }

  /** @param slots places of the arena */
  static create(slots: number): BagNotes {
    const sab = new SharedArrayBuffer(LINE + slots * LIMITS.itemKinds * 4);
    writeHeader(new Int32Array(sab), MAGIC, [slots]);
    return new BagNotes(sab);
  }

  /** @throws AssertionError when the buffer does not hold bag notes of this version */
  static from(sab: SharedArrayBuffer): BagNotes {
    return new BagNotes(sab);
  }
}
