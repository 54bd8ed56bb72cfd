/** Whether the simulated machine is full beyond doubt, by what its threads got and waited for. */
import type { Machine } from './machine.js';

/** A turn in which a thread that works waits for so much of the time counts; so many in a row leave no doubt. */
const WAITING = 0.5;
const WORKING = 0.15;
const TURNS = 14;
const TURN_MS = 250;

interface Times {
  readonly tid: number;
  readonly cpuMs: number;
  readonly waitMs: number;
}

export class Fullness {
  private readonly last = new Map<number, Times>();
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
      const isFull =
        now !== null &&
        before?.tid === now.tid &&
        now.waitMs - before.waitMs >= WAITING * TURN_MS &&
        now.cpuMs - before.cpuMs >= WORKING * TURN_MS;
      this.turns.set(s, isFull ? (this.turns.get(s) ?? 0) + 1 : 0);
    }
  }

  get isCertain(): boolean {
    return [...this.turns.values()].some((turns) => turns >= TURNS);
  }
}
