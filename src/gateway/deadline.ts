/**
 * How long a connection may stay in a state on its way in. Pure.
 *
 * It is given time in which it was served (`served` of the core), and it grows while the server behind the gateway is
 * late, up to a bound: nobody is sent away because the server is slow at the moment; a client that came again would
 * only cost it the same work once more.
 */

import { LIMITS } from '../base/limits.js';

/** Without Hello: only the client is to blame. From Hello to the end of authentication, and from there to READY. */
export const WAITS = {
  hello: { ms: LIMITS.firstMessageS * 1000, mostMs: LIMITS.firstMessageS * 1000 },
  enter: { ms: 5_000, mostMs: 30_000 },
} as const;

/** A late server is looked at so often. */
const AGAIN_MS = 1_000;

export class Deadline {
  private until = 0;
  private last = 0;

  /** @param served ms of the core's clock of deadlines @param wait one of WAITS */
  begin(served: number, { ms, mostMs }: { readonly ms: number; readonly mostMs: number }): void {
    this.until = served + ms;
    this.last = served + mostMs;
  }

  /** @param isLate whether the server is; asked only when it matters */
  isOver(served: number, isLate: () => boolean): boolean {
    if (served < this.until) return false;
    if (served >= this.last || !isLate()) return true;
    this.until = Math.min(this.last, served + AGAIN_MS);
    return false;
  }
}
