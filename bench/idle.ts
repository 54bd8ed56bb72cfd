/**
 * What a planet with nobody on it costs: CPU time of the whole server and of each of its threads, and its memory, in
 * memory and with a data directory. Read from /proc, so the bench itself takes no part in it.
 *
 * Flags: --seconds --shards
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monotonicClock, systemTimers } from '../src/base/clock.js';
import type { BenchArgs } from './benches.js';
import { RealServer } from './real.js';

export const name = 'idle';
export const describe = 'CPU time and memory of a server with nobody on its planet.';
export const flags = ['seconds', 'shards'];

/** Until what the start has left to do is done, and shards rest. */
const CALM_MS = 10_000;
/** Threads below this share of a core are not told by name. */
const TOLD = 0.0002;

const clock = monotonicClock();
const timers = systemTimers();
const pause = (ms: number) => new Promise<void>((resolve) => timers.after(ms, resolve));

interface Thread {
  readonly name: string;
  /** On a core since it began, to the nanosecond. */
  readonly cpuMs: number;
  readonly wakeups: number;
}

function threadsOf(pid: number): Map<string, Thread> {
  const threads = new Map<string, Thread>();
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const read = (file: string) => readFileSync(`/proc/${pid}/task/${tid}/${file}`, 'utf8');
    const cpuMs = Number(read('schedstat').split(' ')[0]) / 1e6;
    const wakeups = Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(read('status'))?.[1]);
    threads.set(tid, { name: read('comm').trim(), cpuMs, wakeups });
  }
  return threads;
}

async function measure(where: readonly string[], seconds: number, shards: number) {
  const server = await RealServer.start(['--shards', String(shards), ...where]);
  try {
    await pause(CALM_MS);
    const before = threadsOf(server.pid);
    const begun = clock.now();
    await pause(seconds * 1000);
    const after = threadsOf(server.pid);
    const passed = clock.now() - begun;
    const rows = [...after].map(([tid, thread]) => ({
      name: thread.name,
      share: (thread.cpuMs - (before.get(tid)?.cpuMs ?? 0)) / passed,
      wakeupsPerSecond: (thread.wakeups - (before.get(tid)?.wakeups ?? 0)) / (passed / 1000),
    }));
    const cpuShare = rows.reduce((sum, { share }) => sum + share, 0);
    const told = rows.filter(({ share }) => share > TOLD).sort((a, b) => b.share - a.share);
    const round = (x: number, places: number) => Number(x.toFixed(places));
    const memory = readFileSync(`/proc/${server.pid}/status`, 'utf8');
    return {
      cpuPercent: round(cpuShare * 100, 2),
      residentMb: Math.round(Number(/^VmRSS:\s*(\d+)/m.exec(memory)?.[1]) / 1024),
      threads: told.map(({ name, share, wakeupsPerSecond }) => ({
        name,
        cpuPercent: round(share * 100, 2),
        wakeupsPerSecond: round(wakeupsPerSecond, 1),
      })),
    };
  } finally {
    await server.stop();
  }
}

/** @returns conditions and `idle {memory, data}`, each `{cpuPercent, residentMb, threads: [{name, …}]}` */
export async function run({ values }: BenchArgs): Promise<Record<string, unknown>> {
  const seconds = Number(values.seconds ?? 60);
  const shards = Number(values.shards ?? 1);
  if (!(seconds > 0)) throw new Error(`--seconds must be above 0, not ${values.seconds}`);
  const memory = await measure([], seconds, shards);
  console.error(`in memory: ${memory.cpuPercent} % of a core, ${memory.residentMb} MB`);
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-idle-'));
  try {
    const data = await measure(['--data', folder], seconds, shards);
    console.error(`with data: ${data.cpuPercent} % of a core, ${data.residentMb} MB`);
    return { seconds, shards, idle: { memory, data } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
