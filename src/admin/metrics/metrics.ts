/**
 * `/metrics`: every figure of the server in Prometheus' text format, written by prom-client.
 *
 * Contract: nothing is counted here. A scrape reads shared memory; between scrapes metrics cost nothing.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { bucketEnd, BUCKETS, type HistogramCopy } from '../../memory/histogram.js';
import { GATEWAY_FAMILIES } from './gateway-families.js';
import { NODE_FAMILIES } from './node-families.js';
import { SHARD_FAMILIES } from './shard-families.js';
import type { Family, MetricSource } from './source.js';

export const FAMILIES: readonly Family[] = [...NODE_FAMILIES, ...SHARD_FAMILIES, ...GATEWAY_FAMILIES];

/** Round numbers of milliseconds that people ask for; a tick (50 ms) and half a second are among them. */
const WANTED_MS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

/**
 * Bucket bounds in ms: for each wanted number the next edge of the recorder's own buckets, at most 1/16 above. A
 * bound between two edges would have to guess on which side the records between them lie.
 */
export const BOUNDS_MS: readonly number[] = WANTED_MS.map((wanted) => {
  for (let i = 0; i < BUCKETS; i++) if (bucketEnd(i) >= wanted) return bucketEnd(i);
  throw new Error(`the histograms do not reach ${wanted} ms`);
});

const seconds = (ms: number) => Number((ms / 1000).toPrecision(12));

/** What prom-client wants to print for a histogram: cumulative buckets, sum, count. */
export function histogramValues(name: string, labels: Record<string, string>, copy: HistogramCopy) {
  const bucket = (le: number | string, value: number) => ({
    metricName: `${name}_bucket`,
    labels: { ...labels, le },
    value,
  });
  return [
    ...BOUNDS_MS.map((bound) => bucket(seconds(bound), copy.below(bound))),
    bucket('+Inf', copy.total),
    { metricName: `${name}_sum`, labels, value: copy.sum / 1000 },
    { metricName: `${name}_count`, labels, value: copy.total },
  ];
}

/** A histogram that another thread records: prom-client asks it for its values. */
class SharedHistogram extends Histogram {
  constructor(
    private readonly family: Extract<Family, { kind: 'histogram' }>,
    private readonly source: MetricSource,
    registry: Registry,
  ) {
    const { name, help, labels } = family;
    super({ name, help, labelNames: [...labels], buckets: BOUNDS_MS.map(seconds), registers: [registry] });
  }

  override async get() {
    const { name, help } = this.family;
    const samples = this.family.read(this.source);
    const values = samples.flatMap(({ labels, copy }) => histogramValues(name, labels, copy));
    return { name, help, type: 'histogram', values, aggregator: 'sum' } as never; // typed without its `get`'s shape
  }

  /** What the registry calls when there is one: without it, it would print its own empty buckets. */
  async getForPromString() {
    return this.get();
  }
}

function register(registry: Registry, source: MetricSource, family: Family): void {
  const { name, help } = family;
  if (family.kind === 'histogram') {
    new SharedHistogram(family, source, registry);
    return;
  }
  const common = { name, help, labelNames: [...family.labels], registers: [registry] };
  // Read when scraped: the values of the last scrape go first.
  if (family.kind === 'gauge') {
    new Gauge({
      ...common,
      collect() {
        this.reset();
        for (const { labels, value } of family.read(source)) this.set(labels, value);
      },
    });
    return;
  }
  new Counter({
    ...common,
    collect() {
      this.reset();
      for (const { labels, value } of family.read(source)) this.inc(labels, value);
    },
  });
}

export class Metrics {
  /** Of its own, not prom-client's global one: several nodes live in one process. */
  private readonly registry = new Registry();

  constructor(source: MetricSource) {
    for (const family of FAMILIES) register(this.registry, source, family);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }
}
