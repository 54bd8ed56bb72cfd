/**
 * The thread of one shard: attaches to the shared world, adopts, and runs ticks until its block says "closing". Sleeps
 * in Atomics.wait on its doorbell; once a second it takes one turn of the event loop, for messages and for the observer
 * of garbage collections.
 */
import { readlinkSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { monotonicClock } from '../base/clock.js';
import { SHARD_COUNTER, SHARD_GAUGE, SHARD_STATE } from '../memory/shard-block.js';
import { type SharedWorldHandles, attachSharedWorld } from '../memory/shared-world.js';
import { loadGame } from './load-game.js';
import { Shard } from './tick.js';

/** What the supervisor starts a shard with. */
export interface ShardWorkerData {
  handles: SharedWorldHandles;
  shard: number;
  incarnation: number;
  /** Incarnation that died with this number; 0 = first start. */
  previousIncarnation: number;
  gameFile: string | null;
  worldSeed: number;
  frameEvery: number;
  quarantine: { entity: number; action: number }[];
}

/** What a shard tells the supervisor by message; everything else goes through its block. */
export type ShardMessage =
  | { type: 'ready'; shard: number; incarnation: number }
  | { type: 'fault'; shard: number; incarnation: number; error: string; stack: string };

async function main(data: ShardWorkerData): Promise<void> {
  const world = attachSharedWorld(data.handles);
  const clock = monotonicClock();
  const game = await loadGame(data.gameFile);
  const block = world.shardBlocks[data.shard]!;
  const shard = new Shard(world, game, clock, data);
  block.setGauge(SHARD_GAUGE.threadId, threadId());
  observeCollections(block);
  let tick = shard.start(data.previousIncarnation);
  block.setState(SHARD_STATE.running);
  parentPort!.postMessage({ type: 'ready', shard: data.shard, incarnation: data.incarnation } satisfies ShardMessage);
  for (; block.state !== SHARD_STATE.closing; tick++) {
    if (tick % world.clock.ticksPerSecond === 0) await turn();
    const bell = block.doorbell;
    const wait = world.clock.startOf(tick) - clock.now();
    if (wait > 0 && block.state !== SHARD_STATE.closing) block.sleep(bell, wait);
    if (block.state === SHARD_STATE.closing) break;
    if (world.clock.startOf(tick) > clock.now()) {
      tick--; // woken early by the doorbell
      continue;
    }
    shard.run(tick);
  }
  shard.core.slots.release();
}

/** Thread id of the kernel, for CPU time per thread; 0 where the system does not tell. */
function threadId(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').pop());
  } catch {
    return 0;
  }
}

function observeCollections(block: { raise(counter: number, value: number): void; count(counter: number): void }): void {
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      block.count(SHARD_COUNTER.collections);
      block.raise(SHARD_COUNTER.gcMaxUs, Math.round(entry.duration * 1000));
    }
  }).observe({ entryTypes: ['gc'] });
}

main(workerData as ShardWorkerData).catch((error: unknown) => {
  const data = workerData as ShardWorkerData;
  const e = error instanceof Error ? error : new Error(String(error));
  parentPort!.postMessage({
    type: 'fault', shard: data.shard, incarnation: data.incarnation, error: e.message, stack: e.stack ?? '',
  } satisfies ShardMessage);
  throw e;
});
