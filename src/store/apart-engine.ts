/**
 * The engine of `--data` in a running server: reads here, waits for the disk elsewhere. Two threads of one process have
 * the same LMDB file open; this one reads, which never waits for a writer, and hands every transaction to the other
 * (writer.ts). Contract of Engine: `done` in the order of the commits, and from `done` on reads see what was committed.
 * Between a commit and its `done` they may see either state: callers look at what they have not been told of first.
 */
import { Worker } from 'node:worker_threads';
import type { Engine, Key, TableName, Write } from './engine.js';
import type { HoldMark } from './hold.js';
import type { LmdbEngine } from './lmdb-engine.js';
import { packWrites } from './packed.js';
import type { FromWriter, ToWriter, WriterData } from './writer.js';

/** For tests of the tests only: what was read before hides what was committed since. */
export type ApartFault = 'keeps-its-view';

export class ApartEngine implements Engine {
  readonly kind = 'lmdb';
  /** Told after each `done`: there may be more to do. */
  onSettled = () => {};
  /** Told, before that commit's `done`, that another server has taken the data: nothing will ever be written again. */
  onTaken: (trouble: Error) => void = () => {};
  private readonly writer: Worker;
  private readonly ended: Promise<void>;
  private readonly waiting: ((trouble: Error | null) => void)[] = [];
  private isClosing = false;
  private readonly thread = new Int32Array(new SharedArrayBuffer(4));

  /** @param reader open on `folder`; closed with this @param hold whose the folder is; undefined: nobody else knows it */
  constructor(
    private readonly reader: LmdbEngine,
    folder: string,
    hold?: HoldMark,
    private readonly fault?: ApartFault,
  ) {
    const data: WriterData = { folder, hold, thread: this.thread };
    this.writer = new Worker(new URL('./writer.js', import.meta.url), { name: 'writer', workerData: data });
    this.writer.on('message', (message: FromWriter) => this.settle(message));
    // An error of the thread is thrown here, since nobody listens to it: without its writer the store is at its end.
    this.ended = new Promise((resolve, reject) => {
      this.writer.on('exit', (code) => {
        if (this.isClosing && this.waiting.length === 0) return resolve();
        const lost = new Error(`the thread that writes the data ended (${code})`);
        reject(lost);
        throw lost;
      });
    });
    this.ended.catch(() => {}); // thrown already
  }

  /** Number in the kernel of the thread that waits for the disk, 0 = not known yet. */
  get writerThreadId(): number {
    return Atomics.load(this.thread, 0);
  }

  get(table: TableName, key: Key): Uint8Array | undefined {
    return this.reader.get(table, key);
  }
  entries(table: TableName, first?: number): Iterable<readonly [Key, Uint8Array]> {
    return this.reader.entries(table, first);
  }
  count(table: TableName): number {
    return this.reader.count(table);
  }

  commit(writes: readonly Write[], done: (trouble: Error | null) => void): void {
    const packed: ToWriter = packWrites(writes);
    this.waiting.push(done);
    this.writer.postMessage(packed, [packed]);
  }

  copy(folder: string): Promise<number> {
    return this.reader.copy(folder);
  }

  /** Waits for every transaction that was begun. */
  async close(): Promise<void> {
    this.isClosing = true;
    this.writer.postMessage(null satisfies ToWriter);
    await this.ended;
    await this.reader.close();
  }

  private settle({ trouble }: FromWriter): void {
    if (this.fault !== 'keeps-its-view') this.reader.refresh();
    const done = this.waiting.shift()!;
    const error = trouble && Object.assign(new Error(trouble.message), { code: trouble.code });
    if (error?.code === 'DATA_TAKEN') this.onTaken(error);
    done(error);
    this.onSettled();
  }
}
