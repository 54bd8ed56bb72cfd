/**
 * How far the ticks of a shard fall short of the clock's. A thread that is always busy shows at most one second of CPU
 * time a second, however much it is asked for; what it needs for a *tick* shows the rest, since it gets done fewer.
 *
 * Contract: main thread, told of every shard a few times a second. Pure but for what it keeps.
 */

interface Note {
  readonly incarnation: number;
  readonly tick: number;
  readonly atMs: number;
}

/**
 * The rate is that of so long, and of so many ticks at least: what is counted in whole ticks is wrong by one of them, and
 * in a second of slow ticks that would be all there is.
 */
const WINDOW_MS = 1_000;
const WINDOW_TICKS = 5;
/**
 * A shard that lags by no more is on time: its share of a core is what it needs. Nor by two ticks, however long they are:
 * one that has begun and is not done yet, in a shard whose ticks begin up to a tick later than the clock's.
 */
const LAG_MS = 200;
const LAG_TICKS = 2;
/** One tick of a second is not told from one of minutes. */
const MOST = 4;

export class TickDebt {
  private readonly notes = new Map<number, Note[]>();
  private readonly windowMs: number;
  private readonly onTime: number;

  constructor(private readonly tickMs: number) {
    this.windowMs = Math.max(WINDOW_MS, WINDOW_TICKS * tickMs);
    this.onTime = Math.max(LAG_TICKS, Math.round(LAG_MS / tickMs));
  }

  /** @param tick the last one that it has committed @param lag ticks that it is behind the clock */
  note(shard: number, incarnation: number, tick: number, lag: number, atMs: number): void {
    const kept = (this.notes.get(shard) ?? []).filter((note) => note.incarnation === incarnation);
    // Nothing is remembered of the time when it was on time: a share of a core says all then.
    if (lag <= this.onTime) kept.length = 0;
    kept.push({ incarnation, tick, atMs });
    while (kept.length > 2 && atMs - kept[1]!.atMs >= this.windowMs) kept.shift();
    this.notes.set(shard, kept);
  }

  /** Ticks that were due ÷ ticks that were done, while it is behind: above 1 it falls back further, below it catches up. */
  factor(shard: number): number {
    const notes = this.notes.get(shard) ?? [];
    const [first, last] = [notes[0], notes[notes.length - 1]];
    if (first === undefined || last === undefined || last.atMs - first.atMs < this.windowMs) return 1;
    const due = (last.atMs - first.atMs) / this.tickMs;
    return Math.min(MOST, due / Math.max(1, last.tick - first.tick));
  }
}
