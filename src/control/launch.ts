/**
 * Starts shard threads for the supervisor, and shows it their blocks.
 *
 * Contract: one Worker per start, and one more that waits for its number: modules and game are loaded and a shard's work
 * is rehearsed (shard/rehearsal.ts), so that a replacement only has to adopt. It is started a little after a shard runs,
 * takes no part in anything, and then costs memory alone; its messages and events become `ThreadEvents`, `exit` exactly
 * once and last. The supervisor alone writes state and incarnation of a block, but for the step to `running`, which the
 * shard takes.
 */
import { Worker } from 'node:worker_threads';
import type { Timers } from '../base/clock.js';
import { LIMITS } from '../base/limits.js';
import { OWNER, ownerOf, ownerState, targetOf } from '../memory/record.js';
import { SHARD_GAUGE, SHARD_STATE } from '../memory/shard-block.js';
import type { SharedWorld } from '../memory/shared-world.js';
import type { ShardMessage, ShardStartData, ShardWorkerData } from '../shard/worker.js';
import { maskOf } from '../world/layout.js';
import type { GameFaults } from './game-faults.js';
import { type Log, reasonOf } from './log.js';
import type { LaunchShard, ShardWatch, ThreadEvents } from './shard-thread.js';
import { activityOf } from './silence.js';
import { WATCH } from './watch-times.js';

export interface ShardOptions {
  readonly world: SharedWorld;
  /** null = the built-in game. */
  readonly gameFile: string | null;
  /** What the game declared when it was first loaded (world/game.ts). */
  readonly declared: () => string;
  readonly worldSeed: number;
  /** Frames go out every so many ticks. */
  readonly frameEvery: number;
  /** Players that one tile carries. */
  readonly capacity: number;
  /** Nice value of the threads. */
  readonly nice: number;
  /** Another sleep of tiles than base/limits.ts has. */
  readonly tileSleepS?: number;
  /** Environment of the threads. */
  readonly env: NodeJS.ProcessEnv;
  readonly timers: Timers;
  readonly log: Pick<Log, 'warn'>;
  readonly faults: Pick<GameFaults, 'take' | 'ended'>;
}

const SHARD_MODULE = new URL('../shard/worker.js', import.meta.url);

const NOT_PERMITTED =
  'the system does not permit --shard-nice: run as root, with CAP_SYS_NICE or a limit of `ulimit -e`';

export interface ShardLauncher {
  readonly launch: LaunchShard;
  /** Ends the thread that waits; no other follows. Resolves when it has ended. */
  close(): Promise<void>;
}

/** A thread that is loaded, and what it tells: nobody at first, then who has given it a number. */
interface Spare {
  readonly worker: Worker;
  events: ThreadEvents | null;
  shard: number;
  hasEnded: boolean;
}

export function shardLauncher(options: ShardOptions): ShardLauncher {
  const { world, env, timers, log, faults, declared, ...game } = options;
  const workerData: ShardWorkerData = { handles: world.handles(), ...game };
  const isThere = (thread: Spare | null) => thread !== null && !thread.hasEnded;
  let spare: Spare | null = null;
  let cancel: (() => void) | null = null;
  let isClosed = false;
  const ready = (shard: number) => {
    const nice = world.shardBlocks[shard].gauge(SHARD_GAUGE.nice);
    if (nice !== options.nice) log.warn({ shard, nice, wanted: options.nice }, NOT_PERMITTED);
    later();
  };
  const unused = (reason: string) => log.warn({ reason }, 'spare shard');
  const begin = () => startThread(workerData, env, faults, ready, unused);
  const prepare = () => {
    cancel = null;
    if (isClosed || isThere(spare)) return;
    spare = begin();
    spare.worker.unref(); // nobody needs the process for its sake
  };
  // Not at once: it would take its time from the shard that is starting, and from who sends what that one publishes.
  const later = () => {
    if (!isClosed && !isThere(spare)) cancel ??= timers.after(WATCH.spareAfterMs, prepare);
  };
  return {
    launch: (start, events) => {
      const thread = spare !== null && !spare.hasEnded ? spare : begin();
      spare = null;
      thread.worker.ref();
      thread.events = events;
      thread.shard = start.shard;
      const data: ShardStartData = { ...start, quarantine: [...start.quarantine], declared: declared() };
      thread.worker.postMessage(data); // waits in the port while the thread is still loading
      return { terminate: () => void thread.worker.terminate() };
    },
    close: async () => {
      isClosed = true;
      cancel?.();
      await spare?.worker.terminate();
    },
  };
}

/** @param ready told when it is a shard that runs @param unused told why it could not become one as well as it should */
function startThread(
  workerData: ShardWorkerData,
  env: NodeJS.ProcessEnv,
  faults: ShardOptions['faults'],
  ready: (shard: number) => void,
  unused: (reason: string) => void,
): Spare {
  const worker = new Worker(SHARD_MODULE, {
    name: 'shard', // what a debugger and a profile show
    workerData,
    env,
    // The world lives in shared memory; a shard whose heap grows beyond this has a leak and dies alone. How long that
    // takes grows with the limit: collections of a full heap are long (512 MB of small objects 3 s, 128 MB 0.8 s).
    resourceLimits: { maxOldGenerationSizeMb: LIMITS.shardHeapMb, maxYoungGenerationSizeMb: 32 },
    stdin: false, // not read
    stdout: false, // the log is written to its descriptor, not through the main thread
    stderr: false, // the same
    trackUnmanagedFds: true, // what a killed thread left open is closed
  });
  const thread: Spare = { worker, events: null, shard: -1, hasEnded: false };
  let told = false;
  const fault = (reason: string) => {
    if (!told) thread.events?.fault(reason);
    told = true;
  };
  worker.on('message', (message: ShardMessage) => {
    if (message.type === 'unrehearsed') return unused(message.stack);
    if (message.type === 'game') return faults.take(message.shard, message.report);
    if (message.type !== 'ready') return fault(message.stack || message.error);
    thread.events?.ready();
    ready(message.shard);
  });
  // The error event may overtake the shard's own message: both tell the stack.
  worker.on('error', (error) =>
    fault(error instanceof Error ? (error.stack ?? reasonOf(error)) : reasonOf(error)),
  );
  worker.on('exit', (code) => {
    thread.hasEnded = true;
    if (thread.shard >= 0) faults.ended(thread.shard);
    thread.events?.exit(code);
  });
  return thread;
}

/** @param readText content of a file, or null where it cannot be read */
export function shardWatch(
  world: SharedWorld,
  readText: (path: string) => string | null = () => null,
): ShardWatch {
  const blocks = world.shardBlocks;
  return {
    starting: ({ shard, incarnation }) => {
      const block = blocks[shard];
      block.takeInHand(0, 0); // what the dead one held has been noted
      block.isResting = false;
      block.incarnation = incarnation; // before the state: who sees `starting` sees whose
      block.state = SHARD_STATE.STARTING;
    },
    heartbeat: (shard) => blocks[shard].heartbeat,
    activity: (shard) => {
      const files = `/proc/self/task/${blocks[shard].gauge(SHARD_GAUGE.threadId)}`;
      return activityOf(readText(`${files}/stat`), readText(`${files}/schedstat`));
    },
    running: (shard) => blocks[shard].state === SHARD_STATE.RUNNING,
    inHand: (shard) => {
      const { inHandEntity: entity, inHandAction: action } = blocks[shard];
      return entity === 0 ? null : { entity, action };
    },
    close: (shard) => {
      blocks[shard].state = SHARD_STATE.CLOSING; // before the bell: the woken shard must see it
      for (const block of blocks) block.ring(); // the others, too: it ends when all that run have seen it
    },
    dead: (shard) => {
      blocks[shard].state = SHARD_STATE.DEAD;
    },
    ended: (shard) => {
      blocks[shard].state = SHARD_STATE.NONE;
    },
    holds: (shard) => isNamed(world, shard),
  };
}

/** Whether an owner word names the shard as owner or target, or the directory gives it a tile. About 1 ms. */
function isNamed({ arena, directory }: SharedWorld, shard: number): boolean {
  for (let slot = 0; slot < arena.capacity; slot++) {
    const word = Atomics.load(arena.owner, slot);
    const state = ownerState(word);
    if (state === OWNER.FREE || state === OWNER.PARKED) continue;
    if (ownerOf(word) === shard || (state === OWNER.TRANSIT && targetOf(word) === shard)) return true;
  }
  let found = false;
  directory.forEachTaken((tile) => {
    found ||= maskOf(directory, tile, shard) !== 0;
  });
  return found;
}
