/** Small disks in memory, for tests of what a disk can refuse; where mounting is not allowed they say why. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

const mount = (dir: string) => spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', dir]);
const unmount = (dir: string) => spawnSync('umount', ['-l', dir]);

/** Why no small disk can be had here, or false. */
export function mountsNot(): string | false {
  const dir = mkdtempSync(join(tmpdir(), 'bluemarble-'));
  const { status, stderr, error } = mount(dir);
  if (status === 0) unmount(dir);
  rmSync(dir, { recursive: true });
  return status === 0
    ? false
    : `a small disk cannot be mounted here: ${error?.message ?? String(stderr).trim()}`;
}
/** Runs a test's work on a disk of 8 MiB. */
export async function onSmallDisk(t: Test, work: (dir: string) => Promise<void>): Promise<void> {
  const dir = join(t.testdir({ disk: {} }), 'disk');
  t.equal(mount(dir).status, 0);
  try {
    await work(dir);
  } finally {
    unmount(dir);
  }
}
