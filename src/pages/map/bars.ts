/** Durations gathered into the bars of a logarithmic scale. Pure. */

const LEAST_MS = 0.5;
const MOST_MS = 2000;
export const BARS = 48;

/** Counts by bar. @param times upper edge in ms, count, … */
export function barsOf(times: readonly number[]): number[] {
  const bars = new Array<number>(BARS).fill(0);
  for (let i = 0; i < times.length; i += 2)
    bars[Math.min(BARS - 1, Math.floor(share(times[i]) * BARS))] += times[i + 1];
  return bars;
}

/** Place of a duration on the scale, 0 … 1. */
export function share(ms: number): number {
  const place = Math.log(ms / LEAST_MS) / Math.log(MOST_MS / LEAST_MS);
  return Math.min(1, Math.max(0, place));
}
