/**
 * Who may read a data directory: it holds the secret of session tokens, so nobody but its owner. Contract: what is made
 * is 0700 and 0600 whatever the umask; what was made wider is narrowed, and told. A directory that also holds what is not
 * ours (a home, a shared folder) keeps its own rights: others may need them.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LOCK_FILE } from './hold.js';
import { DATA_FILE } from './lmdb-engine.js';
import { DRAFT, SNAPSHOTS } from './snapshot-names.js';

/** Rights of everybody but the owner. */
const OTHERS = 0o077;

/** Makes a folder that only its owner can look into; its parents are made as everybody makes them. */
export function makePrivate(folder: string): void {
  if (existsSync(folder)) return;
  mkdirSync(dirname(folder), { recursive: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700); // an umask may have taken the owner's
}

/** Takes away what others may do with the data in a folder. @returns sentences for the log: what was, and what stays */
export function narrowRights(folder: string): string[] {
  const isOurs = readdirSync(folder).every(
    (name) => isData(name) || name === SNAPSHOTS || name === 'lost+found',
  );
  const narrowed: string[] = [];
  const open: string[] = [];
  for (const path of [...(isOurs ? [folder] : []), ...dataIn(folder)]) {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & OTHERS) === 0) continue;
    try {
      chmodSync(path, mode & ~OTHERS & 0o7777);
      narrowed.push(path);
    } catch {
      open.push(path); // somebody else's
    }
  }
  if (!isOurs && (statSync(folder).mode & OTHERS) !== 0) open.push(folder);
  return [
    ...sentence(narrowed, 'could be used by other users of this machine: now by their owner only'),
    ...sentence(
      open,
      'can be used by other users of this machine: give the server a directory of its own (0700)',
    ),
  ];
}

function sentence(paths: readonly string[], what: string): string[] {
  if (paths.length === 0) return [];
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : '';
  return [`${paths.slice(0, 3).join(', ')}${more} ${what}`];
}

function isData(name: string): boolean {
  return name === LOCK_FILE || name.startsWith(DATA_FILE) || name.endsWith(DRAFT);
}

/** Files of ours in a data directory, its snapshots and their folders. */
function dataIn(folder: string): string[] {
  const here = readdirSync(folder)
    .filter(isData)
    .map((name) => join(folder, name));
  const all = join(folder, SNAPSHOTS);
  if (!statSync(all, { throwIfNoEntry: false })?.isDirectory()) return here;
  const each = readdirSync(all, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...here, all, ...each.flatMap(({ name }) => [join(all, name), ...dataIn(join(all, name))])];
}
