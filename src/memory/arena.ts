/**
 * The records of all entities: the thread named by a slot's owner word alone reads and writes its header, hot and cold
 * state, with plain accesses; owner words are changed by anybody, with compare-and-swap only. Nothing here blocks.
 *
 * ```
 *  64 B      4 B × n (to 64)   256 B × n                 192 B × n   960 B × n   960 B × n
 * ┌────────┬─────────────────┬─────────────────────────┬───────────┬───────────┬───────────┐
 * │ header │ owner words     │ slot header + hot state │ hot undo  │ cold      │ cold undo │
 * └────────┴─────────────────┴─────────────────────────┴───────────┴───────────┴───────────┘
 * ```
 * Publication: the CAS that gives a slot away is a release of all plain writes before it, the CAS that takes it is the
 * matching acquire; a plain access outside the two reads or writes somebody else's record.
 * A death leaves records half written: undo.ts restores them; and owner words that name the dead: slots.ts frees or
 * completes RESERVED ones, the handover's recovery the others.
 */
import { assert } from '../base/assert.js';
import { LINE, PARAMETERS, checkHeader, magicOf, roundUp, writeHeader } from './header.js';
import { COLD_BYTES, HEADER_BYTES, HOT_BYTES } from './record.js';

const MAGIC = magicOf('BMar');
export const SLOT_BYTES = HEADER_BYTES + HOT_BYTES;

export class Arena {
  readonly capacity: number;
  /** Owner words; Atomics only: a plain look may save an atomic one, never stand for it. */
  readonly owner: Int32Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  private readonly hotStart: number;
  private readonly hotUndoStart: number;
  private readonly coldStart: number;
  private readonly coldUndoStart: number;

  private constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'arena');
    this.u32 = new Uint32Array(sab);
    this.f32 = new Float32Array(sab);
    this.f64 = new Float64Array(sab);
    this.u8 = new Uint8Array(sab);
    this.u16 = new Uint16Array(sab);
    this.capacity = this.i32[PARAMETERS];
    this.owner = new Int32Array(sab, LINE, this.capacity);
    this.hotStart = LINE + roundUp(this.capacity * 4, LINE);
    this.hotUndoStart = this.hotStart + this.capacity * SLOT_BYTES;
    this.coldStart = this.hotUndoStart + this.capacity * HOT_BYTES;
    this.coldUndoStart = this.coldStart + this.capacity * COLD_BYTES;
    assert(
      sab.byteLength === this.coldUndoStart + this.capacity * COLD_BYTES,
      'arena: length fits its capacity',
    );
  }

  /** @param capacity slots; all byte offsets must stay below 2^31 */
  static create(capacity: number): Arena {
    const bytes = LINE + roundUp(capacity * 4, LINE) + capacity * (SLOT_BYTES + HOT_BYTES + 2 * COLD_BYTES);
    assert(Number.isInteger(capacity) && capacity > 0 && bytes < 2 ** 31, 'arena: offsets are Int32');
    const sab = new SharedArrayBuffer(bytes);
    writeHeader(new Int32Array(sab), MAGIC, [capacity]);
    return new Arena(sab);
  }

  /** @throws AssertionError when the buffer is not an arena of this version */
  static from(sab: SharedArrayBuffer): Arena {
    return new Arena(sab);
  }

  /** Byte offset of the slot header (HEADER.*); the hot state begins 64 bytes later. */
  hotByte(slot: number): number {
    return this.hotStart + slot * SLOT_BYTES;
  }
  /** The same by its other name. */
  header(slot: number): number {
    return this.hotStart + slot * SLOT_BYTES;
  }
  /** Byte offset of the hot state (HOT.*). */
  hot(slot: number): number {
    return this.hotStart + slot * SLOT_BYTES + HEADER_BYTES;
  }
  /** Byte offset of the undo copy of the hot state. */
  hotUndo(slot: number): number {
    return this.hotUndoStart + slot * HOT_BYTES;
  }
  /** Byte offset of the cold state (COLD.*). */
  cold(slot: number): number {
    return this.coldStart + slot * COLD_BYTES;
  }
  /** Byte offset of the undo copy of the cold state. */
  coldUndo(slot: number): number {
    return this.coldUndoStart + slot * COLD_BYTES;
  }
}
