/**
 * How many client sockets a process may hold: what its limit of descriptors (`ulimit -n`) leaves after what it needs
 * otherwise. At a full table `accept` fails at once and is tried for ever, so the gateways stop listening before that.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Of the admin port, with the places for health; a thread's (event loop, doorbells, files of its modules); the rest: LMDB, pipes. */
const ADMIN = 300;
const A_THREAD = 12;
const OTHERS = 64;
/** So many clients are served with the smallest limit, whatever becomes of the rest. */
const LEAST = 16;

/**
 * @param limit descriptors of the process @param open those in use now @param threads that may still start
 * @returns sockets of clients that fit
 */
export function roomForSockets(limit: number, open: number, threads: number): number {
  // Of a small limit a quarter, so that the admin port keeps some places.
  const others = Math.min(ADMIN + OTHERS + A_THREAD * threads, Math.floor(limit / 4));
  return Math.max(LEAST, limit - open - others);
}

/** Soft limit and use of this process; Infinity and 0 where there is no /proc. */
export function readDescriptors(): { limit: number; open: number } {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return { limit: Number(limit ?? Number.POSITIVE_INFINITY), open: readdirSync('/proc/self/fd').length };
  } catch {
    return { limit: Number.POSITIVE_INFINITY, open: 0 };
  }
}
