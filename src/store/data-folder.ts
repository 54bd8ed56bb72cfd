/**
 * A data directory: made, held, its rights narrowed, its file looked at, opened. What is not what it should be is refused
 * here, before anything is written: above all a world that was there and is not there now.
 *
 * ```
 *  DIR/world.mdb        the data          DIR/lock                        who uses it
 *  DIR/world.mdb-lock   LMDB's readers    DIR/snapshots/NAME/             copies: data directories like this one
 *                                         DIR/world.mdb.before-restore    what a snapshot took the place of
 * ```
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BlueMarbleError } from '../base/errors.js';
import { META } from './book.js';
import { asDataError, awaitData, checkFile, syncFolder } from './data-file.js';
import { type Hold, holdFolder, type HoldMark, shareFolder } from './hold.js';
import { DATA_FILE, LmdbEngine } from './lmdb-engine.js';
import { ASIDE, restoreSnapshot } from './restore.js';
import { makePrivate, narrowRights } from './rights.js';
import { DRAFT, SNAPSHOTS } from './snapshot-names.js';

/** A start needs some room: for the pages that the first transactions copy. */
const NEEDED_BYTES = 2 ** 20;

export interface DataFolder {
  readonly engine: LmdbEngine;
  /** For other threads that write in it. */
  readonly hold: HoldMark;
  /** What people should know of it, one sentence each. */
  readonly warnings: readonly string[];
  /** After the engine was closed. */
  release(): void;
}

/**
 * Opens a data directory for this process alone; makes it where there is none.
 * @param restore name of a snapshot that takes the place of the data first; what stood there is kept aside
 * @throws BlueMarbleError DATA_LOCKED, DATA_CORRUPT, DATA_MISSING, DATA_READ_ONLY, DATA_FULL, BAD_FLAG (no such snapshot)
 */
export async function openDataFolder(folder: string, restore: string | null = null): Promise<DataFolder> {
  const hold = asDataError(folder, () => {
    makePrivate(folder);
    return holdFolder(folder);
  });
  try {
    return await awaitData(folder, () => openHeld(folder, hold, restore));
  } catch (error) {
    hold.release();
    throw error;
  }
}

async function openHeld(folder: string, hold: Hold, restore: string | null): Promise<DataFolder> {
  const warnings = [...hold.warnings];
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < NEEDED_BYTES) throw failure('ENOSPC');
  for (const name of readdirSync(folder))
    if (name.endsWith(DRAFT)) rmSync(join(folder, name), { recursive: true });
  warnings.push(...narrowRights(folder));
  const aside = restore === null ? null : await restoreSnapshot(folder, restore);
  if (aside !== null)
    warnings.push(`went back to the snapshot '${restore}': what stood there is kept as ${aside}`);
  const path = join(folder, DATA_FILE);
  const { size } = statSync(path, { throwIfNoEntry: false }) ?? {};
  if (!size) await begin(folder, size === 0);
  checkFile(path);
  const engine = new LmdbEngine(folder, { hold: hold.mark });
  if (engine.get('meta', META.format) === undefined && tracesIn(folder).length > 0) {
    await engine.close();
    throw missing(folder, 'holds no world', tracesIn(folder));
  }
  return { engine, hold: hold.mark, warnings, release: hold.release };
}

/** A new file appears under its name only once it is one: whatever else is found there was something else before. */
async function begin(folder: string, isEmpty: boolean): Promise<void> {
  const path = join(folder, DATA_FILE);
  if (isEmpty) throw missing(folder, 'is empty', [DATA_FILE, ...tracesIn(folder)]);
  const traces = [...(existsSync(`${path}-lock`) ? [`${DATA_FILE}-lock`] : []), ...tracesIn(folder)];
  if (traces.length > 0) throw missing(folder, 'is missing', traces);
  const draft = join(folder, `new${DRAFT}`);
  mkdirSync(draft, { mode: 0o700 });
  await new LmdbEngine(draft).close();
  renameSync(join(draft, DATA_FILE), path);
  rmSync(draft, { recursive: true });
  syncFolder(folder);
}

/** What tells that a world was here. */
function tracesIn(folder: string): string[] {
  const all = join(folder, SNAPSHOTS);
  const isKept = existsSync(all) && readdirSync(all).some((name) => !name.endsWith(DRAFT));
  return [...readdirSync(folder).filter((name) => name.startsWith(ASIDE)), ...(isKept ? [SNAPSHOTS] : [])];
}

function missing(folder: string, what: string, traces: readonly string[]): BlueMarbleError {
  return new BlueMarbleError(
    'DATA_MISSING',
    `${join(folder, DATA_FILE)} ${what}, but ${folder} has held a world (${traces.join(', ')}): put the file back, go back` +
      ' to a snapshot (--restore NAME), or take these away to begin a new world',
  );
}

/**
 * For looking at data that nobody writes meanwhile.
 * @throws BlueMarbleError DATA_CORRUPT, DATA_LOCKED, BAD_FLAG (no data there)
 */
export function openReadOnly(folder: string): LmdbEngine {
  const path = join(folder, DATA_FILE);
  if (!existsSync(path)) throw new BlueMarbleError('BAD_FLAG', `${folder} holds no ${DATA_FILE}`);
  return asDataError(folder, () => {
    const release = shareFolder(folder);
    try {
      checkFile(path);
      return new LmdbEngine(folder, { readOnly: true, closed: release });
    } catch (error) {
      release();
      throw error;
    }
  });
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: no space left`), { code });
}
