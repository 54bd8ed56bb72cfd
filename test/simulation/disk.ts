/**
 * The disk of a simulation: tables that outlive the process. A commit takes its time; until it is flushed nobody reads
 * it and nobody is told. When the process dies, what was waiting is lost but for a first part of it that a seed may keep:
 * a disk may have written what it has not told of, in order and never half a transaction.
 */
import type { Random } from '../../src/base/random.js';
import type { Engine, Key, TableName, Write } from '../../src/store/engine.js';
import { MapEngine } from '../../src/store/map-engine.js';
import type { VirtualTime } from './time.js';

interface Waiting {
  readonly writes: readonly Write[];
  readonly done: (trouble: Error | null) => void;
}

export class SimDisk implements Engine {
  readonly kind = 'memory';
  /** Longest time of a flush, ms. */
  slowestMs = 0;
  /** While a process starts it waits for each write. */
  isStarting = false;
  /** A planted bug: what is told to be durable is not flushed yet. */
  isHasty = false;
  /** Told of each transaction that is there now. */
  onFlushed: () => void = () => {};
  private readonly tables = new MapEngine();
  private queue: Waiting[] = [];

  constructor(
    private readonly time: VirtualTime,
    private readonly random: Random,
  ) {}

  get(table: TableName, key: Key): Uint8Array | undefined {
    return this.tables.get(table, key);
  }
  entries(table: TableName, first?: number): Iterable<readonly [Key, Uint8Array]> {
    return this.tables.entries(table, first);
  }
  count(table: TableName): number {
    return this.tables.count(table);
  }

  commit(writes: readonly Write[], done: (trouble: Error | null) => void): void {
    if (this.isStarting) {
      this.flush({ writes, done });
      return;
    }
    const one = { writes, done: this.isHasty ? () => {} : done };
    this.queue.push(one);
    this.time.after(this.random.int(1 + Math.floor(this.slowestMs)), () => {
      // One after the other: whoever was asked for earlier is there earlier.
      while (this.queue.includes(one)) this.flush(this.queue.shift()!);
    });
    if (this.isHasty) done(null);
  }

  /** The process is gone. */
  crash(): void {
    const kept = this.random.int(this.queue.length + 1);
    for (const { writes } of this.queue.splice(0).slice(0, kept)) this.flush({ writes, done: () => {} });
  }

  copy(): Promise<number> {
    return Promise.reject(new Error('the simulation makes no snapshots'));
  }
  async close(): Promise<void> {}

  private flush({ writes, done }: Waiting): void {
    this.tables.commit(writes, () => {});
    this.onFlushed();
    done(null);
  }
}
