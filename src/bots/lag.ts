/**
 * Whether a bot lags: answers to its actions take more than a second, or have not come for as long. The server sends such
 * a client self updates only, until it has caught up; so its view cannot be judged until that is over. Pure.
 */
import { LIMITS } from '../base/limits.js';

const LAG_MS = LIMITS.slowLagS * 1000;
/** Afterwards its view fills again, slow squares last. */
const REST_MS = 6000;

export class Lag {
  /** Since when an action has had no outcome, −1 = none has not. */
  private waitsSinceMs = -1;
  private laggedMs = Number.NEGATIVE_INFINITY;

  sent(now: number): void {
    if (this.waitsSinceMs < 0) this.waitsSinceMs = now;
  }

  /** @param undecided actions that still wait */
  decided(rttMs: number, undecided: number, now: number): void {
    if (rttMs > LAG_MS) this.laggedMs = now;
    this.waitsSinceMs = undecided > 0 ? now : -1;
  }

  lags(now: number): boolean {
    if (this.waitsSinceMs >= 0 && now - this.waitsSinceMs > LAG_MS) this.laggedMs = now;
    return now - this.laggedMs < REST_MS;
  }
}
