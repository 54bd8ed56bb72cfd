/**
 * Times of the steps of a handover, by slot: written by the source while it owns the entity or holds its lock, read by
 * the target after it has accepted. They travel beside the record, not in it: statistics, undone by nobody.
 *
 * ```
 *  64 B       slot 0                    slot 1
 * ┌────────┬───────────────────────────┬──────────────┬─────
 * │ header │ decided locked pushed from│              │  …      f64 each, clock ms
 * └────────┴───────────────────────────┴──────────────┴─────
 * ```
 * Order comes from the handover itself: stamps, then the ring's tail; the tail, then the stamps. A slot taken back after
 * a refusal or a death is stamped anew at its next offer; a reader never sees half of one, at most an older one.
 */
import { LINE, checkHeader, magicOf, writeHeader } from './header.js';

const MAGIC = magicOf('BMts');
const FIRST = LINE >> 3;
const WORDS = 4;

export class TransitStamps {
  private readonly f64: Float64Array;

  private constructor(readonly sab: SharedArrayBuffer) {
    checkHeader(sab, MAGIC, 'transit stamps');
    this.f64 = new Float64Array(sab);
  }

  /** @param slots places of the arena */
  static create(slots: number): TransitStamps {
    const sab = new SharedArrayBuffer((FIRST + slots * WORDS) * 8);
    writeHeader(new Int32Array(sab), MAGIC, [slots]);
    return new TransitStamps(sab);
  }

  /** @throws AssertionError when the buffer does not hold transit stamps of this version */
  static from(sab: SharedArrayBuffer): TransitStamps {
    return new TransitStamps(sab);
  }

  /** Source, before the lock. */
  decided(slot: number, shard: number, ms: number): void {
    const at = FIRST + slot * WORDS;
    this.f64[at] = ms;
    this.f64[at + 3] = shard;
  }
  /** Source, between the lock and the push. */
  locked(slot: number, ms: number): void {
    this.f64[FIRST + slot * WORDS + 1] = ms;
  }

  /** Source, before it shows the ring's entry. */
  pushed(slot: number, ms: number): void {
    this.f64[FIRST + slot * WORDS + 2] = ms;
  }

  /** Target, after it has accepted. */
  decidedAt(slot: number): number {
    return this.f64[FIRST + slot * WORDS];
  }
  lockedAt(slot: number): number {
    return this.f64[FIRST + slot * WORDS + 1];
  }
  pushedAt(slot: number): number {
    return this.f64[FIRST + slot * WORDS + 2];
  }
  /** Shard that the slot came from. */
  from(slot: number): number {
    return this.f64[FIRST + slot * WORDS + 3];
  }
}
