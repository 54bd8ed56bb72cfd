/**
 * A histogram of milliseconds that merges over processes: buckets of 1/16 of a power of two (an error of 6 % at most)
 * from 1/64 ms to about 9 hours; smaller values fall into the first bucket, greater ones into the last. The maximum is exact. Single thread.
 */
const STEPS = 16;
const LOWEST_POWER = -6;
const POWERS = 32;
export const HISTOGRAM_BUCKETS = POWERS * STEPS;

export interface Quantiles {
  p50: number;
  p99: number;
  max: number;
}

export class Histogram {
  readonly buckets = new Float64Array(HISTOGRAM_BUCKETS);
  count = 0;
  max = 0;

  record(ms: number): void {
    this.buckets[bucketOf(ms)]!++;
    this.count++;
    if (ms > this.max) this.max = ms;
  }

  /** Upper bound of the bucket that holds the quantile, never above the maximum; 0 without values, and for the first. */
  quantile(q: number): number {
    if (this.count === 0) return 0;
    let left = Math.ceil(q * this.count);
    for (let i = 0; i < HISTOGRAM_BUCKETS; i++) {
      left -= this.buckets[i]!;
      if (left <= 0) return i === 0 ? 0 : Math.min(upperBound(i), this.max);
    }
    return this.max;
  }

  add(other: { buckets: Float64Array; count: number; max: number }): void {
    for (let i = 0; i < HISTOGRAM_BUCKETS; i++) this.buckets[i]! += other.buckets[i]!;
    this.count += other.count;
    this.max = Math.max(this.max, other.max);
  }

  summary(): Quantiles {
    return { p50: rounded(this.quantile(0.5)), p99: rounded(this.quantile(0.99)), max: rounded(this.max) };
  }
}

function bucketOf(ms: number): number {
  if (!(ms > 2 ** LOWEST_POWER)) return 0;
  const power = Math.floor(Math.log2(ms));
  const step = Math.floor((ms / 2 ** power - 1) * STEPS);
  return Math.min((power - LOWEST_POWER) * STEPS + step, HISTOGRAM_BUCKETS - 1);
}

function upperBound(bucket: number): number {
  const power = Math.floor(bucket / STEPS) + LOWEST_POWER;
  return 2 ** power * (1 + ((bucket % STEPS) + 1) / STEPS);
}

/** Two digits after the point are all that a reader can use. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
