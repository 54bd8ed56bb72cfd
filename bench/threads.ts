/**
 * Whether a piscina pool could host shards: an endless task in a plain Worker and in a pool of one, how long until it
 * ticks, and after each way to end it how long until the main thread knows, what it is told, and whether the thread
 * number is free for a replacement at once.
 *
 * Flags: --rounds
 */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { type Clock, monotonicClock, systemTimers } from '../src/base/clock.js';
import type { BenchArgs } from './benches.js';
import { ENDS, type End, WORD } from './threads/endless.js';

export const name = 'threads';
export const describe =
  'Plain Worker against a piscina pool for a task that never ends: start, and news of its end.';
export const flags = ['rounds'];

const FILE = fileURLToPath(new URL('./threads/endless.js', import.meta.url));
const LIMIT = { maxOldGenerationSizeMb: 64 };
const PATIENCE_MS = 10_000;
const clock: Clock = monotonicClock();
const timers = systemTimers();

interface Hosted {
  /** Resolves with what the main thread is told. */
  readonly over: Promise<string>;
  terminate(): void;
  close(): Promise<unknown>;
}
type Host = (shared: SharedArrayBuffer) => Hosted;

const plain: Host = (shared) => {
  const worker = new Worker(FILE, { workerData: { endless: shared }, resourceLimits: LIMIT });
  let told = '';
  worker.on('error', (error: NodeJS.ErrnoException) => {
    told = error.code ?? error.message;
  });
  const over = new Promise<string>((resolve) =>
    worker.on('exit', (code) => resolve(told || `exit code ${code}`)),
  );
  return { over, terminate: () => void worker.terminate(), close: () => over };
};

const pooled: Host = (shared) => {
  const pool = new Piscina({ filename: FILE, minThreads: 1, maxThreads: 1, resourceLimits: LIMIT });
  const abort = new AbortController();
  const over = pool.run(shared, { signal: abort.signal }).then(
    () => 'a result',
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
  return { over, terminate: () => abort.abort(), close: () => pool.destroy() };
};

/** Polls, since the main thread of a server may not block either. */
async function until(isSo: () => boolean): Promise<void> {
  const begun = clock.now();
  while (!isSo()) {
    if (clock.now() - begun > PATIENCE_MS) throw new Error('the endless task did not start');
    await new Promise<void>((resolve) => timers.after(1, resolve));
  }
}

async function once(
  host: Host,
  end: End,
): Promise<{ startMs: number; knownMs: number | null; told: string }> {
  const shared = new SharedArrayBuffer(WORD.words * 4);
  const words = new Int32Array(shared);
  const begun = clock.now();
  const hosted = host(shared);
  await until(() => Atomics.load(words, WORD.ticks) > 2);
  const startMs = clock.now() - begun;
  const died = clock.now();
  if (end === 'terminate') hosted.terminate();
  Atomics.store(words, WORD.death, 1 + ENDS.indexOf(end));
  Atomics.notify(words, WORD.death);
  const silence = new Promise<null>((resolve) => timers.after(PATIENCE_MS, () => resolve(null)));
  const told = await Promise.race([hosted.over, silence]);
  const knownMs = told === null ? null : clock.now() - died;
  await Promise.race([hosted.close(), silence]);
  return { startMs, knownMs, told: told ?? 'nothing' };
}

export async function run({ values }: BenchArgs): Promise<Record<string, unknown>> {
  const rounds = Number(values.rounds ?? 5);
  const rows: Record<string, unknown>[] = [];
  for (const end of ENDS) {
    for (const [hostedBy, host] of [
      ['Worker', plain],
      ['piscina', pooled],
    ] as const) {
      const all: Awaited<ReturnType<typeof once>>[] = [];
      for (let i = 0; i < rounds; i++) all.push(await once(host, end));
      const median = (of: (one: (typeof all)[number]) => number | null) =>
        Math.round((all.map(of).sort((a, b) => (a ?? 1e9) - (b ?? 1e9))[rounds >> 1] ?? Number.NaN) * 10) /
        10;
      rows.push({
        end,
        hostedBy,
        startMs: median((o) => o.startMs),
        knownMs: median((o) => o.knownMs),
        told: all[0]!.told,
      });
    }
  }
  return { rounds, rows };
}
