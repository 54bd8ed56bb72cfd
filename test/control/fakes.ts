/** Hand-driven time, threads and log for the tests of control: nothing here waits for anything real. */
import type { Clock, Timers } from '../../src/base/clock.js';
import type { Log } from '../../src/control/log.js';
import type { Activity } from '../../src/control/silence.js';
import type { Suspect } from '../../src/control/quarantine.js';
import type { LaunchShard, ShardStart, ShardWatch, ThreadEvents } from '../../src/control/supervisor.js';

interface Due {
  at: number;
  every: number;
  run: () => void;
}

/** Time that moves only by `advance`, running what falls due in order. */
export class FakeTime implements Clock, Timers {
  private ms = 1_000;
  private readonly due = new Set<Due>();

  now(): number {
    return this.ms;
  }

  after(ms: number, run: () => void): () => void {
    return this.add({ at: this.ms + ms, every: 0, run });
  }

  every(ms: number, run: () => void): () => void {
    return this.add({ at: this.ms + ms, every: ms, run });
  }

  get pending(): number {
    return this.due.size;
  }

  advance(ms: number): void {
    const end = this.ms + ms;
    for (;;) {
      const next = [...this.due].filter((d) => d.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.ms = Math.max(this.ms, next.at);
      if (next.every > 0) next.at += next.every;
      else this.due.delete(next);
      next.run();
    }
    this.ms = end;
  }

  /** The process was stopped for `ms`: nothing runs in between, timers fire once afterwards. */
  freeze(ms: number): void {
    this.ms += ms;
    for (const d of this.due) if (d.every > 0 && d.at < this.ms) d.at = this.ms;
  }

  private add(due: Due): () => void {
    this.due.add(due);
    return () => this.due.delete(due);
  }
}

export class FakeLog implements Log {
  readonly lines: { level: string; facts: Record<string, unknown>; text: string }[] = [];
  private readonly write = (level: string) => (facts: object, text: string) => {
    this.lines.push({ level, facts: facts as Record<string, unknown>, text });
  };
  readonly info = this.write('info');
  readonly warn = this.write('warn');
  readonly error = this.write('error');
  readonly fatal = this.write('fatal');
  of(level: string): string[] {
    return this.lines.filter((l) => l.level === level).map((l) => l.text);
  }
}

export interface FakeThread {
  readonly start: ShardStart;
  readonly events: ThreadEvents;
  terminated: boolean;
}

/** Threads and their blocks: a started thread does nothing until the test says so. */
export class FakeShards implements ShardWatch {
  readonly threads: FakeThread[] = [];
  readonly state: string[] = [];
  readonly beats: number[] = [];
  readonly hands: (Suspect | null)[] = [];
  /** In order: start 0, close 0, … */
  readonly order: string[] = [];
  /** The next launches throw this. */
  refuse: Error | null = null;
  /** Terminating ends the thread at once. */
  obedient = true;

  readonly launch: LaunchShard = (start, events) => {
    if (this.refuse !== null) throw this.refuse;
    const thread: FakeThread = { start, events, terminated: false };
    this.threads.push(thread);
    this.order.push(`start ${start.shard}`);
    return {
      terminate: () => {
        thread.terminated = true;
        if (this.obedient) events.exit(1);
      },
    };
  };

  /** The newest thread of a shard. */
  last(shard: number): FakeThread {
    const found = this.threads.filter((t) => t.start.shard === shard).at(-1);
    if (found === undefined) throw new Error(`shard ${shard} was never started`);
    return found;
  }

  ready(shard: number): void {
    this.state[shard] = 'running';
    this.last(shard).events.ready();
  }

  starting(start: ShardStart): void {
    this.state[start.shard] = 'starting';
    this.beats[start.shard] ??= 0;
    this.hands[start.shard] = null;
  }

  heartbeat(shard: number): number {
    return this.beats[shard];
  }

  /** Of a shard's thread, null = the system does not tell. */
  doing: (shard: number) => Activity | null = () => null;

  activity(shard: number): Activity | null {
    return this.doing(shard);
  }

  running(shard: number): boolean {
    return this.state[shard] === 'running';
  }

  inHand(shard: number): Suspect | null {
    return this.hands[shard];
  }

  close(shard: number): void {
    this.state[shard] = 'closing';
    this.order.push(`close ${shard}`);
  }

  dead(shard: number): void {
    this.state[shard] = 'dead';
  }

  /** Shards that something still names. */
  readonly named = new Set<number>();

  ended(shard: number): void {
    this.state[shard] = 'none';
  }

  holds(shard: number): boolean {
    return this.named.has(shard);
  }
}
