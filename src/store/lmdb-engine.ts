/**
 * LMDB, one file. Transactions are synchronous: `commit` returns when the bytes are on the disk, or throws nothing and
 * tells what the disk said. Measured beside the asynchronous way it is the faster one, and the one that reports a full
 * disk instead of waiting for ever. In a running server a thread of its own waits for that (apart-engine.ts).
 */
import { chmodSync, mkdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { BlueMarbleError } from '../base/errors.js';
import { META } from './book.js';
import { type Engine, type Key, TABLES, type TableName, type Write } from './engine.js';
import { seal, unseal } from './frame.js';
import { checkFolder, type FileIdentity, type HoldMark, identify, takenBy } from './hold.js';

/** The file in a data directory, and in a snapshot's. */
export const DATA_FILE = 'world.mdb';
const GIB = 2 ** 30;
/** A disk with less than this is full: LMDB writes runs of pages. */
const SHORT_OF_ROOM = 2 ** 20;

export interface LmdbOptions {
  readonly readOnly?: boolean;
  /** Whose the folder is; without it nobody else may know the folder. */
  readonly hold?: HoldMark;
  /** Told after the engine was closed. */
  readonly closed?: () => void;
}

/** Table names are the names of LMDB's databases. */
type Tables = Map<TableName, Database<Uint8Array, never>>;

export class LmdbEngine implements Engine {
  readonly kind = 'lmdb';
  private readonly root: RootDatabase;
  private readonly tables: Tables;
  private readonly path: string;
  private readonly hold: HoldMark | undefined;
  private readonly closed: () => void;
  private file: FileIdentity;

  /** @param folder that holds DATA_FILE, or will; its other claims are checked by data-folder.ts */
  constructor(folder: string, { readOnly = false, hold, closed }: LmdbOptions = {}) {
    this.path = join(folder, DATA_FILE);
    this.hold = hold;
    this.closed = closed ?? (() => {});
    this.root = open({
      path: this.path,
      noSubdir: true, // the path is a file: the folder is ours, with more than this in it
      readOnly,
      maxDbs: TABLES.length + 1, // our tables and the root
      maxReaders: 1024, // LMDB's default failed at 160 threads; a place costs 64 bytes
      mapSize: mapBytes(this.path), // address space, not memory: never has to grow while others read
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
        // Read-only, of data that an older server wrote: a table that it did not have is not made, so it is empty.
        this.root.openDB({ name, encoding: 'binary', keyEncoding: 'ordered-binary', cache: false }) as never,
      ]),
    );
    this.file = identify(this.path);
    if (!readOnly) for (const path of [this.path, `${this.path}-lock`]) chmodSync(path, 0o600); // whatever the umask
  }

  /** Writes the holder's number: from here every other holder's transactions are refused. @throws as the disk says */
  claim(): void {
    this.root.transactionSync(() => {
      this.checkFolder();
      this.tables.get('meta')!.putSync(META.holder as never, seal(Buffer.from(this.hold!.number)));
    });
  }

  /** @throws BlueMarbleError DATA_TAKEN; Error when the data are not where they were */
  private checkFolder(): void {
    if (this.hold !== undefined) this.file = checkFolder(this.hold, this.path, this.file);
  }

  /** Inside of a transaction, where nobody else can write. @throws BlueMarbleError DATA_TAKEN */
  private checkHolder(): void {
    if (this.hold === undefined) return;
    const holder = this.get('meta', META.holder);
    if (holder === undefined) return; // not claimed yet
    const number = unseal(holder);
    if (number === null) throw new Error(`${this.path}: '${META.holder}' has a wrong checksum`);
    if (Buffer.from(number).toString() !== this.hold.number) throw takenBy(this.hold.folder);
  }

  get(table: TableName, key: Key): Uint8Array | undefined {
    try {
      const bytes = this.tables.get(table)?.get(key as never);
      // lmdb's buffers are reused by the next read
      return bytes === undefined ? undefined : Uint8Array.from(bytes);
    } catch (error) {
      throw this.damaged(table, error);
    }
  }

  *entries(table: TableName, first?: number): Iterable<readonly [Key, Uint8Array]> {
    const range =
      first === undefined ? {} : { start: [first] as never, end: [first, Number.POSITIVE_INFINITY] as never };
    try {
      for (const { key, value } of this.tables.get(table)?.getRange(range) ?? []) {
        yield [key as Key, Uint8Array.from(value)];
      }
    } catch (error) {
      throw this.damaged(table, error);
    }
  }

  /** A page between the root and what was asked for is not what it should be. */
  private damaged(table: TableName, error: unknown): BlueMarbleError {
    this.root.resetReadTxn(); // after an error LMDB refuses all that is read in the same transaction
    const reason = error instanceof Error ? error.message : String(error);
    return new BlueMarbleError('DATA_CORRUPT', `a page of the table '${table}' cannot be read: ${reason}`, {
      cause: error,
    });
  }

  count(table: TableName): number {
    const stats = this.tables.get(table)?.getStats() as { entryCount: number } | undefined;
    return stats?.entryCount ?? 0;
  }

  commit(writes: readonly Write[], done: (trouble: Error | null) => void): void {
    let trouble: Error | null = null;
    try {
      this.root.transactionSync(() => {
        this.checkFolder();
        this.checkHolder();
        for (const { table, key, value } of writes) {
          const database = this.tables.get(table)!;
          if (value === null) database.removeSync(key as never);
          else database.putSync(key as never, value);
        }
      });
    } catch (error) {
      trouble = this.asDiskSays(error instanceof Error ? error : new Error(String(error)));
    }
    done(trouble);
  }

  /** A write that ends short for want of room is an I/O error to LMDB (mdb.c, mdb_page_flush): people are told of the room. */
  private asDiskSays(error: Error): Error {
    if (!error.message.includes('Input/output error')) return error;
    const { bavail, bsize } = statfsSync(dirname(this.path));
    return bavail * bsize < SHORT_OF_ROOM ? new Error('No space left on device', { cause: error }) : error;
  }

  /** Reads from here on see what other threads have committed before this. */
  refresh(): void {
    this.root.resetReadTxn();
  }

  async copy(folder: string): Promise<number> {
    this.checkFolder();
    this.refresh();
    this.checkHolder();
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, DATA_FILE);
    await this.root.backup(path, true);
    chmodSync(path, 0o600);
    return statSync(path).size;
  }

  async close(): Promise<void> {
    await this.root.close();
    this.closed();
  }
}

const MOST_MAPPED = 256 * GIB;
const LEAST_MAPPED = GIB;

/**
 * LMDB maps its file once, and a snapshot that is being verified; the rest of the process needs room, too. A limit of the
 * address space (ulimit -v) makes the map smaller; one that leaves too little is told, where a map that fails would end
 * the process. The same for one limit at every call: two threads have the same file open.
 * @throws BlueMarbleError DATA_NO_ROOM
 */
function mapBytes(path: string): number {
  const limit = addressSpace();
  const most = limit === null ? MOST_MAPPED : Math.min(MOST_MAPPED, 2 ** Math.floor(Math.log2(limit / 4)));
  const needed = Math.max(LEAST_MAPPED, 2 * (statSync(path, { throwIfNoEntry: false })?.size ?? 0));
  if (most < needed)
    throw new BlueMarbleError(
      'DATA_NO_ROOM',
      `${path} needs ${4 * needed} bytes of address space, the limit is ${limit} (ulimit -v): raise it`,
    );
  return most;
}

/** RLIMIT_AS of this process, bytes; null = none, or not told. */
function addressSpace(): number | null {
  try {
    const soft = /^Max address space +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
