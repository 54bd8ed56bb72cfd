/**
 * CPU time of the named threads of this process since each began: what runs in user mode and what the kernel does for
 * it (sending, above all), from /proc/self/task/TID/stat and schedstat.
 *
 * Contract: reads a few small files when asked; a thread that the system tells nothing about is left out.
 */
import type { SharedWorld } from '../memory/shared-world.js';
import { GATEWAY_GAUGE } from '../memory/gateway-block.js';
import { SHARD_GAUGE } from '../memory/shard-block.js';
import type { ThreadName } from './thread-cpu.js';

export interface ThreadTime {
  readonly name: string;
  readonly userSeconds: number;
  readonly systemSeconds: number;
  /** Ready to run and without a core. */
  readonly waitSeconds: number;
}

/** Ticks of /proc a second: fixed in the kernel's interface, whatever the kernel's own rate. */
const TICKS_PER_SECOND = 100;

/** The threads of a node that can be named. Gateway 0 lives in the main thread. */
export function namedThreads(world: SharedWorld, mainThread: number): ThreadName[] {
  const shards = world.shardBlocks.map((block, s) => ({
    name: `shard ${s}`,
    tid: block.gauge(SHARD_GAUGE.threadId),
  }));
  const gateways = world.gatewayBlocks.map((block, g) => ({
    name: `gateway ${g}`,
    tid: block.gauge(GATEWAY_GAUGE.threadId),
  }));
  const { store, writer } = world.cut.threadIds;
  const disk = [
    { name: 'store', tid: store },
    { name: 'writer', tid: writer },
  ];
  const all = [{ name: 'main', tid: mainThread }, ...shards, ...gateways.slice(1), ...disk];
  return all.filter(({ tid }) => tid > 0);
}

/** User and system seconds out of the text of a `stat` file; null when it is none. */
export function cpuOfStat(text: string | null): { user: number; system: number } | null {
  // The second field is a name in brackets that may hold anything: fields are counted behind the last bracket.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  if (!Number.isFinite(user) || !Number.isFinite(system)) return null;
  return { user: user / TICKS_PER_SECOND, system: system / TICKS_PER_SECOND };
}

/** @param readText content of a file, or null where it cannot be read */
export function threadTimes(
  threads: readonly ThreadName[],
  readText: (path: string) => string | null,
  process = 'self',
): ThreadTime[] {
  return threads.flatMap(({ name, tid }) => {
    const cpu = cpuOfStat(readText(`/proc/${process}/task/${tid}/stat`));
    if (cpu === null) return [];
    const waited = Number((readText(`/proc/${process}/task/${tid}/schedstat`) ?? '').split(' ')[1]);
    const waitSeconds = Number.isFinite(waited) ? waited / 1e9 : 0;
    return [{ name, userSeconds: cpu.user, systemSeconds: cpu.system, waitSeconds }];
  });
}
