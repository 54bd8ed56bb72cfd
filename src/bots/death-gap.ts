/**
 * How long a player was without news when what served it died: from its last own update before to the first after. A death
 * shows as a Welcome after the first one, on the same socket or a new one; what never came counts to the end of the run. Pure.
 */
import type { Histogram } from './histogram.js';

/** Own updates come several times a second: who had none for so long at the end has lost what served it. */
const NEVER_MS = 2000;

export class DeathGap {
  private lastMs = -1;
  private sinceMs = -1;
  private isOurs = false;

  constructor(private readonly gaps: Histogram) {}

  /** An own update. */
  heard(now: number): void {
    if (this.sinceMs >= 0) this.gaps.record(now - this.sinceMs);
    this.sinceMs = -1;
    this.lastMs = now;
  }

  /** The bot broke its socket itself: nothing has died. */
  broke(): void {
    this.isOurs = true;
  }

  welcomed(): void {
    if (this.lastMs >= 0 && this.sinceMs < 0 && !this.isOurs) this.sinceMs = this.lastMs;
    this.isOurs = false;
  }

  /** The run is over. */
  end(now: number): void {
    if (this.sinceMs < 0 && this.lastMs >= 0 && now - this.lastMs > NEVER_MS) this.sinceMs = this.lastMs;
    if (this.sinceMs >= 0) this.gaps.record(now - this.sinceMs);
    this.sinceMs = this.lastMs = -1;
  }
}
