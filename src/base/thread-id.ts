/** Who the calling thread is: its number at the kernel, its priority, and the name that it has given itself. */
import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** Under this number /proc/self/task tells its CPU time; 0 where the system does not tell. */
export function kernelThreadId(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').pop());
  } catch {
    return 0;
  }
}

/**
 * Gives the calling thread another nice value, where the kernel has one for each thread (Linux); below 0 it must permit it
 * (root, CAP_SYS_NICE, or a limit set by `ulimit -e`). See sched(7).
 * @param nice −20 (runs first) … 19 @param set for tests
 * @returns the value that it has now
 */
export function setThreadNice(nice: number, set: typeof setPriority = setPriority): number {
  const thread = kernelThreadId();
  if (thread === 0) return 0; // elsewhere the number would be a process
  try {
    set(thread, nice);
  } catch {
    // Not permitted: what it has now tells.
  }
  return getPriority(thread);
}

let given: string | undefined;

/** For a thread that learns only later what it is: Node 20 has no way to rename one. */
export function nameThread(name: string): void {
  given = name;
}

/** What `nameThread` was last told on this thread. */
export function givenName(): string | undefined {
  return given;
}
