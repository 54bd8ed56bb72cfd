/**
 * The processor of a simulated machine: cores that threads of shards share, and what a tick costs, by a model whose
 * figures the seed draws. No clock is read. A shard that has not worked off its last tick begins no other one, so it falls
 * behind as a real one does; who wants a core and gets none waits, and both times are told as the kernel tells them.
 */
import type { Random } from '../../src/base/random.js';

/** What a tick costs, ms of CPU time. */
export interface Costs {
  tickMs: number;
  playerMs: number;
  entityMs: number;
}

interface Thread {
  tid: number;
  cpuMs: number;
  waitMs: number;
  /** Of what it has begun, not yet worked off. */
  backlogMs: number;
  /** Of the present step of time: what it may still get, and what of it no other thread may take. */
  leftMs: number;
  reservedMs: number;
  /** It wanted to begin a tick and found no core. */
  isHungry: boolean;
}

/** Numbers that no thread of this process has, so that nothing real is ever read. */
const FIRST_TID = 100_000_000;
const PATH = /^\/proc\/self\/task\/(\d+)\/schedstat$/;

export function drawCosts(random: Random, tickMs: number): Costs {
  // Twelve players in one place: from a quarter of a tick to two and a half.
  return { tickMs: 0.2, playerMs: ((0.25 + random.next() * 2.25) * tickMs) / 12, entityMs: 0.02 };
}

export class Machine {
  private readonly threads = new Map<number, Thread>();
  private poolMs = 0;

  constructor(
    readonly cores: number,
    /** May be lowered: relief. */
    readonly costs: Costs,
  ) {}

  /** A thread with this number of a shard begins. @returns the kernel's number of it */
  begin(shard: number, incarnation: number): number {
    const tid = FIRST_TID + incarnation;
    this.threads.set(shard, {
      tid,
      cpuMs: 0,
      waitMs: 0,
      backlogMs: 0,
      leftMs: 0,
      reservedMs: 0,
      isHungry: false,
    });
    return tid;
  }

  end(shard: number): void {
    this.threads.delete(shard);
  }

  /** So much time goes by for every core. */
  step(ms: number): void {
    const all = [...this.threads.values()];
    const hungry = all.filter(({ backlogMs, isHungry }) => backlogMs > 0 || isHungry);
    const fair = Math.min(ms, (this.cores * ms) / Math.max(1, hungry.length));
    for (const thread of all) Object.assign(thread, { leftMs: ms, reservedMs: 0 });
    for (const thread of hungry) Object.assign(thread, { reservedMs: fair, isHungry: false });
    this.poolMs = this.cores * ms - fair * hungry.length;
  }

  /** Whether a shard that has a tick to run may begin it now. */
  mayBegin(shard: number): boolean {
    const thread = this.threads.get(shard);
    if (thread === undefined) return true;
    this.work(thread);
    if (thread.backlogMs > 0 || thread.leftMs <= 0) return false;
    if (this.poolMs + thread.reservedMs > 0) return true;
    thread.isHungry = true;
    this.waits(thread);
    return false;
  }

  /** A tick was run. @param shares of its players and entities, those that were left out not counted */
  ran(shard: number, players: number, entities: number): void {
    const thread = this.threads.get(shard);
    if (thread === undefined) return;
    const { tickMs, playerMs, entityMs } = this.costs;
    thread.backlogMs += tickMs + playerMs * players + entityMs * entities;
    this.work(thread);
  }

  /** What the kernel would say: CPU time and waiting time in ns. */
  readonly readText = (path: string): string | null => {
    const tid = Number(PATH.exec(path)?.[1] ?? 0);
    for (const thread of this.threads.values())
      if (thread.tid === tid) return `${Math.round(thread.cpuMs * 1e6)} ${Math.round(thread.waitMs * 1e6)} 0`;
    return null;
  };

  /** Both times of a shard's thread so far; null without one. */
  timesOf(shard: number): { tid: number; cpuMs: number; waitMs: number } | null {
    return this.threads.get(shard) ?? null;
  }

  private work(thread: Thread): void {
    const wanted = Math.min(thread.backlogMs, thread.leftMs);
    const got = Math.min(wanted, thread.reservedMs + this.poolMs);
    const own = Math.min(got, thread.reservedMs);
    thread.cpuMs += got;
    thread.backlogMs -= got;
    thread.leftMs -= got;
    thread.reservedMs -= own;
    this.poolMs -= got - own;
    if (got < wanted) this.waits(thread);
  }

  private waits(thread: Thread): void {
    thread.waitMs += thread.leftMs;
    thread.leftMs = 0;
  }
}
