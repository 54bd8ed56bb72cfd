/**
 * How much of the CPU time that the machine gave away was this process's, from /proc: only that share of what threads
 * wait for can be relieved by serving tiles less.
 *
 * Contract: `sample` is called a few times a second. Where the control group of the process was held back by a limit of
 * its own, the group is the machine: who else runs outside of it takes nothing from it. Where the system does not tell,
 * all is taken for this process's own.
 */
import type { Clock } from '../base/clock.js';
import { LIMITS } from '../base/limits.js';
import { cpuOfStat } from './thread-times.js';

interface Times {
  readonly atMs: number;
  /** Seconds of CPU time: of this process, of all that runs on the machine, of its control group. */
  readonly own: number;
  readonly machine: number;
  readonly group: number;
  /** Seconds for which the group was held back. */
  readonly held: number;
}

const WINDOW_MS = LIMITS.fullWindowS * 1000;
/** A group held back for less of the window is not what threads wait for. */
const HELD_SHARE = 0.05;
/** Fields of the line of all cores: user nice system idle iowait irq softirq steal. */
const USED = [0, 1, 2, 5, 6, 7];
const TICKS_PER_SECOND = 100;

export class MachineCpu {
  private readonly times: Times[] = [];

  /** @param readText content of a file, or null where it cannot be read */
  constructor(
    private readonly clock: Clock,
    private readonly readText: (path: string) => string | null,
  ) {}

  sample(): void {
    const own = cpuOfStat(this.readText('/proc/self/stat'));
    const machine = usedOf(this.readText('/proc/stat'));
    if (own === null || machine === null) return;
    const group = this.readText('/sys/fs/cgroup/cpu.stat') ?? '';
    const atMs = this.clock.now();
    this.times.push({
      atMs,
      own: own.user + own.system,
      machine,
      group: secondsOf(group, 'usage_usec'),
      held: secondsOf(group, 'throttled_usec'),
    });
    while (this.times.length > 2 && atMs - this.times[1]!.atMs >= WINDOW_MS) this.times.shift();
  }

  /** Over the last 5 s, 0…1. */
  get ownShare(): number {
    const [first, last] = [this.times[0], this.times[this.times.length - 1]];
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 1;
    const isHeld = last.held - first.held > (HELD_SHARE * (last.atMs - first.atMs)) / 1000;
    const used = isHeld ? last.group - first.group : last.machine - first.machine;
    const own = last.own - first.own;
    // The kernel counts in hundredths of a second, each counter for itself.
    return used <= 0 ? 1 : Math.min(1, Math.max(0, own / used));
  }
}

/** Seconds that were not idle, of all cores, since the machine began; null when the text is none. */
function usedOf(text: string | null): number | null {
  const line = /^cpu +(.*)$/m.exec(text ?? '')?.[1] ?? '';
  const fields = line.split(' ').map(Number);
  const used = USED.reduce((sum, i) => sum + (fields[i] ?? Number.NaN), 0);
  return Number.isFinite(used) ? used / TICKS_PER_SECOND : null;
}

/** Of a line "name microseconds"; 0 where there is none. */
function secondsOf(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0) / 1e6;
}
