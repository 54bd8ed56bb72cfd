/** The one source of randomness: seeded, deterministic, the same on every machine. Not for secrets. */

export interface Random {
  /** Uniform in [0, 1), 32 bits of resolution. */
  next(): number;
  /** Uniform integer in [0, n), n an integer in 1…2^32; bias below n / 2^32. */
  int(n: number): number;
  /** Uniform integer in [0, 2^32). */
  u32(): number;
}

/** Finalizer with full avalanche: lowbias32, Chris Wellons, https://nullprogram.com/blog/2018/07/31/ */
function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return h ^ (h >>> 16);
}

const GOLDEN = 0x9e3779b9; // 2^32 / φ: the step of splitmix

/** u32 that depends on both numbers (taken modulo 2^32) and on their order; equal inputs give equal outputs. */
export function hash2(a: number, b: number): number {
  return mix32(mix32((a + GOLDEN) | 0) + Math.imul(b | 0, 0x85ebca6b) + GOLDEN) >>> 0;
}

/**
 * sfc32 (Chris Doty-Humphrey, PractRand: 128 bits of state, period at least 2^32, passes its tests), its state
 * filled by a splitmix32 sequence of the seed as its author asks, the first 12 outputs dropped.
 */
export function seededRandom(seed: number): Random {
  let a = mix32(seed + GOLDEN);
  let b = mix32(seed + 2 * GOLDEN);
  let c = mix32(seed + 3 * GOLDEN);
  let counter = 1;
  const u32 = () => {
    const out = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + out) | 0;
    return out >>> 0;
  };
  for (let i = 0; i < 12; i++) u32();
  const next = () => u32() / 4294967296;
  return { u32, next, int: (n) => Math.floor(next() * n) };
}
