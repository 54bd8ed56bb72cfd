/**
 * The processor of a simulated machine: cores that threads of shards share, and what a tick costs, by a model whose
 * figures the seed draws. No clock is read. A shard that has not worked off its last tick begins no other one, so it falls
 * behind as a real one does; who wants a core and gets none waits, and both times are told as the kernel tells them.
 * Neighbours, threads of other programs that want a core all the time, take their fair share of the cores.
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
  /** Ticks run, and what they would have cost with nobody left out. */
  ticks: number;
  fullMs: number;
}

/** Numbers that no thread of this process has, so that nothing real is ever read. */
const FIRST_TID = 100_000_000;
/** Hundredths of a second, in which /proc counts. */
const TICKS_PER_MS = 0.1;
const PATH = /^\/proc\/self\/task\/(\d+)\/schedstat$/;

export function drawCosts(random: Random, tickMs: number): Costs {
  // Twelve players in one place: from a quarter of a tick to two and a half.
  return { tickMs: 0.2, playerMs: ((0.25 + random.next() * 2.25) * tickMs) / 12, entityMs: 0.02 };
}

export class Machine {
  private readonly threads = new Map<number, Thread>();
  private poolMs = 0;
  /** CPU time of threads that have ended, and of neighbours, ms. */
  private endedMs = 0;
  private othersMs = 0;
  /** Threads of other programs that want a core all the time. */
  neighbours = 0;

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
      ticks: 0,
      fullMs: 0,
    });
    return tid;
  }

  end(shard: number): void {
    this.endedMs += this.threads.get(shard)?.cpuMs ?? 0;
    this.threads.delete(shard);
  }

  /** So much time goes by for every core. */
  step(ms: number): void {
    const all = [...this.threads.values()];
    const hungry = all.filter(({ backlogMs, isHungry }) => backlogMs > 0 || isHungry);
    const fair = Math.min(ms, (this.cores * ms) / Math.max(1, hungry.length + this.neighbours));
    for (const thread of all) Object.assign(thread, { leftMs: ms, reservedMs: 0 });
    for (const thread of hungry) Object.assign(thread, { reservedMs: fair, isHungry: false });
    this.othersMs += fair * this.neighbours;
    this.poolMs = Math.max(0, this.cores * ms - fair * (hungry.length + this.neighbours));
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

  /** A tick was run. @param due share of the players and entities that were not left out */
  ran(shard: number, players: number, entities: number, due: number): void {
    const thread = this.threads.get(shard);
    if (thread === undefined) return;
    const { tickMs, playerMs, entityMs } = this.costs;
    const moved = playerMs * players + entityMs * entities;
    thread.ticks++;
    thread.fullMs += tickMs + moved;
    thread.backlogMs += tickMs + moved * due;
    this.work(thread);
  }

  /** What the kernel would say: CPU time and waiting time of a thread in ns; of the process, and of all that runs. */
  readonly readText = (path: string): string | null => {
    const own = this.ownMs * TICKS_PER_MS;
    if (path === '/proc/self/stat') return `1 (simulated) S ${'0 '.repeat(10)}${own} 0`;
    if (path === '/proc/stat') return `cpu  ${own + this.othersMs * TICKS_PER_MS} 0 0 0 0 0 0 0\n`;
    const tid = Number(PATH.exec(path)?.[1] ?? 0);
    for (const thread of this.threads.values())
      if (thread.tid === tid) return `${Math.round(thread.cpuMs * 1e6)} ${Math.round(thread.waitMs * 1e6)} 0`;
    return null;
  };

  private get ownMs(): number {
    let sum = this.endedMs;
    for (const { cpuMs } of this.threads.values()) sum += cpuMs;
    return sum;
  }

  /** Times of a shard's thread so far, and what its ticks would have cost in full; null without one. */
  timesOf(
    shard: number,
  ): { tid: number; cpuMs: number; waitMs: number; ticks: number; fullMs: number } | null {
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
