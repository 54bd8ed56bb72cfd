/**
 * The profiler's end in each thread of a server: loaded before anything else (`node --import`), it does nothing until the
 * command that started the server asks. One inspector session a thread, on its own thread: what other tools cannot see.
 *
 * ```
 *  npm run profile ──IPC──▶ agent of the main thread ──BroadcastChannel──▶ agents of all threads
 *                  ◀──────── replies, files ◀─────────────────────────────
 * ```
 * Contract: holds no thread alive. A shard takes a turn of its event loop once a second, so it answers within that.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { BroadcastChannel, isMainThread, workerData } from 'node:worker_threads';
import { givenName, kernelThreadId } from '../../base/thread-id.js';
import { type AgentReply, type Ask, CHANNEL, threadName } from './protocol.js';

const started = threadName(isMainThread, workerData, process.argv[1]);
const tid = kernelThreadId();
const me = () => ({ thread: givenName() ?? started, tid });
const channel = new BroadcastChannel(CHANNEL);
const session = new Session();
const collections = { count: 0, ms: 0, maxMs: 0 };
const loop = monitorEventLoopDelay({ resolution: 10 });
let what: 'cpu' | 'heap' | null = null;

new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const { detail } = entry as unknown as { detail?: { kind: number } };
    if (detail?.kind === constants.NODE_PERFORMANCE_GC_INCREMENTAL) continue; // the work in between is no pause
    collections.count++;
    collections.ms += entry.duration;
    collections.maxMs = Math.max(collections.maxMs, entry.duration);
  }
}).observe({ entryTypes: ['gc'] });

function tell(reply: AgentReply): void {
  if (isMainThread) process.send?.(reply);
  else channel.postMessage(reply);
}

/** Synchronous on the own thread: the callback has run when `post` returns. */
function post<T>(method: string, params: object = {}): T {
  let result: T | undefined;
  session.post(method, params, (error, answer) => {
    if (error) throw error;
    result = answer as T;
  });
  return result as T;
}

function start(kind: 'cpu' | 'heap'): void {
  if (what !== null) return;
  what = kind;
  session.connect();
  if (kind === 'cpu') {
    post('Profiler.enable');
    post('Profiler.setSamplingInterval', { interval: 1000 }); // µs; ten times as often costs a tenth of a core
    post('Profiler.start');
  } else {
    post('HeapProfiler.enable');
    post('HeapProfiler.startSampling', {
      samplingInterval: 16 * 1024, // bytes between two samples on average
      includeObjectsCollectedByMajorGC: true, // what was thrown away is what costs
      includeObjectsCollectedByMinorGC: true,
    });
  }
  tell({ ...me(), type: 'started' });
}

function stop(folder: string): void {
  if (what === null) return;
  const file = join(folder, `${me().thread.replaceAll(' ', '-')}-${tid}.${what}profile`);
  const { profile } = post<{ profile: object }>(
    what === 'cpu' ? 'Profiler.stop' : 'HeapProfiler.stopSampling',
  );
  session.disconnect();
  what = null;
  writeFileSync(file, JSON.stringify(profile));
  tell({ ...me(), type: 'profile', file });
}

function beat(): void {
  const { used_heap_size, total_heap_size, external_memory } = getHeapStatistics();
  const isShard = me().thread.includes('shard'); // it sleeps in Atomics.wait: its loop's delay means nothing
  tell({
    ...me(),
    type: 'beat',
    gc: { ...collections },
    heapUsed: used_heap_size,
    heapTotal: total_heap_size,
    external: external_memory,
    rss: isMainThread ? process.memoryUsage.rss() : null,
    arrayBuffers: isMainThread ? process.memoryUsage().arrayBuffers : null,
    loopDelayMs: isShard ? null : { p50: loop.percentile(50) / 1e6, p99: loop.percentile(99) / 1e6 },
  });
  collections.maxMs = 0;
  loop.reset();
}

function obey(ask: Ask): void {
  if (ask.type === 'start') start(ask.what);
  if (ask.type === 'stop') stop(ask.folder);
  if (ask.type === 'beat') beat();
}

channel.unref();
loop.enable();
if (isMainThread) {
  process.on('message', (ask: Ask) => {
    channel.postMessage(ask);
    obey(ask);
  });
  process.channel?.unref();
  channel.onmessage = (event) => process.send?.((event as { data: AgentReply }).data);
} else {
  channel.onmessage = (event) => {
    const { data } = event as { data: Ask | AgentReply };
    if (!('thread' in data)) obey(data);
  };
}
tell({ ...me(), type: 'hello' });
