/**
 * Who holds a data directory. Contract: at most one process writes in it; a holder that was killed does not hold it, and
 * one whose directory was taken over, is gone or was replaced writes nothing more into it.
 *
 * **The lock** is the kernel's, on the open file DIR/lock: every process that reaches that file meets it, whatever path,
 * mount or PID namespace it comes by, and it ends with the process that took it. The file is never removed; what it says
 * is for people. Writers lock it alone, who only looks at the data shares it.
 *
 * **The fence** is for file systems without such locks, or on which they are lost. Each holder draws a number, and writes
 * it into DIR/lock and into the database. In each transaction the writer compares both (`checkFolder`, and lmdb-engine.ts):
 * who finds another's number there has lost the directory. The file is opened anew each time, because opening is what
 * makes a network file system ask its server.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { BlueMarbleError } from '../base/errors.js';

/** Open file description locks of Linux (fcntl(2), F_OFD_SETLK); required, not imported, since it has no types. */
const { tryLock } = createRequire(import.meta.url)('fs-native-extensions') as {
  tryLock(fd: number, options: { shared: boolean }): boolean;
};

export const LOCK_FILE = 'lock';
/** A process that is ending gives back its memory before its locks: about 0.1 s a GB. */
const ENDING_MS = 2_000;
const LOOK_MS = 10;
/** What a file system says that has no locks. */
const NO_LOCKS = new Set(['ENOLCK', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL']);
/** Of statfs(2): file systems that other machines may write as well. */
const NETWORK: Readonly<Record<number, string>> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'CIFS',
  4266872130: 'SMB',
  1702057286: 'FUSE',
  16914839: '9P',
  12805120: 'Ceph',
  198183888: 'Lustre',
  1397113167: 'AFS',
};

/** What a thread has to know to write in a held directory; made for being sent. */
export interface HoldMark {
  readonly folder: string;
  /** 16 hexadecimal digits, drawn by this holder. */
  readonly number: string;
}

export interface Hold {
  readonly mark: HoldMark;
  /** What people should know of it, one sentence each. */
  readonly warnings: readonly string[];
  release(): void;
}

/**
 * Takes a directory for writing.
 * @param endingMs so long a holder is waited for, which may be one that is just ending @throws BlueMarbleError DATA_LOCKED; errors of the file system as they are
 */
export function holdFolder(folder: string, endingMs = ENDING_MS): Hold {
  const path = join(folder, LOCK_FILE);
  const { fd, isLocked } = take(folder, path, false, endingMs);
  try {
    const number = randomBytes(8).toString('hex');
    ftruncateSync(fd, 0);
    writeSync(fd, textOf(number), 0);
    fsyncSync(fd);
    const release = () => {
      ftruncateSync(fd, 0); // nobody is named who has ended in good order
      closeSync(fd);
    };
    return { mark: { folder, number }, warnings: warningsOf(folder, isLocked), release };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Keeps writers out while somebody looks. Where there is nothing to lock, nobody writes.
 * @returns lets them in again @throws BlueMarbleError DATA_LOCKED
 */
export function shareFolder(folder: string, endingMs = ENDING_MS): () => void {
  try {
    const { fd } = take(folder, join(folder, LOCK_FILE), true, endingMs);
    return () => closeSync(fd);
  } catch (error) {
    // A copy without the file, or one that this process may not write: data that no server uses.
    if (['ENOENT', 'EACCES', 'EROFS', 'EPERM'].includes(String((error as NodeJS.ErrnoException).code)))
      return () => {};
    throw error;
  }
}

/** A file by what no path can change. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
  /** It is mapped: what becomes shorter than it was is not read any more. */
  readonly size: bigint;
}

/** @throws errors of the file system */
export function identify(path: string): FileIdentity {
  const { dev, ino, size } = statSync(path, { bigint: true });
  return { dev, ino, size };
}

/**
 * Whether the directory is still the one that was taken, by the same holder, with the same data in it.
 * @param file the database in it, as it was when it was written last @returns the same as of now
 * @throws BlueMarbleError DATA_TAKEN: never again; Error: not now, or not before it is put back
 */
export function checkFolder(mark: HoldMark, path: string, file: FileIdentity): FileIdentity {
  const { folder, number } = mark;
  const gone = (why: string) => new Error(`the data directory ${folder} is gone or was replaced: ${why}`);
  const now = orElse(gone, () => identify(path));
  if (now.dev !== file.dev || now.ino !== file.ino) throw gone(`${path} is another file now`);
  if (now.size < file.size) throw gone(`${path} was cut short to ${now.size} bytes`);
  const text = readLock(folder) ?? orElse(gone, () => putBack(mark));
  if (!text.startsWith(`${number} `)) throw takenBy(folder, text);
  return now;
}

function orElse<T>(gone: (why: string) => Error, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw gone(error instanceof Error ? error.message : String(error));
  }
}

function readLock(folder: string): string | null {
  try {
    return readFileSync(join(folder, LOCK_FILE), 'utf8');
  } catch {
    return null;
  }
}

/**
 * Somebody removed DIR/lock, and what it locked with it. Whoever makes it anew first has the directory.
 * @returns what it says then
 */
function putBack({ folder, number }: HoldMark): string {
  const path = join(folder, LOCK_FILE);
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600); // open until the end
  if (lock(fd, false) === false) return readLock(folder) ?? '';
  writeSync(fd, textOf(number), 0);
  return textOf(number);
}

/** Whom it names is for people: the number of a process means nothing outside of its own namespace. */
function textOf(number: string): string {
  return `${number} process ${process.pid} on ${hostname()}\n`;
}

/** @param text of DIR/lock, '' = not known */
export function takenBy(folder: string, text = ''): BlueMarbleError {
  const who = whoIs(text) ?? 'another server';
  return new BlueMarbleError('DATA_TAKEN', `${who} has taken over the data directory ${folder}`);
}

function take(
  folder: string,
  path: string,
  shared: boolean,
  endingMs: number,
): { fd: number; isLocked: boolean } {
  for (let waits = endingMs / LOOK_MS; ; ) {
    const fd = open(path, shared);
    let isKept = false;
    try {
      const isLocked = lock(fd, shared);
      // Somebody may have replaced the file between the opening and the lock.
      if (isLocked !== false && isSame(fd, path)) {
        isKept = true;
        return { fd, isLocked: isLocked === true };
      }
    } finally {
      if (!isKept) closeSync(fd);
    }
    if (waits-- <= 0) throw lockedBy(folder, path);
    pause(LOOK_MS);
  }
}

function open(path: string, shared: boolean): number {
  if (shared) return openSync(path, 'r');
  return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
}

/** @returns null where the file system has no locks */
function lock(fd: number, shared: boolean): boolean | null {
  try {
    return tryLock(fd, { shared });
  } catch (error) {
    if (NO_LOCKS.has(String((error as NodeJS.ErrnoException).code))) return null;
    throw error;
  }
}

function isSame(fd: number, path: string): boolean {
  const mine = fstatSync(fd, { bigint: true });
  const there = statSync(path, { bigint: true, throwIfNoEntry: false });
  return there !== undefined && there.ino === mine.ino && there.dev === mine.dev;
}

function lockedBy(folder: string, path: string): BlueMarbleError {
  const who = whoIs(readFileSync(path, 'utf8')) ?? 'another process';
  return new BlueMarbleError('DATA_LOCKED', `${who} uses the data directory ${folder}: stop it first`);
}

function whoIs(text: string): string | null {
  return /^[0-9a-f]{16} (process \d+ on \S+)\n$/.exec(text)?.[1] ?? null;
}

function warningsOf(folder: string, isLocked: boolean): string[] {
  const network = NETWORK[Number(statfsSync(folder, { bigint: true }).type & 0xffff_ffffn)];
  return [
    ...(network === undefined
      ? []
      : [
          `the data directory ${folder} is on a network file system (${network}): use a disk of this machine`,
        ]),
    ...(isLocked
      ? []
      : [
          `the file system of ${folder} has no locks: a second server on it would not be refused, but stop this one`,
        ]),
  ];
}

/** Blocks the thread: nothing else of a store runs before it has its folder. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
