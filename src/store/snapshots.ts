/**
 * Snapshots: a copy of the data as of its newest durable cut, made while the world goes on. A snapshot is a data directory
 * of its own, so everything that reads one reads the other. It appears under its name only once it is whole, flushed and
 * verified.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { isSnapshotName, openReadOnly, SNAPSHOTS } from './data-folder.js';
import type { Engine } from './engine.js';
import type { SnapshotInfo } from './types.js';
import { verifyData } from './verify.js';

/** @throws Error with a sentence: a world in memory, a bad or taken name, no room, a copy that does not verify */
export async function takeSnapshot(
  engine: Engine,
  folder: string | null,
  name: string,
): Promise<SnapshotInfo> {
  if (folder === null)
    throw new Error('a world in memory has no folder for snapshots: start with --data DIR');
  if (!isSnapshotName(name))
    throw new Error('a snapshot is named by up to 64 letters, digits, dots, dashes and underscores');
  const target = join(folder, SNAPSHOTS, name);
  if (existsSync(target)) throw new Error(`there is a snapshot '${name}' already`);
  const draft = `${target}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(join(folder, SNAPSHOTS), { recursive: true });
  try {
    const bytes = await engine.copy(draft);
    const copy = openReadOnly(draft);
    const verdict = await verifyData(copy, draft, () => turn()).finally(() => copy.close());
    const { faults, faultCount, tick, entities } = verdict;
    if (faultCount > 0) throw new Error(`the copy has ${faultCount} faults: ${faults[0]}`);
    renameSync(draft, target);
    return { name, tick, entities, bytes };
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
}
