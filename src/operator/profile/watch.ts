/** CPU time of every thread of another process over time, user and kernel apart, from /proc; its resident memory. */
import { readdirSync, readFileSync } from 'node:fs';
import { cpuOfStat } from '../../control/thread-times.js';

export interface ThreadSample {
  readonly tid: number;
  readonly user: number;
  readonly system: number;
  /** Seconds ready to run without a core. */
  readonly wait: number;
}

export interface ProcessSample {
  readonly atMs: number;
  readonly threads: readonly ThreadSample[];
  readonly rssBytes: number;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // the thread has ended
  }
}

/** @param now clock ms */
export function sampleProcess(pid: number, now: number): ProcessSample {
  const threads = listThreads(pid).flatMap((tid) => {
    const cpu = cpuOfStat(read(`/proc/${pid}/task/${tid}/stat`));
    if (cpu === null) return [];
    const wait = Number((read(`/proc/${pid}/task/${tid}/schedstat`) ?? '').split(' ')[1]) / 1e9;
    return [{ tid, ...cpu, wait: Number.isFinite(wait) ? wait : 0 }];
  });
  const kib = /VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return { atMs: now, threads, rssBytes: Number(kib ?? 0) * 1024 };
}

function listThreads(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

export interface ThreadShare {
  readonly name: string;
  /** Cores: 1 = one core all the time. */
  readonly user: number;
  readonly system: number;
  readonly wait: number;
  /** Of the CPU time of all threads, 0 … 1. */
  readonly share: number;
}

/**
 * Which thread took what between two samples. Threads without a name (V8's and libuv's own) are summed up.
 * @param names by thread id
 */
export function shares(
  from: ProcessSample,
  to: ProcessSample,
  names: ReadonlyMap<number, string>,
): ThreadShare[] {
  const seconds = Math.max(0.001, (to.atMs - from.atMs) / 1000);
  const sums = new Map<string, { user: number; system: number; wait: number }>();
  for (const thread of to.threads) {
    const before = from.threads.find(({ tid }) => tid === thread.tid) ?? { user: 0, system: 0, wait: 0 };
    const name = names.get(thread.tid) ?? 'V8 and libuv helpers';
    const sum = sums.get(name) ?? { user: 0, system: 0, wait: 0 };
    sum.user += (thread.user - before.user) / seconds;
    sum.system += (thread.system - before.system) / seconds;
    sum.wait += (thread.wait - before.wait) / seconds;
    sums.set(name, sum);
  }
  const all = [...sums.values()].reduce((n, { user, system }) => n + user + system, 0);
  return [...sums]
    .map(([name, sum]) => ({ name, ...sum, share: all === 0 ? 0 : (sum.user + sum.system) / all }))
    .sort((a, b) => b.share - a.share);
}
