/**
 * A histogram of durations in shared memory: recorded by one thread, copied by any other at any time, nobody waits.
 * Statistics, not protocol: plain accesses; a copy may miss the newest records.
 *
 * ```
 *   ms        ms        words        16 per octave of microseconds, width at most 1/16 of the value
 * ┌─────────┬─────────┬───────────────────────┬───────────────────┬─────┬───────────────────┐
 * │ max f64 │ sum f64 │ 0 1 2 … 31 µs, exact  │ 32 … 63 µs by 2   │  …  │ … 4.5 min by 2^23 │
 * └─────────┴─────────┴───────────────────────┴───────────────────┴─────┴───────────────────┘
 * ```
 * The death of the recorder loses at most the record in its hands; its replacement goes on counting.
 * Bucketing after HdrHistogram (log-linear, Gil Tene).
 */
const EXACT = 32;
const PER_OCTAVE = 16;
const FIRST_OCTAVE = 5;
const LAST_OCTAVE = 27;

/** Buckets of every histogram. */
export const BUCKETS = EXACT + (LAST_OCTAVE - FIRST_OCTAVE + 1) * PER_OCTAVE;
/** Bytes that a histogram takes in its structure. */
export const HISTOGRAM_BYTES = 16 + BUCKETS * 4;

/** Bucket of a duration in ms; negative or NaN counts as 0, beyond 2^28 µs as the last. */
export function bucketOf(ms: number): number {
  const us = ms * 1000;
  if (!(us >= 1)) return 0;
  if (us >= 2 ** (LAST_OCTAVE + 1)) return BUCKETS - 1;
  const whole = us | 0;
  if (whole < EXACT) return whole;
  const octave = 31 - Math.clz32(whole);
  return EXACT + (octave - FIRST_OCTAVE) * PER_OCTAVE + ((whole >>> (octave - 4)) & (PER_OCTAVE - 1));
}

/** Upper edge of a bucket in ms: what `percentile` reports. */
export function bucketEnd(bucket: number): number {
  if (bucket < EXACT) return (bucket + 1) / 1000;
  const octave = FIRST_OCTAVE + Math.floor((bucket - EXACT) / PER_OCTAVE);
  const part = (bucket - EXACT) % PER_OCTAVE;
  return ((PER_OCTAVE + part + 1) * 2 ** (octave - 4)) / 1000;
}

/** The shared side. */
export class Histogram {
  private readonly counts: Int32Array;
  private readonly top: Float64Array;

  /** @param byte 8-byte aligned offset of HISTOGRAM_BYTES zeroed bytes */
  constructor(sab: SharedArrayBuffer, byte: number) {
    this.top = new Float64Array(sab, byte, 2);
    this.counts = new Int32Array(sab, byte + 16, BUCKETS);
  }

  /** Recorder: counts a duration in ms. */
  record(ms: number): void {
    this.counts[bucketOf(ms)]++;
    if (ms > this.top[0]) this.top[0] = ms;
    if (ms > 0) this.top[1] += ms;
  }

  /** Adds what is recorded here to a copy (several histograms may be added to one). */
  addTo(copy: HistogramCopy): void {
    const { counts } = this;
    for (let i = 0; i < BUCKETS; i++) {
      const n = counts[i] >>> 0;
      copy.counts[i] += n;
      copy.total += n;
    }
    copy.sum += this.top[1];
    if (this.top[0] > copy.max) copy.max = this.top[0];
  }

  /** Recorder: forgets everything. */
  clear(): void {
    this.counts.fill(0);
    this.top.fill(0);
  }
}

/** A local copy that percentiles are read from. */
export class HistogramCopy {
  readonly counts = new Float64Array(BUCKETS);
  total = 0;
  /** Of all durations in ms. */
  sum = 0;
  /** Greatest duration in ms, exact. */
  max = 0;

  /** Takes away what an older copy held, for figures of the time between the two; `max` stays the whole time's. */
  subtract(older: HistogramCopy): void {
    for (let i = 0; i < BUCKETS; i++) this.counts[i] -= older.counts[i];
    this.total -= older.total;
    this.sum -= older.sum;
  }

  /** Records below an edge; exact when `endMs` is a `bucketEnd`, otherwise those of the whole buckets below it. */
  below(endMs: number): number {
    let seen = 0;
    for (let i = 0; i < BUCKETS && bucketEnd(i) <= endMs; i++) seen += this.counts[i];
    return seen;
  }

  /**
   * @param share 0 … 1, such as 0.99
   * @returns ms that at most a (1 − share) of the records exceed: a bucket's upper edge, at most 1/16 too high; 0 if empty
   */
  percentile(share: number): number {
    if (this.total === 0) return 0;
    const wanted = Math.max(1, Math.ceil(share * this.total));
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.counts[i];
      if (seen >= wanted) return Math.min(bucketEnd(i), this.max);
    }
    return this.max;
  }
}
