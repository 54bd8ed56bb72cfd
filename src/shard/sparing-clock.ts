/**
 * The clock for things that are stamped one after the other and may be thousands in one tick: the first ones have a
 * reading each, of the others sixteen share one, a few µs old at most. A reading costs as much as the rest of a handover.
 */
import type { Clock } from '../base/clock.js';

/** Readings that are made for whoever asks; of those that follow only one in so many. */
const EXACT = 64;
const SHARING = 16;

export class SparingClock implements Clock {
  private asked = 0;
  private last = 0;

  constructor(private readonly clock: Clock) {}

  /** Something else was done since the last reading. */
  begin(): void {
    this.asked = 0;
  }

  now(): number {
    const { asked } = this;
    this.asked = asked + 1;
    if (asked < EXACT || asked % SHARING === 0) this.last = this.clock.now();
    return this.last;
  }
}
