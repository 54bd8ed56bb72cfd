/**
 * What garbage collections of a shard's thread tell: how many, the longest pause, and whether the heap is about to be
 * full of what is still in use. Contract: in the thread itself; told when it takes a turn of its event loop.
 *
 * Near the limit every collection is long and frees nothing: a thread that leaks is silent for seconds before Node ends
 * it. So it ends itself before that, between two ticks, with a sentence that says why.
 */
import { PerformanceObserver, constants } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { resourceLimits } from 'node:worker_threads';
import { SHARD_COUNTER, SHARD_GAUGE, type ShardBlock } from '../memory/shard-block.js';

/** Share of the limit of the old generation that may be in use after a full collection. The rest is for what grows at once. */
const FULL_SHARE = 0.75;
const MIB = 1024 * 1024;

export interface HeapState {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** @returns the sentence that a shard ends with, or undefined while there is room */
export function whyFull({ usedBytes, limitBytes }: HeapState): string | undefined {
  if (usedBytes <= limitBytes * FULL_SHARE) return undefined;
  const mib = (bytes: number) => Math.round(bytes / MIB);
  return `the heap of this shard is full: ${mib(usedBytes)} of ${mib(limitBytes)} MiB in use after a full collection`;
}

export class Collections {
  private longest = 0;
  private full: string | undefined;

  /**
   * Of the old generation, where what stays in use ends up and whose limit kills. V8's `heap_size_limit` is that and one
   * and a half times the young one's: a heap is never as full as four fifths of it.
   */
  private readonly limitBytes: number;

  constructor(private readonly block: ShardBlock) {
    const { maxOldGenerationSizeMb: ofThread } = resourceLimits; // none in a process's main thread
    this.limitBytes = ofThread === undefined ? getHeapStatistics().heap_size_limit : ofThread * MIB;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { detail } = entry as unknown as { detail?: { kind: number } };
        this.note(detail?.kind, entry.duration);
      }
    }).observe({ entryTypes: ['gc'] });
  }

  /** Between two ticks. @throws when the heap is about to be full */
  check(): void {
    if (this.full !== undefined) throw new Error(this.full);
  }

  private note(kind: number | undefined, ms: number): void {
    // From the first to the last step of an incremental marking the shard goes on working in between: no pause.
    if (kind === constants.NODE_PERFORMANCE_GC_INCREMENTAL) return;
    this.block.count(SHARD_COUNTER.collections);
    this.longest = Math.max(this.longest, ms);
    this.block.setGauge(SHARD_GAUGE.gcMaxMs, this.longest);
    if (kind !== constants.NODE_PERFORMANCE_GC_MAJOR) return;
    this.full = whyFull({ usedBytes: getHeapStatistics().used_heap_size, limitBytes: this.limitBytes });
  }
}
