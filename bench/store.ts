/**
 * What durability costs: transfers between players of real shard threads, through rings, store thread and LMDB, until
 * they are durable; beside what LMDB alone does with transactions of the same size; and what a busy store does to ticks,
 * in pairs with the same world in memory, and each of those with itself. Everything in a temporary directory.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HistogramCopy } from '../src/memory/histogram.js';
import type { Write } from '../src/store/engine.js';
import { LmdbEngine } from '../src/store/lmdb-engine.js';
import type { StoreStatus } from '../src/store/types.js';
import type { BenchArgs } from './benches.js';
import { KeptThreads, type Wish } from './store/kept.js';

export const name = 'store';
export const describe = 'What durability costs: latency and rate of transfers, and the ticks beside it.';
export const flags = ['players', 'seconds', 'pairs', 'rate', 'shards'];

interface Load {
  durableMs: number[];
  /** Transfers that became durable a second of the time from the first wish to the last that was. */
  perSecond: number;
  tickP99Ms: number;
  ticks: number;
  store: StoreStatus;
  refused: number;
}

interface Size {
  players: number;
  seconds: number;
  rate: number;
  shards: number;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const WARM_MS = 1_500;
const SETTLE_MS = 10_000;

function ticksOf({ threads }: KeptThreads): HistogramCopy {
  const copy = new HistogramCopy();
  for (const block of threads.world.shardBlocks) block.tickMs.addTo(copy);
  return copy;
}

/** Transfers at a steady rate. @param folder null = in memory */
async function load(folder: string | null, { players, seconds, rate, shards }: Size): Promise<Load> {
  const kept = await KeptThreads.start(shards, folder);
  const { threads } = kept;
  const { clock, world } = threads;
  try {
    threads.populate(players);
    for (const end = clock.now() + WARM_MS; clock.now() < end; ) await turn();
    const before = ticksOf(kept);
    const begun = clock.now();
    const durableMs: number[] = [];
    let open: Wish[] = [];
    let made = 0;
    let refused = 0;
    let last = begun;
    const end = begun + seconds * 1000;
    let ticks: HistogramCopy | null = null;
    while (open.length > 0 || clock.now() < end) {
      const now = clock.now();
      for (const due = Math.floor(((Math.min(now, end) - begun) * rate) / 1000); made < due; made++) {
        const wish = kept.give();
        if (wish === null) refused++;
        else open.push(wish);
      }
      if (now >= end) ticks ??= ticksOf(kept);
      open = open.filter(({ slot, action, at }) => {
        if (world.cut.durable(slot) < action) return true;
        durableMs.push(now - at);
        last = now;
        return false;
      });
      if (now > end + SETTLE_MS) throw new Error(`${open.length} transfers did not become durable`);
      await turn();
    }
    ticks ??= ticksOf(kept);
    ticks.subtract(before);
    const perSecond = durableMs.length / ((last - begun) / 1000);
    const store = kept.durability.status();
    kept.check();
    return { durableMs, perSecond, tickP99Ms: ticks.percentile(0.99), ticks: ticks.total, store, refused };
  } finally {
    await kept.stop();
  }
}

/** The same bytes in transactions of the same size, from what the run has left, into LMDB and nothing else. */
async function bare(from: string, to: string, run: Load): Promise<{ ms: number[]; transfers: number }> {
  const source = new LmdbEngine(from, { readOnly: true });
  const records = [...source.entries('entities')];
  const lines = [...source.entries('journal')];
  const cuts = Math.max(1, run.store.cuts);
  const perCut = Math.max(1, Math.round(run.store.recordsWritten / cuts));
  const transfers = Math.max(1, Math.round(run.durableMs.length / cuts));
  await source.close();
  const engine = new LmdbEngine(to);
  const ms: number[] = [];
  try {
    for (let cut = 0; cut < Math.min(cuts, 100); cut++) {
      const writes: Write[] = [];
      for (let i = 0; i < perCut; i++) {
        const [key, value] = records[(cut * perCut + i) % records.length]!;
        writes.push({ table: 'entities', key, value });
      }
      for (let i = 0; i < 2 * transfers; i++) {
        const [key, value] = lines[i % lines.length]!;
        writes.push({ table: 'journal', key: [...(key as readonly number[]), cut, i], value });
      }
      const begun = performance.now(); // house-ok: a bench measures
      engine.commit(writes, (trouble) => {
        if (trouble !== null) throw trouble;
      });
      ms.push(performance.now() - begun); // house-ok: a bench measures
    }
  } finally {
    await engine.close();
  }
  return { ms, transfers };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
const median = (values: readonly number[]) => percentile(values, 0.5);
const round2 = (n: number): number => Math.round(n * 100) / 100;

/** @returns `store {bareMsPerCommit, barePerSecond, durableMs {p50, p99}, perSecond, tickP99Ms {memory, data}, …}` */
export async function run({ values }: BenchArgs): Promise<Record<string, unknown>> {
  const size: Size = {
    players: Number(values.players ?? 1_000),
    seconds: Number(values.seconds ?? 6),
    rate: Number(values.rate ?? 1_000),
    shards: Number(values.shards ?? 1),
  };
  const root = mkdtempSync(join(tmpdir(), 'bluemarble-store-'));
  try {
    const runs: { memory: Load; again: Load; data: Load }[] = [];
    const pairs = Number(values.pairs ?? 5);
    for (let pair = 0; pair < pairs; pair++) {
      const memory = await load(null, size);
      const data = await load(join(root, `data-${pair}`), size);
      runs.push({ memory, data, again: await load(null, size) });
    }
    const { data } = runs.at(-1)!;
    const alone = await bare(join(root, `data-${pairs - 1}`), makeFolder(root), data);
    const latencies = runs.flatMap((one) => one.data.durableMs);
    const bareMs = median(alone.ms);
    const difference = (of: 'data' | 'again') =>
      round2(median(runs.map((one) => one[of].tickP99Ms - one.memory.tickP99Ms)));
    return {
      store: {
        bareMsPerCommit: round2(bareMs),
        barePerSecond: Math.round((alone.transfers / bareMs) * 1000),
        durableMs: { p50: round2(median(latencies)), p99: round2(percentile(latencies, 0.99)) },
        perSecond: Math.round(median(runs.map((one) => one.data.perSecond))),
        tickP99Ms: {
          memory: round2(median(runs.map((one) => one.memory.tickP99Ms))),
          data: round2(median(runs.map((one) => one.data.tickP99Ms))),
          differenceOfPairs: difference('data'),
          differenceOfMemoryWithItself: difference('again'),
          pairs: runs.map((one) => [one.memory, one.data, one.again].map((l) => round2(l.tickP99Ms))),
        },
        memoryDurableMsP50: round2(median(runs.flatMap((one) => one.memory.durableMs))),
        recordsPerCut: Math.round(data.store.recordsWritten / Math.max(1, data.store.cuts)),
        transfersPerCut: alone.transfers,
        cuts: data.store.cuts,
        cutMsMax: round2(data.store.cutMs.max),
        ticksMeasured: runs.reduce((n, one) => n + one.data.ticks, 0),
        inboxFull: runs.reduce((n, one) => n + one.data.refused, 0),
      },
      ...size,
      movingPlayers: size.players,
      gateways: 0,
    };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function makeFolder(root: string): string {
  return mkdtempSync(join(root, 'bare-'));
}
