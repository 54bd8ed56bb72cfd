/** An engine with a disk that is slow, fails, or is full, as the test says; what it calls done is really there. */
import type { Engine, Key, TableName, Write } from '../../src/store/engine.js';

export class FaultyEngine implements Engine {
  /** Calls of `advance` that a commit takes; 0 = at once. */
  delay = 0;
  /** What every commit fails with. */
  trouble: Error | null = null;
  attempts = 0;
  private queue: { left: number; run: () => void }[] = [];

  constructor(private readonly inner: Engine) {}

  get kind() {
    return this.inner.kind;
  }
  get(table: TableName, key: Key): Uint8Array | undefined {
    return this.inner.get(table, key);
  }
  entries(table: TableName, first?: number): Iterable<readonly [Key, Uint8Array]> {
    return this.inner.entries(table, first);
  }
  count(table: TableName): number {
    return this.inner.count(table);
  }

  commit(writes: readonly Write[], done: (trouble: Error | null) => void): void {
    this.attempts += this.trouble === null ? 0 : 1;
    const work = () => (this.trouble === null ? this.inner.commit(writes, done) : done(this.trouble));
    if (this.delay === 0 && this.queue.length === 0) work();
    else this.queue.push({ left: this.delay, run: work });
  }

  /** Time passes for the disk. */
  advance(): void {
    for (const one of this.queue) one.left--;
    while (this.queue.length > 0 && (this.queue[0]!.left <= 0 || this.delay === 0)) this.queue.shift()!.run();
  }

  copy(folder: string): Promise<number> {
    return this.inner.copy(folder);
  }
  close(): Promise<void> {
    return this.inner.close();
  }
}
