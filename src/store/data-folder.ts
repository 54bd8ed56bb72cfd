/**
 * A data directory, before LMDB sees it: made, locked, writable, and a file that is what it should be as far as its
 * first pages tell. LMDB maps the file and believes it, so what is cut short or foreign must not get that far.
 *
 * ```
 *  DIR/world.mdb        the data          DIR/lock              who uses it
 *  DIR/world.mdb-lock   LMDB's readers    DIR/snapshots/NAME/   copies: data directories like this one
 * ```
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
} from 'node:fs';
import { renameSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { BlueMarbleError, type StartupName } from '../base/errors.js';
import { type Bounds, bookRestored, numbers, readBounds, wasRestored } from './book.js';
import { DATA_FILE, LmdbEngine } from './lmdb-engine.js';
import { takeLock } from './lock.js';

export const SNAPSHOTS = 'snapshots';
/** End of the name of a folder that is not whole yet. */
export const DRAFT = '.draft';
/** A start needs some room: for the pages that the first transactions copy. */
const NEEDED_BYTES = 2 ** 20;
const PAGE = 4096;
const MAGIC = 0xbeefc0de;
/** Byte offsets in a page of LMDB's that holds its meta data. */
const META = { magic: 24, version: 28, pageSize: 48, lastPage: 144, bytes: 160 };

export interface DataFolder {
  readonly engine: LmdbEngine;
  /** After the engine was closed. */
  release(): void;
}

/**
 * Opens a data directory for this process alone; makes it where there is none.
 * @param restore name of a snapshot that takes the place of the data first; what stood there is kept aside
 * @throws BlueMarbleError DATA_LOCKED, DATA_CORRUPT, DATA_READ_ONLY, DATA_FULL, BAD_FLAG (no such snapshot)
 */
export async function openDataFolder(folder: string, restore: string | null = null): Promise<DataFolder> {
  const release = asDataError(folder, () => {
    mkdirSync(folder, { recursive: true });
    return takeLock(folder);
  });
  try {
    asDataError(folder, () => {
      const { bavail, bsize } = statfsSync(folder);
      if (bavail * bsize < NEEDED_BYTES) throw failure('ENOSPC');
    });
    if (restore !== null)
      await restoreSnapshot(folder, restore).catch((error: unknown) =>
        asDataError(folder, () => {
          throw error;
        }),
      );
    return asDataError(folder, () => {
      checkFile(join(folder, DATA_FILE));
      return { engine: new LmdbEngine(folder), release };
    });
  } catch (error) {
    release();
    throw error;
  }
}

/** For looking at data that nobody writes. @throws BlueMarbleError DATA_CORRUPT */
export function openReadOnly(folder: string): LmdbEngine {
  const path = join(folder, DATA_FILE);
  if (!existsSync(path)) throw new BlueMarbleError('BAD_FLAG', `${folder} holds no ${DATA_FILE}`);
  return asDataError(folder, () => {
    checkFile(path);
    return new LmdbEngine(folder, true);
  });
}

/** Names go into paths: letters, digits, dash, underscore, dot inside. */
export function isSnapshotName(name: string): boolean {
  return /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/.test(name) && !name.endsWith(DRAFT);
}

/**
 * The data become a copy of the snapshot, with the newer bounds of ids and incarnations. Data that went back to this very
 * snapshot already stay: a server that is started again with the same flags goes on.
 */
async function restoreSnapshot(folder: string, name: string): Promise<void> {
  const from = join(folder, SNAPSHOTS, name, DATA_FILE);
  if (!isSnapshotName(name) || !existsSync(from))
    throw new BlueMarbleError('BAD_FLAG', `${folder} has no snapshot '${name}' (--restore)`);
  checkFile(from);
  const path = join(folder, DATA_FILE);
  const draft = join(folder, `restore${DRAFT}`);
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft);
  copyFileSync(from, join(draft, DATA_FILE));
  try {
    const isRestored = await prepare(draft, folder, name);
    if (isRestored) return;
    // LMDB's readers file belongs to the file that is replaced
    rmSync(`${path}-lock`, { force: true });
    if (existsSync(path)) renameSync(path, `${path}.before-restore`);
    renameSync(join(draft, DATA_FILE), path);
    syncFolder(folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** @returns whether the data went back to this snapshot already; if not, the draft may take their place */
async function prepare(draft: string, folder: string, name: string): Promise<boolean> {
  const copy = new LmdbEngine(draft);
  try {
    const [tick] = numbers(copy, 'durableTick', draft);
    const newer = await lookAt(folder, name, tick);
    if (newer?.isRestored !== true) bookRestored(copy, name, newer, draft);
    return newer?.isRestored === true;
  } finally {
    await copy.close();
  }
}

/** What the present data say, which may be damaged: null. */
async function lookAt(
  folder: string,
  name: string,
  tick: number,
): Promise<(Bounds & { isRestored: boolean }) | null> {
  let engine: LmdbEngine | null = null;
  try {
    engine = openReadOnly(folder);
    return { ...readBounds(engine, folder), isRestored: wasRestored(engine, name, tick) };
  } catch (error) {
    if (error instanceof BlueMarbleError) return null;
    throw error;
  } finally {
    await engine?.close();
  }
}

/** Makes what was renamed in a folder survive the machine. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Looks at the two meta pages of a file, if there is one. @throws BlueMarbleError DATA_CORRUPT */
export function checkFile(path: string): void {
  if (!existsSync(path)) return;
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    if (size === 0) return; // made by a start that was killed before it wrote
    const pages = [0, 1].map((page) => {
      const bytes = new DataView(new ArrayBuffer(META.bytes));
      readSync(file, new Uint8Array(bytes.buffer), 0, META.bytes, page * PAGE);
      return bytes;
    });
    for (const page of pages) {
      if (page.getUint32(META.magic, true) !== MAGIC) throw corrupt(path, 'is not a database of this kind');
      if (page.getUint32(META.pageSize, true) !== PAGE) throw corrupt(path, 'has pages of another size');
    }
    const last = Math.max(...pages.map((page) => Number(page.getBigUint64(META.lastPage, true))));
    if ((last + 1) * PAGE > size) throw corrupt(path, `is cut short: ${last + 1} pages, ${size} bytes`);
  } finally {
    closeSync(file);
  }
}

function corrupt(path: string, what: string): BlueMarbleError {
  return new BlueMarbleError('DATA_CORRUPT', `${path} ${what}: restore a snapshot (--restore NAME)`);
}

/** Errors of the file system and of LMDB, by what can be done about them. */
const BY_CODE: Readonly<Record<string, StartupName>> = {
  EROFS: 'DATA_READ_ONLY',
  EACCES: 'DATA_READ_ONLY',
  EPERM: 'DATA_READ_ONLY',
  ENOTDIR: 'DATA_READ_ONLY',
  EEXIST: 'DATA_READ_ONLY',
  ENOSPC: 'DATA_FULL',
  EDQUOT: 'DATA_FULL',
};

/** Runs what touches the folder; its errors become those of the registry. Exported for the test of the table. */
export function asDataError<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof BlueMarbleError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const name = BY_CODE[String(code)] ?? 'DATA_CORRUPT';
    throw new BlueMarbleError(name, `the data directory ${folder} cannot be used: ${message}`, {
      cause: error,
    });
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: no space left`), { code });
}
