/**
 * Snapshots: a copy of the data as of its newest durable cut, made while the world goes on. A snapshot is a data directory
 * of its own, so everything that reads one reads the other. It appears under its name only once it is whole, flushed and
 * verified. Those that nobody named are `auto-TICK`: of them only so many are kept, the oldest go.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { numbers } from './book.js';
import { checkFile, syncFolder } from './data-file.js';
import type { Engine } from './engine.js';
import { DATA_FILE, LmdbEngine } from './lmdb-engine.js';
import { makePrivate } from './rights.js';
import { AUTOMATIC, DRAFT, isSnapshotName, SNAPSHOT_NAME_RULE, SNAPSHOTS } from './snapshot-names.js';
import type { SnapshotInfo, SnapshotWish } from './types.js';
import { verifyData } from './verify.js';

/** Room that a snapshot leaves to the world. */
const SPARE_BYTES = 2 ** 20;

/**
 * @param pause awaited between slices of the verification; what it throws ends the work
 * @throws Error with a sentence: a world in memory, a bad or taken name, no room, a copy that does not verify
 */
export async function takeSnapshot(
  engine: Engine,
  folder: string | null,
  wish: SnapshotWish,
  pause: () => Promise<unknown> = () => turn(),
): Promise<SnapshotInfo> {
  if (folder === null)
    throw new Error('a world in memory has no folder for snapshots: start with --data DIR');
  if (wish.name !== null && !isSnapshotName(wish.name)) throw new Error(SNAPSHOT_NAME_RULE);
  const all = join(folder, SNAPSHOTS);
  makePrivate(all);
  const name = wish.name ?? freeName(all, numbers(engine, 'durableTick', folder)[0]);
  const target = join(all, name);
  if (existsSync(target)) throw new Error(`there is a snapshot '${name}' already`);
  // One at a time: what is unfinished here was left by a process that was killed.
  for (const left of readdirSync(all)) if (left.endsWith(DRAFT)) remove(join(all, left));
  checkRoom(folder);
  const draft = target + DRAFT;
  try {
    const bytes = await engine.copy(draft);
    syncFile(join(draft, DATA_FILE)); // the copy is written past the page cache, and not flushed
    syncFolder(draft);
    checkFile(join(draft, DATA_FILE));
    const copy = new LmdbEngine(draft, { readOnly: true });
    const verdict = await verifyData(copy, draft, pause).finally(() => copy.close());
    const { faults, faultCount, tick, entities, orphanCount: orphans } = verdict;
    if (faultCount > 0) throw new Error(`the copy has ${faultCount} faults: ${faults[0]}`);
    renameSync(draft, target);
    syncFolder(all);
    prune(all, wish.keep);
    return { name, tick, entities, bytes, orphans };
  } catch (error) {
    remove(draft);
    throw error;
  }
}

/** Ticks come again after an older snapshot was restored. */
function freeName(all: string, tick: number): string {
  let name = `${AUTOMATIC}${tick}`;
  for (let again = 2; existsSync(join(all, name)); again++) name = `${AUTOMATIC}${tick}-${again}`;
  return name;
}

function checkRoom(folder: string): void {
  const { bavail, bsize } = statfsSync(folder);
  const needed = statSync(join(folder, DATA_FILE)).size + SPARE_BYTES;
  if (bavail * bsize < needed)
    throw new Error(`a snapshot may need ${needed} bytes, the disk has room for ${bavail * bsize}`);
}

/** Makes a file that was closed survive the machine. */
function syncFile(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function prune(all: string, keep: number): void {
  const age = (name: string) => statSync(join(all, name, DATA_FILE)).mtimeMs;
  const mine = readdirSync(all).filter((name) => name.startsWith(AUTOMATIC) && !name.endsWith(DRAFT));
  const byAge = mine.map((name) => ({ name, ms: age(name) })).sort((a, b) => b.ms - a.ms);
  for (const { name } of byAge.slice(keep)) remove(join(all, name));
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
