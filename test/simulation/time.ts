/** Virtual time: a clock and timers that only the simulation moves. The same calls give the same order of callbacks. */
import type { Clock, Timers } from '../../src/base/clock.js';

interface Due {
  at: number;
  serial: number;
  every: number;
  fn: () => void;
}

export class VirtualTime implements Clock, Timers {
  private ms = 0;
  private serial = 0;
  private due: Due[] = [];

  now(): number {
    return this.ms;
  }
  after(ms: number, fn: () => void): () => void {
    return this.add(ms, 0, fn);
  }
  every(ms: number, fn: () => void): () => void {
    return this.add(ms, ms, fn);
  }

  /** Moves time to `end`, callback by callback; those of one instant in the order in which they were asked for. */
  advance(end: number): void {
    for (;;) {
      let next: Due | undefined;
      for (const d of this.due) {
        if (
          d.at <= end &&
          (next === undefined || d.at < next.at || (d.at === next.at && d.serial < next.serial))
        )
          next = d;
      }
      if (next === undefined) break;
      this.ms = Math.max(this.ms, next.at);
      if (next.every > 0) {
        next.at += next.every;
        next.serial = this.serial++;
      } else {
        this.due.splice(this.due.indexOf(next), 1);
      }
      next.fn();
    }
    this.ms = end;
  }

  private add(ms: number, every: number, fn: () => void): () => void {
    const due = { at: this.ms + Math.max(0, ms), serial: this.serial++, every, fn };
    this.due.push(due);
    return () => {
      const at = this.due.indexOf(due);
      if (at >= 0) this.due.splice(at, 1);
    };
  }
}
