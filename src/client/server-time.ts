/**
 * Which tick it is on the server, by the arrival of frames: the fastest message gives the offset, and the offset drifts
 * slowly upwards so that a change of route is followed. Pure arithmetic on the times that it is given.
 */

/** Share of the difference by which the offset follows slower messages. */
const DRIFT = 0.002;

export class ServerTime {
  private tickMs = 50;
  private frameMs = 100;
  /** Client time of tick 0, ms; NaN before the first frame. */
  private origin = Number.NaN;

  configure(tickMs: number, frameMs: number): void {
    this.tickMs = tickMs;
    this.frameMs = frameMs;
    this.origin = Number.NaN;
  }

  saw(tick: number, now: number): void {
    const origin = now - tick * this.tickMs;
    if (!(origin >= this.origin)) this.origin = origin;
    else this.origin += (origin - this.origin) * DRIFT;
  }

  /**
   * The tick that is to be drawn at a time: one and a half frames behind, so that there nearly always is a state on
   * either side of it. A fraction; NaN before the first frame.
   */
  drawnTick(now: number): number {
    return (now - this.origin - 1.5 * this.frameMs) / this.tickMs;
  }

  /** Ticks between two frames. */
  get frameTicks(): number {
    return this.frameMs / this.tickMs;
  }
  get secondsPerTick(): number {
    return this.tickMs / 1000;
  }
}
