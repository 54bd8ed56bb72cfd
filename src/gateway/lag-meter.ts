/**
 * How far behind a client reads, pure. The kernel hides megabytes before the socket's own buffer is felt, so slowness is
 * measured by what the client echoes: each of its messages carries the newest tick that it has seen.
 *
 * Lag is what grows, not what is far: a client at the other end of the world echoes each tick late, and always as late.
 * So the time from a tick's sending to its echo is held against the least such time of late, the client's *distance*.
 *
 * ```
 *  sent      k───────k+5──────k+10─────k+15──────          probes: ticks with the time of their sending
 *             ╲        ╲        ╲
 *  client      ╲        ╲        ╲
 *               ╲        ╲        ╲
 *  echoed        ╲────────k─────────k+5────────▶ now       delay = now − sending of k + 5
 *                                                          age   = now − sending of k + 10, the oldest without an echo
 * ```
 *
 * What a gateway is late by itself is not the client's lag: a tick waits in it on its way out, the echo on its way in. A
 * busy gateway that took its own lateness for theirs would send key frames to all of them, and be busier still.
 */

export const PACE = { GOOD: 0, SLOW: 1, LOST: 2 } as const;

/** Out to the client and back. */
const WAYS = 2;
/** Ticks under way that are remembered, and time between two of them: more than a client's distance and its pause. */
const PROBES = 16;
const PROBE_MS = 250;
/** The least delay is taken over the last one to two of these: a change of route counts after so long. */
const DISTANCE_MS = 15_000;
/** Of a slow client: what it was sent before drains, and its delay falls; one that has stopped to fall is its distance. */
const SETTLE_MS = 2000;
/** Delays of one distance differ by so much: by the pause between two probes, and by chance. */
const SAME_MS = PROBE_MS + 150;
/** Nobody is further than this; and whoever has not echoed anything yet may be so far. */
const FARTHEST_MS = 5000;
const UNKNOWN_MS = 2000;

export class LagMeter {
  /** Gets self updates only, until it has caught up. */
  slow = false;
  /** Probes: tick and clock ms of each, the oldest first. */
  private readonly ticks = new Float64Array(PROBES);
  private readonly times = new Float64Array(PROBES);
  private count = 0;
  /** Newest tick that was sent or echoed. */
  private newest = 0;
  /** Least delays of this stretch of time and of the one before, ms. */
  private least = Number.POSITIVE_INFINITY;
  private leastBefore = Number.POSITIVE_INFINITY;
  private stretchAt = Number.NEGATIVE_INFINITY;
  /** Distance of when it became slow. */
  private home = 0;

  /** A client that says nothing at all is given `silenceMs` more, since it owes a message only that often. */
  constructor(
    private readonly slowMs: number,
    private readonly lostMs: number,
    private readonly silenceMs: number,
  ) {}

  /** A message with this tick went out to this client. */
  sent(tick: number, now: number): void {
    // Its echo would tell of the message that had a newer one before.
    if (tick <= this.newest) return;
    this.newest = tick;
    const { count } = this;
    if (count > 0 && now - this.times[count - 1]! < PROBE_MS) return;
    // No room: the oldest tell how late it is, the last one how late it will be.
    const at = Math.min(count, PROBES - 1);
    this.ticks[at] = tick;
    this.times[at] = now;
    this.count = at + 1;
  }

  /** A message came with this echo. @param late of the gateway, ms @returns PACE; GOOD ends slowness */
  echoed(tick: number, now: number, late: number): number {
    let seen = 0;
    while (seen < this.count && this.ticks[seen]! <= tick) seen++;
    if (seen > 0) {
      const delay = now - this.times[seen - 1]!;
      this.ticks.copyWithin(0, seen, this.count);
      this.times.copyWithin(0, seen, this.count);
      this.count -= seen;
      this.note(delay, now, late);
    }
    if (tick > this.newest) this.newest = tick;
    return this.judge(now, late, 0);
  }

  /** Time went by. @param late of the gateway, ms */
  elapsed(now: number, late: number): number {
    return this.judge(now, late, this.silenceMs);
  }

  /** From a tick's sending to its echo, where nothing waits in between, ms. */
  get distance(): number {
    if (this.slow) return this.home;
    const least = Math.min(this.least, this.leastBefore);
    return least === Number.POSITIVE_INFINITY ? UNKNOWN_MS : Math.min(least, FARTHEST_MS);
  }

  private judge(now: number, late: number, grace: number): number {
    if (this.count > 0) {
      const lag = now - this.times[0]! - WAYS * late - this.distance;
      if (lag > this.lostMs) return PACE.LOST;
      if (lag > this.slowMs + grace && !this.slow) this.slowDown(now);
    }
    return this.slow ? PACE.SLOW : PACE.GOOD;
  }

  private note(delay: number, now: number, late: number): void {
    if (now - this.stretchAt >= (this.slow ? SETTLE_MS : DISTANCE_MS)) this.turn(now);
    if (delay < this.least) this.least = delay;
    // Caught up: half of what made it slow, so that it does not flap.
    if (this.slow && delay - WAYS * late - this.home <= this.slowMs / 2) this.slow = false;
  }

  /** A stretch of time is over. */
  private turn(now: number): void {
    this.stretchAt = now;
    if (this.least === Number.POSITIVE_INFINITY) return;
    const hasSettled = this.leastBefore - this.least < SAME_MS && this.least - this.leastBefore < SAME_MS;
    if (this.slow && hasSettled && this.least <= FARTHEST_MS) this.slow = false;
    this.leastBefore = this.least;
    this.least = Number.POSITIVE_INFINITY;
  }

  private slowDown(now: number): void {
    this.home = this.distance;
    this.slow = true;
    this.least = Number.POSITIVE_INFINITY;
    this.leastBefore = Number.POSITIVE_INFINITY;
    this.stretchAt = now;
  }
}
