/** The longest gap in the news of one bot, of each stretch of some seconds. Pure. */
import type { Histogram } from './histogram.js';

/** Of each stretch of so long the longest gap is noted. */
const WINDOW_MS = 3000;

export class WorstGap {
  private windowMs = 0;
  private worstMs = 0;

  constructor(private readonly gaps: Histogram) {}

  note(gapMs: number, now: number): void {
    this.worstMs = Math.max(this.worstMs, gapMs);
    if (now - this.windowMs < WINDOW_MS) return;
    if (this.windowMs > 0) this.gaps.record(this.worstMs);
    this.windowMs = now;
    this.worstMs = 0;
  }
}
