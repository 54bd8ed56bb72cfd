/**
 * Going back to a snapshot: it takes the place of the data in one step, with the newer bounds of ids and incarnations.
 * What stood there is kept aside under a name that nothing has. Contract: whoever kills it finds the old data or the new.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { BlueMarbleError } from '../base/errors.js';
import { type Bounds, bookRestored, numbers, readBounds, type Restored, restoredFrom } from './book.js';
import { checkFile, syncFolder } from './data-file.js';
import { DATA_FILE, LmdbEngine } from './lmdb-engine.js';
import { DRAFT, isSnapshotPath, SNAPSHOTS } from './snapshot-names.js';

export const ASIDE = `${DATA_FILE}.before-restore`;

/**
 * The data become a copy of the snapshot. Data that went back to this very snapshot already stay, whether it is there
 * still or not: a server that is started again with the same flags goes on.
 * @returns where what stood there is now; null = it stays, or nothing stood there
 * @throws BlueMarbleError BAD_FLAG, DATA_CORRUPT; errors of the file system as they are
 */
export async function restoreSnapshot(folder: string, name: string): Promise<string | null> {
  const from = join(folder, SNAPSHOTS, name, DATA_FILE);
  const isThere = isSnapshotPath(name) && existsSync(from);
  const present = await lookAt(folder);
  if (!isThere) {
    if (present?.restored?.name === name) return null;
    throw noSuchSnapshot(folder, name);
  }
  checkFile(from);
  const draft = join(folder, `restore${DRAFT}`);
  mkdirSync(draft, { mode: 0o700 });
  try {
    copyFileSync(from, join(draft, DATA_FILE));
    chmodSync(join(draft, DATA_FILE), 0o600);
    const isRestored = await prepare(draft, name, present);
    return isRestored ? null : replace(folder, join(draft, DATA_FILE));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function noSuchSnapshot(folder: string, name: string): BlueMarbleError {
  const all = join(folder, SNAPSHOTS);
  const there = existsSync(all) ? readdirSync(all).filter((one) => !one.endsWith(DRAFT)) : [];
  const known = there.length === 0 ? 'none is there' : `there are ${there.slice(0, 20).join(', ')}`;
  return new BlueMarbleError('BAD_FLAG', `${folder} has no snapshot '${name}' (--restore): ${known}`);
}

/** @returns where the old file is */
function replace(folder: string, draft: string): string | null {
  const path = join(folder, DATA_FILE);
  const aside = existsSync(path) ? freeName(join(folder, ASIDE)) : null;
  if (aside !== null) keepAside(path, aside);
  rmSync(`${path}-lock`, { force: true }); // LMDB's readers file belongs to the file that is replaced
  renameSync(draft, path);
  syncFolder(folder);
  return aside;
}

/** A second name, so that there is a file under the first one at every instant; not every file system has such. */
function keepAside(path: string, aside: string): void {
  try {
    linkSync(path, aside);
  } catch {
    renameSync(path, aside);
  }
}

function freeName(path: string): string {
  let name = path;
  for (let again = 2; existsSync(name); again++) name = `${path}-${again}`;
  return name;
}

type Present = Bounds & { restored: Restored | null };

/** @returns whether the data went back to this snapshot already; if not, the draft may take their place */
async function prepare(draft: string, name: string, present: Present | null): Promise<boolean> {
  const copy = new LmdbEngine(draft);
  try {
    const [tick] = numbers(copy, 'durableTick', draft);
    if (present?.restored?.name === name && present.restored.tick === tick) return true;
    bookRestored(copy, name, present, draft);
    return false;
  } finally {
    await copy.close();
  }
}

/** What the present data say; null = there are none, or they are damaged. */
async function lookAt(folder: string): Promise<Present | null> {
  if (!existsSync(join(folder, DATA_FILE))) return null;
  let engine: LmdbEngine | null = null;
  try {
    checkFile(join(folder, DATA_FILE));
    engine = new LmdbEngine(folder, { readOnly: true });
    return { ...readBounds(engine, folder), restored: restoredFrom(engine) };
  } catch (error) {
    if (error instanceof BlueMarbleError) return null;
    throw error;
  } finally {
    await engine?.close();
  }
}
