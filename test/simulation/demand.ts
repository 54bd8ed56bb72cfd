/** What the ticks of a simulated shard cost, whether it gets the cores for them or not. */
import { LIMITS } from '../../src/base/limits.js';
import type { Machine } from './machine.js';

/** Share of a tick's length that is little beyond doubt, whatever else this server does. */
const LITTLE = 0.05;
/** The same while this server asks for less than half of the cores: then others fill them. */
const MODEST = 0.25;
const CALM_SHARE = 0.5;
/** So many turns in a row leave no doubt. */
const TURNS = 12;
const TICK_MS = 1000 / LIMITS.tickRateHz;

export class Demand {
  private readonly last = new Map<number, { tid: number; ticks: number; fullMs: number }>();
  /** By shard: share of a tick that its last ticks cost in full, and turns in which that was little, and modest. */
  private readonly shares = new Map<number, number>();
  private readonly little = new Map<number, number>();
  private readonly modest = new Map<number, number>();

  constructor(private readonly machine: Machine) {}

  reset(): void {
    for (const kept of [this.last, this.shares, this.little, this.modest]) kept.clear();
  }

  /** Once a turn of the planner. */
  look(shards: number): void {
    for (let s = 0; s < shards; s++) this.measure(s);
    let sum = 0;
    for (const share of this.shares.values()) sum += share;
    const isCalm = sum <= this.machine.cores * CALM_SHARE;
    for (let s = 0; s < shards; s++) {
      const share = this.shares.get(s) ?? 1;
      this.little.set(s, share <= LITTLE ? (this.little.get(s) ?? 0) + 1 : 0);
      this.modest.set(s, isCalm && share <= MODEST ? (this.modest.get(s) ?? 0) + 1 : 0);
    }
  }

  private measure(shard: number): void {
    const now = this.machine.timesOf(shard);
    const before = this.last.get(shard);
    if (now === null) {
      this.last.delete(shard);
      this.shares.delete(shard);
      return;
    }
    this.last.set(shard, { ...now });
    if (before?.tid !== now.tid) this.shares.set(shard, 1);
    else if (now.ticks > before.ticks)
      this.shares.set(shard, (now.fullMs - before.fullMs) / ((now.ticks - before.ticks) * TICK_MS));
  }

  isLittle(shard: number): boolean {
    return Math.max(this.little.get(shard) ?? 0, this.modest.get(shard) ?? 0) >= TURNS;
  }
}
