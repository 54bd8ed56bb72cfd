/**
 * Little-endian reads out of verified bytes without DataView, BigInt or allocation, and the check of UTF-8. The callers
 * have made sure that what they read lies inside; nothing here throws.
 */

/** Halves of a u64: lo + hi × TWO_32. */
export const TWO_32 = 4294967296;

export function u16(b: Uint8Array, at: number): number {
  return b[at] | (b[at + 1] << 8);
}

export function i16(b: Uint8Array, at: number): number {
  return ((b[at] | (b[at + 1] << 8)) << 16) >> 16;
}

export function i32(b: Uint8Array, at: number): number {
  return b[at] | (b[at + 1] << 8) | (b[at + 2] << 16) | (b[at + 3] << 24);
}

export function u32(b: Uint8Array, at: number): number {
  return i32(b, at) >>> 0;
}

/** Exact below 2^53, rounded (so never below 2^53) above. */
export function u64(b: Uint8Array, at: number): number {
  return u32(b, at) + u32(b, at + 4) * TWO_32;
}

const scratch = new ArrayBuffer(8);
const words = new Int32Array(scratch);
const floats = new Float32Array(scratch);
const doubles = new Float64Array(scratch);

export function f32(b: Uint8Array, at: number): number {
  words[0] = i32(b, at);
  return floats[0];
}

export function f64(b: Uint8Array, at: number): number {
  words[0] = i32(b, at);
  words[1] = i32(b, at + 4);
  return doubles[0];
}

/** Byte of the field whose vtable entry is `entry` (4 + 2 × slot) in the verified table at `table`; 0 = absent. */
export function fieldAt(b: Uint8Array, table: number, entry: number): number {
  const vtable = table - i32(b, table);
  if (entry >= u16(b, vtable)) return 0;
  const inside = u16(b, vtable + entry);
  return inside === 0 ? 0 : table + inside;
}

/** Follows the offset at `at`. */
export function follow(b: Uint8Array, at: number): number {
  return at + i32(b, at);
}

const decoder = new TextDecoder('utf-8', { fatal: false });

/** A string or vector of bytes at `at` (its length word) as text; allocates. */
export function text(b: Uint8Array, at: number): string {
  // slice and not subarray: browsers do not decode shared memory
  return decoder.decode(b.slice(at + 4, at + 4 + i32(b, at)));
}

/**
 * Whether bytes from … end − 1 are UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629 §4).
 */
export function isUtf8(b: Uint8Array, from: number, end: number): boolean {
  let at = from;
  while (at < end) {
    const first = b[at++];
    if (first < 0x80) continue;
    // lowest and highest allowed second byte
    let low = 0x80;
    let high = 0xbf;
    let more = 1;
    if (first >= 0xc2 && first <= 0xdf) more = 1;
    else if (first >= 0xe0 && first <= 0xef) {
      more = 2;
      if (first === 0xe0) low = 0xa0;
      if (first === 0xed) high = 0x9f;
    } else if (first >= 0xf0 && first <= 0xf4) {
      more = 3;
      if (first === 0xf0) low = 0x90;
      if (first === 0xf4) high = 0x8f;
    } else return false;
    if (at + more > end || b[at] < low || b[at] > high) return false;
    for (let i = 1; i < more; i++) if ((b[at + i] & 0xc0) !== 0x80) return false;
    at += more;
  }
  return true;
}
