/** The histogram against sorted numbers. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  BUCKETS,
  HISTOGRAM_BYTES,
  Histogram,
  HistogramCopy,
  bucketEnd,
  bucketOf,
} from '../../src/memory/histogram.js';

function histogram(): Histogram {
  return new Histogram(new SharedArrayBuffer(HISTOGRAM_BYTES), 0);
}

t.test('buckets follow one another without gap, each at most 1/16 wide', (t) => {
  for (let bucket = 1; bucket < BUCKETS; bucket++) {
    const start = bucketEnd(bucket - 1);
    assert.equal(bucketOf(start), bucket, `bucket ${bucket} begins where the last one ends`);
    assert.equal(bucketOf(bucketEnd(bucket) - 0.0005), bucket);
    assert.ok(bucketEnd(bucket) - start <= Math.max(0.001, start / 16) + 1e-9);
  }
  t.equal(bucketOf(bucketEnd(BUCKETS - 1)), BUCKETS - 1, 'beyond the last: the last');
  for (const odd of [-1, Number.NaN, -Infinity, 0]) t.equal(bucketOf(odd), 0);
  for (const huge of [1e308, Infinity]) t.equal(bucketOf(huge), BUCKETS - 1);
  t.end();
});

t.test('percentiles are the sorted numbers’, at most 1/16 too high', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 200_000, noNaN: true }), { minLength: 1, maxLength: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, share) => {
        const shared = histogram();
        for (const value of values) shared.record(value);
        const copy = new HistogramCopy();
        shared.addTo(copy);
        const sorted = [...values].sort((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1];
        const found = copy.percentile(share);
        assert.equal(copy.total, values.length);
        assert.equal(copy.max, sorted[sorted.length - 1]);
        assert.ok(found >= exact - 1e-9 && found <= exact * (1 + 1 / 16) + 0.0011, `${found} for ${exact}`);
      },
    ),
    { numRuns: 300 },
  );
  t.end();
});

t.test('copies add and subtract; an empty one says 0', (t) => {
  const [a, b] = [histogram(), histogram()];
  a.record(1);
  b.record(3);
  const before = new HistogramCopy();
  a.addTo(before);
  a.record(100);
  const both = new HistogramCopy();
  a.addTo(both);
  b.addTo(both);
  t.equal(both.total, 3);
  t.equal(both.max, 100);
  both.subtract(before);
  t.equal(both.total, 2);
  t.ok(both.percentile(0) >= 3);
  t.equal(new HistogramCopy().percentile(0.99), 0);
  a.clear();
  const empty = new HistogramCopy();
  a.addTo(empty);
  t.strictSame([empty.total, empty.max], [0, 0]);
  t.end();
});
