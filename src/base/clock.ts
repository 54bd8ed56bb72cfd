/**
 * The one place that reads time and sets timers; everything else is given a Clock or Timers, so that a test or a
 * simulation holds the hands. Monotonic only: nothing in the world depends on the wall clock.
 */

export interface Clock {
  /** Milliseconds since an origin that every thread of the process shares; never goes back. */
  now(): number;
}

export interface Timers {
  /** Calls fn once after ms; the returned function cancels. */
  after(ms: number, fn: () => void): () => void;
  /** Calls fn every ms until the returned function is called. */
  every(ms: number, fn: () => void): () => void;
}

const SAMPLES = 32;

/**
 * What to add to performance.now() (origin: start of the thread) to get milliseconds on process.hrtime (origin:
 * the machine's, the same in all threads). Both read CLOCK_MONOTONIC, so the offset is a constant; reading one
 * between two readings of the other bounds the error by half their distance, and the narrowest of some readings
 * is taken because a thread may lose its core in the middle of one. Typical error below 1 µs.
 */
function threadOffset(): number {
  let narrowest = Number.POSITIVE_INFINITY;
  let offset = 0;
  for (let i = 0; i < SAMPLES; i++) {
    const before = performance.now();
    const shared = Number(process.hrtime.bigint()) / 1e6;
    const after = performance.now();
    if (after - before >= narrowest) continue;
    narrowest = after - before;
    offset = shared - (before + after) / 2;
  }
  return offset;
}

/** The clock of the process. now() allocates nothing, unlike process.hrtime, which makes an array or a BigInt. */
export function monotonicClock(): Clock {
  const offset = threadOffset();
  return { now: () => performance.now() + offset };
}

/** What to add to a time of `clock` to get ms since 1970, for what leaves the process: nothing in the world uses it. */
export function sinceEpoch(clock: Clock): number {
  return performance.timeOrigin + performance.now() - clock.now();
}

/** Timers of the event loop of this thread. They keep the thread alive until cancelled. */
export function systemTimers(): Timers {
  return {
    after(ms, fn) {
      const timer = setTimeout(fn, ms);
      return () => clearTimeout(timer);
    },
    every(ms, fn) {
      const timer = setInterval(fn, ms);
      return () => clearInterval(timer);
    },
  };
}
