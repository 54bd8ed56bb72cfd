/** What the ticks of a simulated shard cost, whether it gets the cores for them or not. */
import { LIMITS } from '../../src/base/limits.js';
import type { Machine } from './machine.js';

/** Share of a tick's length that is little beyond doubt; so many turns in a row leave no doubt. */
const LITTLE = 0.25;
const TURNS = 12;
const TICK_MS = 1000 / LIMITS.tickRateHz;

export class Demand {
  private readonly last = new Map<number, { tid: number; ticks: number; fullMs: number }>();
  private readonly turns = new Map<number, number>();

  constructor(private readonly machine: Machine) {}

  reset(): void {
    this.last.clear();
    this.turns.clear();
  }

  /** Once a turn of the planner. */
  look(shards: number): void {
    for (let s = 0; s < shards; s++) {
      const now = this.machine.timesOf(s);
      const before = this.last.get(s);
      if (now === null) this.last.delete(s);
      else this.last.set(s, { ...now });
      const isSame = now !== null && before?.tid === now.tid;
      if (!isSame) this.turns.set(s, 0);
      else if (now.ticks > before.ticks) {
        const share = (now.fullMs - before.fullMs) / ((now.ticks - before.ticks) * TICK_MS);
        this.turns.set(s, share <= LITTLE ? (this.turns.get(s) ?? 0) + 1 : 0);
      }
    }
  }

  isLittle(shard: number): boolean {
    return (this.turns.get(shard) ?? 0) >= TURNS;
  }
}
