/**
 * How late frames come, told by the client's clock alone, so that it means the same for every server: what arrives
 * within half a frame's time is one frame, and it is late by what lies between two frames beyond a frame's time.
 */

/** Milliseconds per bin; the last bin holds all that is later. */
export const LATENESS_BINS = 1000;

export class Lateness {
  private began = Number.NaN;

  constructor(
    private readonly periodMs: number,
    private readonly bins: number[],
  ) {}

  /** A message of the world came at `now`, ms. */
  heard(now: number): void {
    const gap = now - this.began;
    if (gap < this.periodMs / 2) return;
    if (gap >= 0) this.bins[Math.min(LATENESS_BINS - 1, Math.max(0, Math.ceil(gap - this.periodMs)))]!++;
    this.began = now;
  }
}

/** @returns lateness in ms that a share of the frames stays below; NaN when there were none */
export function latenessAt(bins: readonly number[], share: number): number {
  const total = bins.reduce((sum, n) => sum + n, 0);
  if (total === 0) return Number.NaN;
  let seen = 0;
  for (let ms = 0; ms < bins.length; ms++) {
    seen += bins[ms]!;
    if (seen >= share * total) return ms;
  }
  return bins.length;
}
