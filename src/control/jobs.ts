/**
 * Jobs of the game: whatever may take long or wait runs in a piscina pool, away from every tick.
 *
 * Contract: main thread only. `poll` takes jobs from the shards' rings and hands out the results that are there; it
 * never waits. At most `MOST_RUNNING` jobs are under way, the others wait in their rings, and a full ring refuses the
 * next `defer`: nothing grows. A job that throws, never returns, or kills its thread becomes a result with an error.
 * A result reaches its entity at most once: it is dropped, counted, when the entity is gone.
 */
import { cpus } from 'node:os';
import { Piscina } from 'piscina';
import type { Timers } from '../base/clock.js';
import type { JobRecord } from '../world/job-codec.js';
import { type Log, reasonOf } from './log.js';

/** What the jobs come from and go to. */
export interface JobRings {
  /** Takes the next job of any shard, null when there is none. */
  take(): JobRecord | null;
  /** Puts a result where the entity's owner finds it. `later`: no room now. `gone`: the entity does not exist. */
  give(result: JobRecord): 'given' | 'later' | 'gone';
  /** Whether nobody is there to ask for a job. */
  isQuiet?(): boolean;
}

/** Runs one job; rejects with what it threw, and when the signal ends it. */
export type RunJob = (name: string, input: unknown, signal: AbortSignal) => Promise<unknown>;

const MOST_RUNNING = 256;
const POLL_MS = 20;
/** While there is nobody to ask for a job: the first job of a world that wakes waits so long. */
const QUIET_POLL_MS = 500;
/** A job that takes longer has its thread ended. */
const JOB_MS = 10_000;

export class Jobs {
  private readonly finished: JobRecord[] = [];
  private running = 0;
  private cancelPoll: (() => void) | null = null;
  private readonly controllers = new Set<AbortController>();
  done = 0;
  failed = 0;
  dropped = 0;

  constructor(
    private readonly rings: JobRings,
    private readonly run: RunJob,
    private readonly timers: Timers,
    private readonly log: Log,
    /** Whether a debugger may be attached: a job that stands in one is not ended. */
    private readonly isDebugged: () => boolean = () => false,
  ) {}

  /** Begins to poll. */
  start(): void {
    const isQuiet = this.running + this.finished.length === 0 && (this.rings.isQuiet?.() ?? false);
    this.cancelPoll = this.timers.after(isQuiet ? QUIET_POLL_MS : POLL_MS, () => {
      this.poll();
      this.start();
    });
  }

  /** Takes no more jobs and ends those that run. */
  stop(): void {
    this.cancelPoll?.();
    for (const controller of this.controllers) controller.abort();
  }

  poll(): void {
    while (this.finished.length > 0) {
      const given = this.rings.give(this.finished[0]!);
      if (given === 'later') break;
      if (given === 'gone') this.dropped++;
      this.finished.shift();
    }
    while (this.running + this.finished.length < MOST_RUNNING) {
      const job = this.rings.take();
      if (job === null) break;
      void this.runOne(job);
    }
  }

  private async runOne(job: JobRecord): Promise<void> {
    const controller = new AbortController();
    let cancel = () => {};
    const wait = () => {
      cancel = this.timers.after(JOB_MS, () => (this.isDebugged() ? wait() : controller.abort()));
    };
    wait();
    this.controllers.add(controller);
    this.running++;
    let result: JobRecord;
    try {
      result = { ...job, ok: true, value: await this.run(job.name, job.value, controller.signal) };
      this.done++;
    } catch (error) {
      const reason = controller.signal.aborted ? `ended after ${JOB_MS} ms` : reasonOf(error);
      this.log.error({ job: job.name, entity: job.entity, reason }, 'job failed');
      result = { ...job, ok: false, value: reason };
      this.failed++;
    } finally {
      cancel();
      this.controllers.delete(controller);
      this.running--;
    }
    this.finished.push(result);
  }
}

/** The pool, started at the first job: most worlds never have one. */
export function jobPool(gameFile: string | null): { run: RunJob; close: () => Promise<void> } {
  let pool: Piscina | null = null;
  const start = () =>
    new Piscina({
      filename: new URL('./job-worker.js', import.meta.url).href,
      minThreads: 0, // an idle pool costs nothing
      maxThreads: Math.max(1, Math.min(4, cpus().length - 1)), // jobs are guests on a machine that simulates
      idleTimeout: 10_000, // a thread costs 50 ms to start: keep it between bursts
      maxQueue: MOST_RUNNING, // never reached: `Jobs` starts no more than that
      concurrentTasksPerWorker: 1, // a job may block its thread
      atomics: 'disabled', // a thread in Atomics.wait could not hear an awaited job's events
      resourceLimits: { maxOldGenerationSizeMb: 256 }, // a greedy job dies alone
      recordTiming: false, // not read
      closeTimeout: 1_000, // stopping is bounded by the supervisor of the stop
    });
  return {
    run: (name, input, signal) => {
      pool ??= start();
      return pool.run({ gameFile, name, input }, { signal });
    },
    close: async () => {
      await pool?.destroy();
    },
  };
}
