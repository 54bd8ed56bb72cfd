/**
 * The lock of a data directory: a file that names the process that holds it. Contract: at most one process holds it; a
 * holder that was killed does not, whatever it left behind; nobody waits.
 *
 * The file is made whole or not at all (written aside, then linked). A process is told from a later one of the same
 * number by the time it started. Who finds a dead holder's file takes it away by renaming it, which one alone can do, and
 * looks at what it took: should another have been faster and its file be new, it puts it back.
 */
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlueMarbleError } from '../base/errors.js';

const NAME = 'lock';

/** @returns releases the lock @throws BlueMarbleError DATA_LOCKED; errors of the file system as they are */
export function takeLock(folder: string, pid: number = process.pid): () => void {
  const path = join(folder, NAME);
  const mine = `${pid} ${startOf(pid)}\n`;
  const draft = `${path}.${pid}`;
  writeFileSync(draft, mine);
  try {
    for (let tries = 0; tries < 3; tries++) {
      if (link(draft, path)) return () => release(path, mine);
      const holder = read(path);
      if (holder !== null && isAlive(holder)) throw lockedBy(folder, holder);
      if (holder !== null) takeAway(path, holder);
    }
    throw lockedBy(folder, read(path) ?? 'another');
  } finally {
    unlinkSync(draft);
  }
}

function lockedBy(folder: string, holder: string): BlueMarbleError {
  const pid = holder.split(' ')[0];
  return new BlueMarbleError(
    'DATA_LOCKED',
    `process ${pid} uses the data directory ${folder}: stop it first`,
  );
}

function release(path: string, mine: string): void {
  if (read(path) === mine) unlinkSync(path);
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function takeAway(path: string, holder: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // somebody else did
  }
  if (read(aside) !== holder) link(aside, path);
  unlinkSync(aside);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function isAlive(holder: string): boolean {
  const [pid, start] = holder.trim().split(' ');
  if (!/^\d+$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    // somebody else's process is one, too
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = startOf(Number(pid));
  return now === '?' || start === '?' || now === start;
}

/** When a process started, in the kernel's ticks since boot; '?' where the system does not tell. */
function startOf(pid: number): string {
  const text = read(`/proc/${pid}/stat`);
  if (text === null) return '?';
  // behind the name, which may hold anything: the 20th field from there
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '?';
}
