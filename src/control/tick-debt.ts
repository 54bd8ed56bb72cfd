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

/** The rate is that of so long. */
const WINDOW_MS = 1_000;
/** A shard that lags by no more is on time: its share of a core is what it needs. */
const LAG_TICKS = 4;
/** One tick of a second is not told from one of minutes. */
const MOST = 4;

export class TickDebt {
  private readonly notes = new Map<number, Note[]>();

  constructor(private readonly tickMs: number) {}

  /** @param tick the last one that it has committed @param lag ticks that it is behind the clock */
  note(shard: number, incarnation: number, tick: number, lag: number, atMs: number): void {
    const kept = (this.notes.get(shard) ?? []).filter((note) => note.incarnation === incarnation);
    // Nothing is remembered of the time when it was on time: a share of a core says all then.
    if (lag <= LAG_TICKS) kept.length = 0;
    kept.push({ incarnation, tick, atMs });
    while (kept.length > 2 && atMs - kept[1]!.atMs >= WINDOW_MS) kept.shift();
    this.notes.set(shard, kept);
  }

  /** Ticks that were due ÷ ticks that were done, while it is behind: above 1 it falls back further, below it catches up. */
  factor(shard: number): number {
    const notes = this.notes.get(shard) ?? [];
    const [first, last] = [notes[0], notes[notes.length - 1]];
    if (first === undefined || last === undefined || last.atMs - first.atMs < WINDOW_MS) return 1;
    const due = (last.atMs - first.atMs) / this.tickMs;
    return Math.min(MOST, due / Math.max(1, last.tick - first.tick));
  }
}
