/** Hogs as a group of processes: started together, ended together, whatever becomes of the bench. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemTimers } from '../../src/base/clock.js';
import type { Kind } from './hog.js';

const FILE = fileURLToPath(new URL('./hog.js', import.meta.url));
/** A hog in the middle of a large write hears nobody for a while. */
const END_MS = 5_000;

export class Hogs {
  private readonly children: ChildProcess[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'bluemarble-hogs-'));

  /**
   * @param counts how many of each kind
   * @param seconds after which they end by themselves, told or not
   */
  constructor(counts: Readonly<Partial<Record<Kind, number>>>, seconds: number) {
    for (const [kind, count] of Object.entries(counts))
      for (let i = 0; i < count; i++)
        this.children.push(fork(FILE, [kind, this.folder, String(seconds)], { stdio: 'ignore' }));
  }

  /** How many still run. */
  get running(): number {
    return this.children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
      .length;
  }

  /** Resolves when none is left, and nothing of what they wrote. */
  async stop(): Promise<void> {
    await Promise.all(
      this.children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exit = once(child, 'exit');
        if (child.connected) child.disconnect();
        const cancel = systemTimers().after(END_MS, () => child.kill('SIGKILL'));
        await exit;
        cancel();
      }),
    );
    rmSync(this.folder, { recursive: true, force: true });
  }
}
