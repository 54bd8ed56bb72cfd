/** What the supervisor and those who start and show it threads of shards say to each other: types only. */
import type { Suspect } from './quarantine.js';
import type { Activity } from './silence.js';

export interface ShardStart {
  readonly shard: number;
  /** Unique over all starts of all shards of this node, counted from 1. */
  readonly incarnation: number;
  /** The incarnation whose uncommitted tick must be undone and whose entities are adopted; 0 = nothing to adopt. */
  readonly previousIncarnation: number;
  /** What a shard was doing when it died, twice: the new incarnation rejects that action or freezes that entity. */
  readonly quarantine: readonly Suspect[];
}

/** What a started thread tells; `exit` comes exactly once and last. */
export interface ThreadEvents {
  ready(): void;
  fault(reason: string): void;
  exit(code: number): void;
}

export interface ShardThread {
  /** Ends the thread wherever it is; `exit` follows. */
  terminate(): void;
}

/** Starts a thread; throws when it cannot even be asked for. */
export type LaunchShard = (start: ShardStart, events: ThreadEvents) => ShardThread;

/** The supervisor's view of the shards' blocks in shared memory. */
export interface ShardWatch {
  /** Before a start: state := starting. */
  starting(start: ShardStart): void;
  /** A counter that a live shard changes at least once per tick. */
  heartbeat(shard: number): number;
  /** What the system says of its thread, null = nothing. Reads files: asked only about one that is silent. */
  activity(shard: number): Activity | null;
  /** The state word says running, which the shard sets after it has adopted and before its first tick. */
  running(shard: number): boolean;
  /** What the shard was doing last, null = nothing that could be to blame. */
  inHand(shard: number): Suspect | null;
  /** State := closing, doorbell rung. */
  close(shard: number): void;
  /** After an exit: state := dead. */
  dead(shard: number): void;
  /** After an exit, where no replacement is to follow: state := none, so that nobody gives it anything any more. */
  ended(shard: number): void;
  /** Whether an owner word or the directory names the shard. After `ended`, so that nothing can be added unseen. */
  holds(shard: number): boolean;
}

export type Phase = 'starting' | 'running' | 'waiting' | 'closing' | 'ended';

export interface ShardReport {
  readonly shard: number;
  readonly incarnation: number;
  readonly phase: Phase;
  readonly restarts: number;
  readonly alarm: string | null;
}
