/**
 * The lock of a data directory: a file that names the process that holds it. Contract: at most one process holds it; a
 * holder that was killed does not, whatever it left behind. Waits only for a holder that the system is just ending.
 *
 * The file is made whole or not at all (written aside, then linked). A process is told from a later one of the same
 * number by the time it started. Who finds a dead holder's file takes it away by renaming it, which one alone can do, and
 * looks at what it took: should another have been faster and its file be new, it puts it back.
 *
 * A killed process keeps its number: until its threads have ended (they may be in a write), and then as a zombie until
 * its parent asks for its exit code, which some parents never do. So a zombie without threads holds nothing, and one
 * whose end has begun is waited for.
 */
import { linkSync, readdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlueMarbleError } from '../base/errors.js';

const NAME = 'lock';
/** A process that is ending gives back its memory first: about 0.1 s a GB. */
const ENDING_MS = 5_000;
const LOOK_MS = 10;
/** Of /proc/PID/stat, fields behind the name: state, flags, start. PF_EXITING is the kernel's word for "it is ending". */
const STAT = { state: 0, flags: 6, start: 19 };
const PF_EXITING = 4;
/** SIGKILL in the masks of pending signals. */
const KILLED = 1n << 8n;

/** @returns releases the lock @throws BlueMarbleError DATA_LOCKED; errors of the file system as they are */
export function takeLock(folder: string, pid: number = process.pid): () => void {
  const path = join(folder, NAME);
  const mine = `${pid} ${startOf(pid)}\n`;
  const draft = `${path}.${pid}`;
  writeFileSync(draft, mine);
  try {
    for (let tries = 0, waits = ENDING_MS / LOOK_MS; tries < 3; ) {
      if (link(draft, path)) return () => release(path, mine);
      const holder = read(path);
      const life = holder === null ? 'ended' : lifeOf(holder);
      if (life === 'ending' && waits-- > 0) {
        pause(LOOK_MS);
        continue;
      }
      if (life !== 'ended') throw lockedBy(folder, holder!);
      if (holder !== null) takeAway(path, holder);
      tries++;
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

type Life = 'lives' | 'ending' | 'ended';

function lifeOf(holder: string): Life {
  const [pid, start] = holder.trim().split(' ');
  if (!/^\d+$/.test(pid)) return 'ended';
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    // somebody else's process is one, too
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return 'ended';
  }
  const now = startOf(Number(pid));
  if (now !== '?' && start !== '?' && now !== start) return 'ended';
  return now === '?' ? 'lives' : lifeOfThreads(Number(pid));
}

/** A killed process is gone with the last of its threads, the first of which may be a zombie long before. */
function lifeOfThreads(pid: number): Life {
  const threads = threadsOf(pid).map((thread) => lifeOfThread(`/proc/${pid}/task/${thread}`));
  if (threads.every((life) => life === 'ended')) return 'ended';
  return threads.some((life) => life === 'lives') ? 'lives' : 'ending';
}

function lifeOfThread(path: string): Life {
  const stat = statOf(path);
  if (stat === null || /[ZX]/.test(stat[STAT.state])) return 'ended';
  if ((Number(stat[STAT.flags]) & PF_EXITING) !== 0) return 'ending';
  const pending = [...(read(`${path}/status`) ?? '').matchAll(/^(?:Sig|Shd)Pnd:\s*([0-9a-f]+)$/gm)];
  return pending.some(([, mask]) => (BigInt(`0x${mask}`) & KILLED) !== 0n) ? 'ending' : 'lives';
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // it has ended in this moment
  }
}

/** When a process started, in the kernel's ticks since boot; '?' where the system does not tell. */
function startOf(pid: number): string {
  return statOf(`/proc/${pid}`)?.[STAT.start] ?? '?';
}

function statOf(path: string): string[] | null {
  const text = read(`${path}/stat`);
  // behind the name, which may hold anything
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Blocks the thread: nothing else of a store runs before it has its folder. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
