/**
 * The thread of one shard: attaches to the shared world, rehearses until it is told its number, adopts, and runs ticks
 * until its block says "closing". Sleeps
 * in Atomics.wait on its doorbell; four times a second it takes one turn of the event loop, for messages and for the
 * observer of garbage collections.
 */
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { type Clock, monotonicClock, systemTimers } from '../base/clock.js';
import { kernelThreadId, nameThread, setThreadNice } from '../base/thread-id.js';
import { isQuiet } from '../memory/pace.js';
import { FAULT_KIND, SHARD_GAUGE, SHARD_STATE } from '../memory/shard-block.js';
import { type SharedWorld, type SharedWorldHandles, attachSharedWorld } from '../memory/shared-world.js';
import { Collections } from './collections.js';
import type { CompiledGame } from '../world/game.js';
import type { FaultReport } from './faults.js';
import { loadGame } from './load-game.js';
import { readableStack } from './places.js';
import { rehearse } from './rehearsal.js';
import { Rehearsing } from './rehearsing.js';
import { Shard } from './tick.js';

/** What every thread of a shard is started with, whichever shard it will be. */
export interface ShardWorkerData {
  handles: SharedWorldHandles;
  gameFile: string | null;
  worldSeed: number;
  frameEvery: number;
  capacity: number;
  /** Nice value of the thread once it is a shard. */
  nice: number;
  tileSleepS?: number;
}

/** The one message to it: from here on it is this shard. */
export interface ShardStartData {
  shard: number;
  incarnation: number;
  /** Incarnation that died with this number; 0 = first start. */
  previousIncarnation: number;
  quarantine: { entity: number; action: number }[];
  /** What the game declared when the server started (world/game.ts). */
  declared: string;
}

/** What a shard tells the supervisor by message; everything else goes through its block. */
export type ShardMessage =
  | { type: 'ready'; shard: number; incarnation: number }
  | { type: 'fault'; error: string; stack: string }
  /** Errors of the game. */
  | { type: 'game'; shard: number; report: FaultReport }
  /** It may become a shard, but its first ticks will be slow. */
  | { type: 'unrehearsed'; stack: string };

/** The longest sleep of a shard, however long its ticks are and whatever it holds: well below the supervisor's deadline for a heartbeat. */
const REST_MS = 300;
/** Turns of the event loop a second. */
const TURNS_PER_S = 4;
/** How an error is told that was thrown outside of a tick. */
const ASYNCHRONOUS = ['unhandledRejection', 'uncaughtException'] as const;

async function main(settings: ShardWorkerData): Promise<void> {
  // Listened to from the beginning: the number may be told while the game is still being loaded.
  const told = once(parentPort!, 'message') as Promise<[ShardStartData]>;
  const world = attachSharedWorld(settings.handles);
  const clock = monotonicClock();
  const game = await loadGame(settings.gameFile ?? undefined);
  const rehearsing = startRehearsal(settings.gameFile === null ? game : null, world, clock);
  const [start] = await told; // perhaps for hours, for nothing
  rehearsing.stop();
  game.checkSame(start.declared);
  nameThread(`shard ${start.shard}`);
  parentPort!.unref(); // a shard that has ended its work ends
  const tellFaults = (report: FaultReport) =>
    parentPort!.postMessage({ type: 'game', shard: start.shard, report } satisfies ShardMessage);
  const data = { ...settings, ...start, tellFaults };
  const block = world.shardBlocks[data.shard]!;
  const shard = new Shard(world, game, clock, data);
  // A promise of the game's that nobody waits for, and a timer of its: their errors are the game's, like that of a handler.
  for (const event of ASYNCHRONOUS)
    process.on(event, (error: unknown) => void shard.core.faults.note(error, 'asynchronous code', 0));
  block.setGauge(SHARD_GAUGE.threadId, kernelThreadId());
  block.setGauge(SHARD_GAUGE.nice, data.nice === 0 ? 0 : setThreadNice(data.nice));
  const collections = new Collections(block);
  let tick = shard.start(data.previousIncarnation);
  rehearsing.forget();
  block.state = SHARD_STATE.RUNNING;
  parentPort!.postMessage({
    type: 'ready',
    shard: data.shard,
    incarnation: data.incarnation,
  } satisfies ShardMessage);
  // Shards begin their ticks one after the other, spread over a tick's length: they do not all want a core at the same
  // instant, and an entity handed over waits for half a tick on average instead of a whole one.
  const phase = (world.clock.tickMs * data.shard) / world.shardBlocks.length;
  const startOf = (k: number) => world.clock.startOf(k) + phase;
  const isOver = () => block.state === SHARD_STATE.CLOSING && shard.isUnreachable;
  const turnEvery = world.clock.ticksPerSecond / TURNS_PER_S;
  let turnedAt = 0;
  while (!isOver()) {
    if (tick - turnedAt >= turnEvery) {
      turnedAt = tick;
      await turn();
      collections.check();
    }
    // The bell before the state: a "closing" that comes in between is not slept through.
    const bell = block.doorbell;
    const rests = shard.rest.begin();
    const wait = rests ? REST_MS : Math.min(REST_MS, startOf(tick) - clock.now());
    block.beat(); // a tick may be longer than the supervisor waits
    if (wait > 0 && !isOver()) block.wait(bell, wait);
    if (rests) tick = shard.rest.end(tick, world.clock.tickAt(clock.now() - phase));
    commitFault(block.takeFault());
    if (startOf(tick) <= clock.now()) shard.run(tick++);
  }
  shard.end();
}

/** @param game the built-in one, null = it is not loaded */
function startRehearsal(game: CompiledGame | null, world: SharedWorld, clock: Clock): Rehearsing {
  return new Rehearsing({
    slices: async () => rehearse(game ?? (await loadGame())),
    clock,
    timers: systemTimers(),
    isQuiet: () => isQuiet(world),
    failed: (error) =>
      parentPort!.postMessage({
        type: 'unrehearsed',
        stack: error instanceof Error ? (error.stack ?? error.message) : String(error),
      } satisfies ShardMessage),
  });
}

/** Test faults, asked for through the block: proves recovery on the real thread. */
function commitFault(fault: number): void {
  if (fault === FAULT_KIND.throw) throw new Error('test fault: throw');
  if (fault === FAULT_KIND.hang) for (;;); // ended by the supervisor
  if (fault === FAULT_KIND.oom)
    // Pieces of 2 MB without pointers: collections stay short, so that the limit ends it and not its silence. One piece
    // of more than the 16 MB that Node grants a thread beyond its limit would end the process.
    for (const hoard: unknown[] = []; ; ) hoard.push(new Array(250_000).fill(hoard.length + 0.5));
}

main(workerData as ShardWorkerData).catch((error: unknown) => {
  const e = error instanceof Error ? error : new Error(String(error));
  e.stack = readableStack(e);
  parentPort!.postMessage({
    type: 'fault',
    error: e.message,
    stack: e.stack ?? '',
  } satisfies ShardMessage);
  // This one is not the game's: it ends the thread, whatever timers the game may have.
  for (const event of ASYNCHRONOUS) process.removeAllListeners(event);
  throw e;
});
