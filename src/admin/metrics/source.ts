/**
 * What a metric is, and what all of them are read from: shared memory, and a few figures of the main thread.
 *
 * Contract: a family's `read` runs when somebody scrapes; it reads, stops nobody, and gives at most one sample for each
 * shard, gateway, thread, item kind or code: never one for each player, entity or tile. Units are seconds and bytes.
 */
import type { HistogramCopy } from '../../memory/histogram.js';
import type { SharedWorld } from '../../memory/shared-world.js';
import type { Foreseer } from '../../control/forecast/foreseer.js';
import type { ShardReport } from '../../control/supervisor.js';
import type { ThreadTime } from '../../control/thread-times.js';

export type Labels = Record<string, string>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** All buckets of one labelled histogram. */
export interface HistogramSample {
  readonly labels: Labels;
  readonly copy: HistogramCopy;
}

interface Described {
  /** As Prometheus sees it, unit and `_total` included. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

export type Family =
  | (Described & { readonly kind: 'counter' | 'gauge'; read(source: MetricSource): Sample[] })
  | (Described & { readonly kind: 'histogram'; read(source: MetricSource): HistogramSample[] });

/** Where figures come from that are not in shared memory. */
export interface MetricSource {
  readonly world: SharedWorld;
  /** Clock ms. */
  now(): number;
  shards(): readonly ShardReport[];
  reshapes(): { readonly splits: number; readonly merges: number; readonly moves: number };
  /** By horizon: how well load was foreseen in the last hour. */
  readonly forecast: () => Foreseer['scores'];
  readonly cpuSaturated: () => boolean;
  readonly bots: () => number;
  readonly notReady: () => readonly string[];
  /** Requests that the admin port turned away, by code. */
  readonly refusals: () => ReadonlyMap<string, number>;
  /** CPU times of the threads that have names. */
  readonly threads: () => readonly ThreadTime[];
  /** Crossings kept by `/api/traces`, and those that were overwritten before they were read. */
  readonly traces: () => { readonly kept: number; readonly lost: number };
}
