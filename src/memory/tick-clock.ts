/**
 * The clock of ticks: written once by `create()`, read by every thread at any time, nobody waits.
 *
 * ```
 *  64 B header │ start ms f64 │ tick ms f64 │        tick k = [start + k × tickMs, start + (k + 1) × tickMs)
 * ```
 */
import { assert } from '../base/assert.js';
import { LINE, checkHeader, magicOf, writeHeader } from './header.js';

const MAGIC = magicOf('BMck');
const START = LINE >> 3;

export class TickClock {
  private start: number;
  /** Length of a tick in ms. */
  readonly tickMs: number;
  /** Ticks of a second, rounded to a whole number of at least 1. */
  readonly ticksPerSecond: number;

  private constructor(readonly sab: SharedArrayBuffer) {
    checkHeader(sab, MAGIC, 'tick clock');
    const f64 = new Float64Array(sab);
    this.start = f64[START];
    this.tickMs = f64[START + 1];
    this.ticksPerSecond = Math.max(1, Math.round(1000 / this.tickMs));
  }

  /** @param startMs clock ms of tick 0 @param tickMs length of a tick in ms, finite and positive */
  static create(startMs: number, tickMs: number): TickClock {
    assert(Number.isFinite(startMs) && tickMs > 0 && tickMs < Infinity, 'tick clock: finite times');
    const sab = new SharedArrayBuffer(2 * LINE);
    writeHeader(new Int32Array(sab), MAGIC, []);
    const f64 = new Float64Array(sab);
    f64[START] = startMs;
    f64[START + 1] = tickMs;
    return new TickClock(sab);
  }

  /** @throws AssertionError when the buffer is not a tick clock of this version */
  static from(sab: SharedArrayBuffer): TickClock {
    return new TickClock(sab);
  }

  /** Clock ms at which tick 0 starts; before the present process, where the world is older. */
  get startMs(): number {
    return this.start;
  }

  /** Sets the start anew, before any other thread has attached: the world goes on at a later tick. */
  begin(startMs: number): void {
    assert(Number.isFinite(startMs), 'tick clock: finite times');
    this.start = startMs;
    new Float64Array(this.sab)[START] = startMs;
  }

  /** Number of the tick that an instant lies in. @param now clock ms */
  tickAt(now: number): number {
    const tick = Math.floor((now - this.startMs) / this.tickMs);
    // Rounding must not disagree with startOf: tickAt(startOf(k)) is k.
    if (now >= this.startOf(tick + 1)) return tick + 1;
    return now < this.startOf(tick) ? tick - 1 : tick;
  }

  /** Clock ms at which a tick starts. */
  startOf(tick: number): number {
    return this.startMs + tick * this.tickMs;
  }
}
