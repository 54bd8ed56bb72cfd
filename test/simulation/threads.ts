/**
 * What a process has of threads and timers when the production supervisor and planner run in the simulation: threads of
 * shards that come up after a while or not at all, and end; timers that end with the process.
 */
import type { Timers } from '../../src/base/clock.js';
import type { LaunchShard, ThreadEvents } from '../../src/control/supervisor.js';
import type { Planned } from './planned.js';
import type { VirtualTime } from './time.js';

/** Timers of a process: none of them goes off after its death, and none is set by what is left of it. */
export class ProcessTimers implements Timers {
  private readonly cancels = new Set<() => void>();
  private isDead = false;

  constructor(private readonly time: VirtualTime) {}

  after(ms: number, fn: () => void): () => void {
    if (this.isDead) return () => {};
    const cancel = this.time.after(ms, () => {
      this.cancels.delete(cancel);
      fn();
    });
    return this.keep(cancel);
  }

  every(ms: number, fn: () => void): () => void {
    return this.isDead ? () => {} : this.keep(this.time.every(ms, fn));
  }

  die(): void {
    this.isDead = true;
    for (const cancel of this.cancels) cancel();
    this.cancels.clear();
  }

  private keep(cancel: () => void): () => void {
    this.cancels.add(cancel);
    return () => {
      this.cancels.delete(cancel);
      cancel();
    };
  }
}

interface Thread {
  readonly events: ThreadEvents;
  readonly cancel: () => void;
}

/** The threads of one process, by shard. */
export class SimThreads {
  /** While a process starts nobody waits, and every start comes to something. */
  isStarting = true;
  private readonly running = new Map<number, Thread>();

  /**
   * @param boot makes the shard and lets it run @param gone its thread is there no more
   */
  constructor(
    private readonly timers: Timers,
    private readonly planned: Planned,
    private readonly boot: (shard: number, incarnation: number, dead: number) => void,
    private readonly gone: (shard: number) => void,
  ) {}

  readonly launch: LaunchShard = ({ shard, incarnation, previousIncarnation }, events) => {
    const { random, launchMs, failStart } = this.planned;
    const comesUp = this.isStarting || random.next() >= failStart;
    const come = () => {
      if (!comesUp) return this.exit(shard, 1);
      this.boot(shard, incarnation, previousIncarnation);
      events.ready();
    };
    const wait = this.isStarting ? 0 : random.int(1 + launchMs);
    const cancel = this.isStarting ? () => {} : this.timers.after(wait, come);
    this.running.set(shard, { events, cancel });
    if (this.isStarting) come();
    return { terminate: () => this.exit(shard, 1) };
  };

  /** The thread ends, wherever it is; what it has told so far was told. */
  exit(shard: number, code: number): void {
    const thread = this.running.get(shard);
    if (thread === undefined) return;
    this.running.delete(shard);
    thread.cancel();
    this.gone(shard);
    thread.events.exit(code);
  }
}
