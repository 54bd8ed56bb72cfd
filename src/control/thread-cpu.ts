/**
 * CPU time and waiting time of threads, from /proc/self/task/TID/schedstat.
 *
 * Contract: `sample` is called about once a second with the threads that matter; busy is CPU time over wall time of
 * the last interval. Wall time inside a tick would count a thread that waits for a core as busy, and a planner that
 * believes it splits a full machine to death. Where the file is missing, `busy` is null and the caller falls back.
 */
import type { Clock } from '../base/clock.js';

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

/** The machine counts as full when a thread waited for a core for more than this share of the window. */
const FULL_SHARE = 0.2;
const FULL_WINDOW_MS = 5_000;

export class ThreadCpu {
  private readonly samples = new Map<string, Sample[]>();

  /** @param readText content of a file, or null where it cannot be read */
  constructor(
    private readonly clock: Clock,
    private readonly readText: (path: string) => string | null,
  ) {}

  sample(threads: readonly ThreadName[]): void {
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

  /** CPU time over wall time between the last two samples, 0…1; null when unknown. */
  busy(name: string): number | null {
    const s = this.samples.get(name) ?? [];
    const [before, last] = [s[s.length - 2], s[s.length - 1]];
    if (before === undefined || last === undefined || last.atMs <= before.atMs) return null;
    return Math.min(1, Math.max(0, (last.cpuMs - before.cpuMs) / (last.atMs - before.atMs)));
  }

  /** Some thread waited for a core for more than 20 % of the last 5 s. */
  get saturated(): boolean {
    for (const s of this.samples.values()) {
      const [first, last] = [s[0], s[s.length - 1]];
      if (first === undefined || last === undefined || last.atMs - first.atMs < FULL_WINDOW_MS * 0.9)
        continue;
      if ((last.waitMs - first.waitMs) / (last.atMs - first.atMs) > FULL_SHARE) return true;
    }
    return false;
  }
}
