/**
 * The file of a data directory before LMDB sees it, and the errors of what cannot be used. LMDB maps the file and believes
 * it, so what is cut short, empty or foreign must not get that far.
 */
import { closeSync, fstatSync, fsyncSync, openSync, readSync } from 'node:fs';
import { BlueMarbleError, type StartupName } from '../base/errors.js';

const PAGE = 4096;
const MAGIC = 0xbeefc0de;
/** Byte offsets in a page of LMDB's that holds its meta data. */
const META = { magic: 24, version: 28, pageSize: 48, lastPage: 144, bytes: 160 };

/** Makes what was renamed in a folder survive the machine. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Looks at the two meta pages of a file. @throws BlueMarbleError DATA_CORRUPT */
export function checkFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    if (size === 0) throw corrupt(path, 'is empty');
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
  ENOENT: 'DATA_READ_ONLY',
  ELOOP: 'DATA_READ_ONLY',
  ENOSPC: 'DATA_FULL',
  EDQUOT: 'DATA_FULL',
};

/** Runs what touches the folder; its errors become those of the registry. */
export function asDataError<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw dataError(folder, error);
  }
}

/** The same for work that takes its time. */
export async function awaitData<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw dataError(folder, error);
  }
}

function dataError(folder: string, error: unknown): BlueMarbleError {
  if (error instanceof BlueMarbleError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const name = BY_CODE[String(code)] ?? 'DATA_CORRUPT';
  return new BlueMarbleError(name, `the data directory ${folder} cannot be used: ${message}`, {
    cause: error,
  });
}
