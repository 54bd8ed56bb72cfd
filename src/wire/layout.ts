/**
 * The parts of a message that every allocation-free writer shares: root and ServerMessage, vtables, and the views over
 * foreign memory. All offsets count from the first byte of the message, which is a multiple of 8 in memory that
 * somebody maps; a DataView does not mind if it is not.
 *
 *   0 root → 12 | 4 vtable | 12 table: 12 −vtable, 16 → body, 20 type, 3 unused | 24 the body's vtable …
 */
import { assert } from '../base/assert.js';

/** First byte after the ServerMessage. */
export const BODY_VTABLE = 24;

/** Writes the ServerMessage at `at`. @param body byte of the body's table, from the start of the message */
export function writeServerMessage(view: DataView, at: number, type: number, body: number): void {
  view.setUint32(at, 12, true);
  writeVtable(view, at + 4, SERVER_MESSAGE_VTABLE);
  view.setInt32(at + 12, 8, true);
  view.setUint32(at + 16, body - 16, true);
  view.setUint32(at + 20, type, true);
}

/** bytes of the vtable, bytes of the table, then the place of each field in the table: body_type, body */
const SERVER_MESSAGE_VTABLE = vtable(12, [8, 4]);

/** @param size bytes of the table @param fields place of each field in the table by slot, 0 = absent */
export function vtable(size: number, fields: readonly number[]): Uint16Array {
  return Uint16Array.from([4 + fields.length * 2, size, ...fields]);
}

export function writeVtable(view: DataView, at: number, words: Uint16Array): void {
  for (let i = 0; i < words.length; i++) view.setUint16(at + i * 2, words[i], true);
}

const MOST_TARGETS = 64;

/** Remembers a DataView for each array that was written to, so that writing to a few rings in turn allocates nothing. */
export class Targets {
  private readonly arrays: Uint8Array[] = [];
  private readonly views: DataView[] = [];
  private last = 0;

  /** @returns a view over the same bytes: byte 0 of both is the same */
  view(array: Uint8Array): DataView {
    if (this.arrays[this.last] === array) return this.views[this.last];
    let place = this.arrays.indexOf(array);
    if (place < 0) {
      if (this.arrays.length === MOST_TARGETS) this.arrays.length = this.views.length = 0;
      place = this.arrays.push(array) - 1;
      this.views.push(new DataView(array.buffer, array.byteOffset, array.byteLength));
    }
    this.last = place;
    return this.views[place];
  }
}

/** The typed arrays of the writers and of shared memory are little-endian, as messages are. */
export function assertLittleEndian(): void {
  assert(new Uint8Array(Uint16Array.of(1).buffer)[0] === 1, 'I11 the machine is little-endian');
}
