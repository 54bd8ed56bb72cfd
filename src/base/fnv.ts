/**
 * FNV-1a, 32 bits, over decided actions: owner and client each fold what was decided into one number, and equal
 * numbers say that nothing was lost, doubled, reordered or changed on the way.
 * Source: draft-eastlake-fnv, "The FNV Non-Cryptographic Hash Algorithm".
 */

export const FNV_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** Folds bytes[offset, offset + length) into the hash. Returns a u32. */
export function fnvBytes(hash: number, bytes: Uint8Array, offset: number, length: number): number {
  let h = hash | 0;
  for (let i = offset, end = offset + length; i < end; i++) h = Math.imul(h ^ bytes[i], PRIME);
  return h >>> 0;
}

/**
 * Folds one decided action into the hash: id u32 LE, kind u16 LE, payload bytes, outcome u16 LE.
 * The hash of no action is FNV_BASIS. Returns a u32; allocates nothing.
 */
export function fnvAction(
  hash: number,
  id: number,
  kind: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  outcome: number,
): number {
  let h = hash | 0;
  h = Math.imul(h ^ (id & 0xff), PRIME);
  h = Math.imul(h ^ ((id >>> 8) & 0xff), PRIME);
  h = Math.imul(h ^ ((id >>> 16) & 0xff), PRIME);
  h = Math.imul(h ^ (id >>> 24), PRIME);
  h = Math.imul(h ^ (kind & 0xff), PRIME);
  h = Math.imul(h ^ ((kind >>> 8) & 0xff), PRIME);
  h = fnvBytes(h, bytes, offset, length) | 0;
  h = Math.imul(h ^ (outcome & 0xff), PRIME);
  h = Math.imul(h ^ ((outcome >>> 8) & 0xff), PRIME);
  return h >>> 0;
}
