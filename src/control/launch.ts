/**
 * Starts shard threads for the supervisor, and shows it their blocks.
 *
 * Contract: one Worker per start; its messages and events become `ThreadEvents`, `exit` exactly once and last. The
 * supervisor alone writes state and incarnation of a block, but for the step to `running`, which the shard takes.
 */
import { Worker } from 'node:worker_threads';
import { OWNER, ownerOf, ownerState, targetOf } from '../memory/record.js';
import { SHARD_STATE } from '../memory/shard-block.js';
import type { SharedWorld } from '../memory/shared-world.js';
import type { ShardMessage, ShardWorkerData } from '../shard/worker.js';
import { maskOf } from '../world/layout.js';
import { reasonOf } from './log.js';
import type { LaunchShard, ShardWatch } from './supervisor.js';

export interface ShardOptions {
  readonly world: SharedWorld;
  /** null = the built-in game. */
  readonly gameFile: string | null;
  readonly worldSeed: number;
  /** Frames go out every so many ticks. */
  readonly frameEvery: number;
  /** Players that one tile carries. */
  readonly capacity: number;
  /** Environment of the threads. */
  readonly env: NodeJS.ProcessEnv;
}

const SHARD_MODULE = new URL('../shard/worker.js', import.meta.url);

export function shardLauncher(options: ShardOptions): LaunchShard {
  const handles = options.world.handles();
  const { gameFile, worldSeed, frameEvery, capacity, env } = options;
  return (start, events) => {
    const workerData: ShardWorkerData = {
      handles,
      gameFile,
      worldSeed,
      frameEvery,
      capacity,
      ...start,
      quarantine: [...start.quarantine],
    };
    const worker = new Worker(SHARD_MODULE, {
      name: `shard ${start.shard}`, // what a debugger and a profile show
      workerData,
      env,
      // The world lives in shared memory; a shard whose heap grows beyond this has a leak and dies alone.
      resourceLimits: { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32 },
      stdin: false, // not read
      stdout: false, // the log is written to its descriptor, not through the main thread
      stderr: false, // the same
      trackUnmanagedFds: true, // what a killed thread left open is closed
    });
    let told = false;
    const fault = (reason: string) => {
      if (!told) events.fault(reason);
      told = true;
    };
    worker.on('message', (message: ShardMessage) => {
      if (message.type === 'ready') events.ready();
      else fault(message.stack || message.error);
    });
    // The error event may overtake the shard's own message: both tell the stack.
    worker.on('error', (error) =>
      fault(error instanceof Error ? (error.stack ?? reasonOf(error)) : reasonOf(error)),
    );
    worker.on('exit', (code) => events.exit(code));
    return { terminate: () => void worker.terminate() };
  };
}

export function shardWatch(world: SharedWorld): ShardWatch {
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
