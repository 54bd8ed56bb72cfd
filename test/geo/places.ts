/** What the geo tests share: exact arithmetic as the independent formulation, and places to try. */
import fc from 'fast-check';
import { HALF_WIDTH, QUARTER_WIDTH } from '../../src/geo/world.js';

/** Every float64 is an integer divided by 2^SCALE. */
const SCALE = 1074n;

/** The number times 2^1074, exactly. */
export function exact(value: number): bigint {
  const words = new DataView(new ArrayBuffer(8));
  words.setFloat64(0, value);
  const bits = words.getBigUint64(0);
  const biased = (bits >> 52n) & 0x7ffn;
  const fraction = bits & ((1n << 52n) - 1n);
  const mantissa = biased === 0n ? fraction : fraction | (1n << 52n);
  const size = mantissa << ((biased === 0n ? 1n : biased) - 1075n + SCALE);
  return value < 0 ? -size : size;
}

/** floor(a / b) for b > 0. */
export function floorDivide(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b < 0n ? q - 1n : q;
}

/** The neighbouring float64 in the direction of +∞ (up) or −∞. */
export function nextFloat(value: number, up: boolean): number {
  if (value === 0) return up ? Number.MIN_VALUE : -Number.MIN_VALUE;
  const words = new DataView(new ArrayBuffer(8));
  words.setFloat64(0, value);
  words.setBigInt64(0, words.getBigInt64(0) + (value > 0 === up ? 1n : -1n));
  return words.getFloat64(0);
}

/** Numbers of [low, high): spread evenly over the range, and of all magnitudes (half of them tiny). */
export function evenly(low: number, high: number): fc.Arbitrary<number> {
  const max = nextFloat(high, false);
  const even = fc
    .tuple(fc.nat(2 ** 30), fc.nat(2 ** 20 - 1))
    .map(([a, b]) => Math.min(max, low + (high - low) * ((a + b / 2 ** 20) / (2 ** 30 + 1))));
  return fc.oneof(
    { weight: 3, arbitrary: even },
    { weight: 1, arbitrary: fc.double({ min: low, max, noNaN: true }) },
  );
}

export const anyX = evenly(-HALF_WIDTH, HALF_WIDTH);
export const anyY = fc.oneof(
  { weight: 20, arbitrary: evenly(-QUARTER_WIDTH, QUARTER_WIDTH) },
  fc.constant(QUARTER_WIDTH),
);
