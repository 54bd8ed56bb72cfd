/**
 * LMDB, one file. Transactions are synchronous: `commit` returns when the bytes are on the disk, or throws nothing and
 * tells what the disk said. Measured beside the asynchronous way it is the faster one, and the one that reports a full
 * disk instead of waiting for ever. In a running server a thread of its own waits for that (apart-engine.ts).
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { type Engine, type Key, TABLES, type TableName, type Write } from './engine.js';

/** The file in a data directory, and in a snapshot's. */
export const DATA_FILE = 'world.mdb';
const GIB = 2 ** 30;

/** Table names are the names of LMDB's databases. */
type Tables = Map<TableName, Database<Uint8Array, never>>;

export class LmdbEngine implements Engine {
  readonly kind = 'lmdb';
  private readonly root: RootDatabase;
  private readonly tables: Tables;

  /** @param folder that holds DATA_FILE, or will; its other claims are checked by data-folder.ts */
  constructor(folder: string, readOnly = false) {
    this.root = open({
      path: join(folder, DATA_FILE),
      noSubdir: true, // the path is a file: the folder is ours, with more than this in it
      readOnly,
      maxDbs: TABLES.length + 1, // our tables and the root
      maxReaders: 1024, // LMDB's default failed at 160 threads; a place costs 64 bytes
      mapSize: 256 * GIB, // address space, not memory: never has to grow while others read
      encoding: 'binary', // values are our own framed bytes
      keyEncoding: 'ordered-binary', // numbers, texts and lists in their order
      compression: false, // records of 200 bytes do not shrink, and a checksum over plain bytes is worth more
      cache: false, // the store has its own idea of what is loaded
      useVersions: false,
      sharedStructuresKey: undefined,
      noSync: false, // durable means durable
      noMetaSync: false,
      overlappingSync: false, // a commit returns after its own flush, not before it
      useWritemap: false, // a stray write must not reach the file
      remapChunks: false, // 64 bits: map once
      noMemInit: false, // no old memory of the process in the file
      eventTurnBatching: false, // a transaction is what we say, not what a turn happens to hold
    });
    this.tables = new Map(
      TABLES.map((name) => [
        name,
        this.root.openDB({ name, encoding: 'binary', keyEncoding: 'ordered-binary', cache: false }) as never,
      ]),
    );
  }

  get(table: TableName, key: Key): Uint8Array | undefined {
    const bytes = this.tables.get(table)!.get(key as never);
    // lmdb's buffers are reused by the next read
    return bytes === undefined ? undefined : Uint8Array.from(bytes);
  }

  *entries(table: TableName, first?: number): Iterable<readonly [Key, Uint8Array]> {
    const range =
      first === undefined ? {} : { start: [first] as never, end: [first, Number.POSITIVE_INFINITY] as never };
    for (const { key, value } of this.tables.get(table)!.getRange(range)) {
      yield [key as Key, Uint8Array.from(value)];
    }
  }

  count(table: TableName): number {
    return (this.tables.get(table)!.getStats() as { entryCount: number }).entryCount;
  }

  commit(writes: readonly Write[], done: (trouble: Error | null) => void): void {
    let trouble: Error | null = null;
    try {
      this.root.transactionSync(() => {
        for (const { table, key, value } of writes) {
          const database = this.tables.get(table)!;
          if (value === null) database.removeSync(key as never);
          else database.putSync(key as never, value);
        }
      });
    } catch (error) {
      trouble = error instanceof Error ? error : new Error(String(error));
    }
    done(trouble);
  }

  /** Reads from here on see what other threads have committed before this. */
  refresh(): void {
    this.root.resetReadTxn();
  }

  async copy(folder: string): Promise<number> {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, DATA_FILE);
    await this.root.backup(path, true);
    return statSync(path).size;
  }

  async close(): Promise<void> {
    await this.root.close();
  }
}
