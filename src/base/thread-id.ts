/** Who the calling thread is: its number at the kernel, and the name that it has given itself. */
import { readlinkSync } from 'node:fs';

/** Under this number /proc/self/task tells its CPU time; 0 where the system does not tell. */
export function kernelThreadId(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').pop());
  } catch {
    return 0;
  }
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
