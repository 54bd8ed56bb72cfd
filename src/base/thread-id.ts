/** The kernel's number of the calling thread: the name under which /proc/self/task tells its CPU time. */
import { readlinkSync } from 'node:fs';

/** 0 where the system does not tell. */
export function kernelThreadId(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').pop());
  } catch {
    return 0;
  }
}
