/**
 * CPU time and waiting time of threads, from /proc/self/task/TID/schedstat.
 *
 * Contract: `sample` is called a few times a second with the threads that matter; shares are over wall time. Wall time
 * inside a tick would count a thread that waits for a core as busy, and a planner that believes it splits a full
 * machine to death. Where the file is missing, figures are null and the caller falls back.
 */
import { readFileSync } from 'node:fs';
import type { Clock } from '../base/clock.js';
import { LIMITS } from '../base/limits.js';
import { MachineCpu } from './machine-cpu.js';

export interface ThreadName {
  readonly name: string;
  /** Kernel thread id; 0 = not known. */
  readonly tid: number;
}

interface Sample {
  readonly tid: number;
  readonly atMs: number;
  readonly cpuMs: number;
  readonly waitMs: number;
}

/** Shares of wall time, 0…1. */
export interface ThreadShare {
  readonly busy: number;
  /** Ready to run, and without a core. */
  readonly waiting: number;
}

/** The machine counts as full when a thread waited for a core for more than a share of the window. */
const FULL_WINDOW_MS = 5_000;
const BUSY_WINDOW_MS = 1_000;

export class ThreadCpu {
  private readonly samples = new Map<string, Sample[]>();
  private readonly machine: MachineCpu;

  /** @param readText content of a file, or null where it cannot be read */
  constructor(
    private readonly clock: Clock,
    private readonly readText: (path: string) => string | null,
  ) {
    this.machine = new MachineCpu(clock, readText);
  }

  /** This process's share of the CPU time that the machine gave away in the last 5 s, 0…1; 1 where that is not told. */
  get ownShare(): number {
    return this.machine.ownShare;
  }

  sample(threads: readonly ThreadName[]): void {
    this.machine.sample();
    const atMs = this.clock.now();
    for (const { name, tid } of threads) {
      const read = tid > 0 ? this.readText(`/proc/self/task/${tid}/schedstat`) : null;
      const [cpu, wait] = (read ?? '').split(' ').map(Number);
      const known = this.samples.get(name) ?? [];
      // Another thread id under the same name is a replacement: its counters begin anew.
      const kept = known.filter((s) => s.tid === tid && atMs - s.atMs <= FULL_WINDOW_MS + 1_500);
      if (read !== null && Number.isFinite(cpu) && Number.isFinite(wait)) {
        kept.push({ tid, atMs, cpuMs: cpu! / 1e6, waitMs: wait! / 1e6 });
      }
      this.samples.set(name, kept);
    }
  }

  /** CPU time over wall time of the last second, or of the last interval where that is longer; null when unknown. */
  busy(name: string): number | null {
    return this.over(name, BUSY_WINDOW_MS)?.busy ?? null;
  }

  /** Shares since the sample before the last one; null when unknown. */
  latest(name: string): ThreadShare | null {
    return this.over(name, 0);
  }

  /**
   * Share of the last 5 s in which a thread waited for a core: the most of those that have work. One that wakes now and
   * then for nothing waits as well, where other programs keep the machine full: less service would not cure that. 0
   * before there are 5 s.
   */
  get waiting(): number {
    let most = 0;
    for (const s of this.samples.values()) {
      const [first, last] = [s[0], s[s.length - 1]];
      if (first === undefined || last === undefined || last.atMs - first.atMs < FULL_WINDOW_MS * 0.9)
        continue;
      const ms = last.atMs - first.atMs;
      if (last.cpuMs - first.cpuMs >= LIMITS.fullOwnShare * ms)
        most = Math.max(most, (last.waitMs - first.waitMs) / ms);
    }
    return most;
  }

  /** Some thread that has work waited for a core for more than 20 % of the last 5 s. */
  get saturated(): boolean {
    return this.waiting > LIMITS.fullWaitingShare;
  }

  /** From the newest sample that is at least so old, and not the last one, to the last one. */
  private over(name: string, windowMs: number): ThreadShare | null {
    const s = this.samples.get(name) ?? [];
    const last = s[s.length - 1];
    if (last === undefined) return null;
    let from = s.length - 2;
    while (from > 0 && last.atMs - s[from].atMs < windowMs) from--;
    const before = s[from];
    if (before === undefined || last.atMs <= before.atMs) return null;
    const share = (ms: number) => Math.min(1, Math.max(0, ms / (last.atMs - before.atMs)));
    return { busy: share(last.cpuMs - before.cpuMs), waiting: share(last.waitMs - before.waitMs) };
  }
}

export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // not Linux, or the thread has ended
  }
}
