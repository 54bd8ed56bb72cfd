/**
 * Where one bot has been of late, by its own self updates: the truth that the views of others are held against. A ring
 * of fixed size, newest last.
 */
import { dx } from '../geo/world.js';

const PLACES = 64;

export class Track {
  private readonly ticks = new Float64Array(PLACES);
  private readonly xs = new Float64Array(PLACES);
  private readonly ys = new Float64Array(PLACES);
  private count = 0;
  /** When the newest sample arrived, ms. */
  arrivedMs = 0;

  get known(): boolean {
    return this.count > 0;
  }
  get x(): number {
    return this.xs[(this.count - 1) % PLACES]!;
  }
  get y(): number {
    return this.ys[(this.count - 1) % PLACES]!;
  }
  get tick(): number {
    return this.ticks[(this.count - 1) % PLACES]!;
  }

  add(tick: number, x: number, y: number, now: number): void {
    if (this.count > 0 && tick <= this.tick) return;
    this.arrivedMs = now;
    const at = this.count++ % PLACES;
    this.ticks[at] = tick;
    this.xs[at] = x;
    this.ys[at] = y;
  }

  clear(): void {
    this.count = 0;
  }

  /**
   * For how many ticks a picture of this bot at (x, y), made at `tick`, has been wrong: 0 while it is still there (or
   * the picture is younger than the newest sample), else since the last sample that was within `tolerance` metres.
   */
  staleTicks(x: number, y: number, tick: number, tolerance: number): number {
    const newest = this.tick;
    if (tick >= newest) return 0;
    const oldest = Math.max(0, this.count - PLACES);
    for (let i = this.count - 1; i >= oldest; i--) {
      const at = i % PLACES;
      if (this.ticks[at]! <= tick) break;
      if (Math.hypot(dx(x, this.xs[at]!), this.ys[at]! - y) <= tolerance) return newest - this.ticks[at]!;
    }
    return newest - tick;
  }
}
