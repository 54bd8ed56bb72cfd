/**
 * The frame around every stored table: format version and checksum in front, FlatBuffers behind. Contract: `unframe`
 * never throws; what it returns has passed the checksum and the verifier of the schema, so that generated readers may
 * read it.
 *
 * ```
 *  0         2         4            8
 * ┌─────────┬─────────┬────────────┬──────────────────────────────┐
 * │ version │ 0       │ CRC-32     │ Stored (schemas/store.fbs)   │   CRC over everything behind it, and the version
 * └─────────┴─────────┴────────────┴──────────────────────────────┘
 * ```
 */
import { crc32 } from 'node:zlib';
import { FAULT_TEXT } from '../base/fault.js';
import { Verifier } from '../base/verifier.js';
import { STORE_SCHEMA } from './generated/schema.js';

/**
 * Raised by what the rules of schemas/store.fbs cannot carry. A reader refuses versions above its own. 2: natural content
 * that nobody has touched is not stored; version 1 would make what is stored a second time.
 */
export const FORMAT_VERSION = 2;

const HEAD = 8;
/** Longest stored table: an entity with everything in it is about 3 KiB, the names of a game a few hundred. */
const MAX_BYTES = 2 ** 18;

const verifier = new Verifier(STORE_SCHEMA, { maxBytes: MAX_BYTES, maxTables: 4096, maxDepth: 3 });

/** @param version only for tests of other versions */
export function frame(table: Uint8Array, version: number = FORMAT_VERSION): Uint8Array {
  const bytes = new Uint8Array(HEAD + table.length);
  bytes[0] = version & 0xff;
  bytes[1] = version >> 8;
  bytes.set(table, HEAD);
  const sum = checksum(bytes);
  for (let i = 0; i < 4; i++) bytes[4 + i] = (sum >>> (8 * i)) & 0xff;
  return bytes;
}

/** @returns the table, or a sentence that says what is wrong with the bytes */
export function unframe(bytes: Uint8Array): Uint8Array | string {
  if (bytes.length < HEAD + 8) return 'it is too short';
  const sum = (bytes[4] | (bytes[5] << 8) | (bytes[6] << 16) | (bytes[7] << 24)) >>> 0;
  if (sum !== checksum(bytes)) return 'its checksum is wrong';
  const version = bytes[0] | (bytes[1] << 8);
  if (version > FORMAT_VERSION) return `its format ${version} is newer than this server's ${FORMAT_VERSION}`;
  // A copy, so that the table begins where its alignment is right, and outlives the engine's page.
  const table = bytes.slice(HEAD);
  const fault = verifier.verify(table);
  return fault === 0 ? table : `it is no table of the schema: ${FAULT_TEXT[fault]}`;
}

function checksum(bytes: Uint8Array): number {
  return crc32(bytes.subarray(HEAD), crc32(bytes.subarray(0, 4)));
}

/** Small values that are no tables: CRC-32 in front. */
export function seal(value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + value.length);
  bytes.set(value, 4);
  const sum = crc32(value);
  for (let i = 0; i < 4; i++) bytes[i] = (sum >>> (8 * i)) & 0xff;
  return bytes;
}

/** @returns the value, or null when its checksum is wrong */
export function unseal(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length < 4) return null;
  const value = bytes.slice(4);
  const sum = (bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24)) >>> 0;
  return sum === crc32(value) ? value : null;
}

/** Numbers as sealed little-endian doubles: ids, ticks and sums alike. */
export function sealNumbers(values: ArrayLike<number>): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 8));
  for (let i = 0; i < values.length; i++) view.setFloat64(i * 8, values[i], true);
  return seal(new Uint8Array(view.buffer));
}

/** @returns null when the checksum is wrong */
export function unsealNumbers(bytes: Uint8Array): number[] | null {
  const value = unseal(bytes);
  if (value === null || value.length % 8 !== 0) return null;
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  return Array.from({ length: value.length / 8 }, (_, i) => view.getFloat64(i * 8, true));
}
