/**
 * How long a shard has been silent, and whether that is a hang. Pure but for what it keeps; one for each shard.
 *
 * A heartbeat that stands still says that no work gets done, not whose fault that is. A thread that hangs in its own code
 * uses CPU time all the while, or sleeps for ever. One that is ready to run and gets no core, or waits for a page from the
 * disk, is held up by the machine: a replacement would be held up as well, and an innocent entity blamed. So silence is
 * counted in the thread's own CPU time where the system tells it.
 */
import { WATCH } from './watch-times.js';

/** What the system says of a thread. */
export interface Activity {
  /** CPU time since it began. */
  readonly cpuMs: number;
  /** The kernel's letter: R ready or running, S asleep, D waiting for the disk. */
  readonly state: string;
}

/** From here on the thread's own CPU time is compared: the files are not read for every hiccup. */
const SUSPECT_MS = WATCH.silentMs / 5;

export class Silence {
  /** Wall time, as the watcher felt it. */
  ms = 0;
  private heartbeat = 0;
  private cpuMs = -1;

  /** The thread has begun, or is ready: nothing is held against it. */
  begin(heartbeat: number): void {
    this.heartbeat = heartbeat;
    this.ms = 0;
    this.cpuMs = -1;
  }

  /**
   * A look at a thread that runs.
   * @param gapMs since the look before, bounded: who did not look has seen no silence
   * @param activity null where the system does not tell
   * @returns whether it hangs
   */
  hangs(heartbeat: number, gapMs: number, activity: () => Activity | null): boolean {
    if (heartbeat !== this.heartbeat) {
      this.begin(heartbeat);
      return false;
    }
    this.ms += gapMs;
    if (this.ms < SUSPECT_MS || (this.cpuMs >= 0 && this.ms < WATCH.silentMs)) return false;
    const now = activity();
    if (now === null) return this.ms >= WATCH.silentMs;
    if (this.cpuMs < 0) this.cpuMs = now.cpuMs;
    if (this.ms < WATCH.silentMs) return false;
    return now.cpuMs - this.cpuMs >= WATCH.silentMs - SUSPECT_MS || this.ms >= patienceOf(now.state);
  }

  /** A look at one that is on its way up: it is silent until it adopts, and what it adopts may be much. */
  isTooLong(heartbeat: number, gapMs: number): boolean {
    if (heartbeat !== this.heartbeat) this.begin(heartbeat);
    this.ms += gapMs;
    return this.ms >= WATCH.startMs;
  }
}

/** How long a thread may be silent that does not use its CPU time, ms of wall time. */
function patienceOf(state: string): number {
  if (state === 'D') return WATCH.diskMs;
  return state === 'R' ? WATCH.starvedMs : WATCH.asleepMs;
}

/** @param stat, schedstat texts of the thread's files of these names; null where they cannot be read */
export function activityOf(stat: string | null, schedstat: string | null): Activity | null {
  // The second field is a name in brackets that may hold anything.
  const state = stat?.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) ?? '';
  const cpuMs = Number((schedstat ?? '').split(' ')[0]) / 1e6;
  return state === '' || schedstat === null || !Number.isFinite(cpuMs) ? null : { cpuMs, state };
}
