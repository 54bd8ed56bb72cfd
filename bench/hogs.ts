/**
 * Noisy neighbours: the real server and real bots beside programs that take CPU, disk, memory and process starts. What
 * is not the server's load it cannot shed: nobody may be disconnected, nothing lost, and time slowed for nobody whose
 * tile costs little.
 *
 * Flags: --players (border bots) --guests (roaming ones) --seconds, --cpu --disk --memory --process (hogs of each kind)
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monotonicClock, systemTimers } from '../src/base/clock.js';
import type { Status, TilesStatus } from '../src/control/status.js';
import type { BenchArgs } from './benches.js';
import type { Kind } from './hogs/hog.js';
import { Hogs } from './hogs/hogs.js';
import { RealServer, type RunningBots, startBots } from './real.js';

export const name = 'hogs';
export const describe =
  'Bots beside programs that take CPU, disk, memory and process starts: who is disconnected, and whose time is slowed.';
export const flags = ['players', 'guests', 'seconds', 'cpu', 'disk', 'memory', 'process'];

const LOOK_MS = 1_000;
/** Hogs end by themselves after the run and so much for what comes around it. */
const GRACE_S = 240;
/** A tile that asks for less than this share of a tick costs little: slowing it would relieve nobody. */
const LITTLE = 0.2;

const clock = monotonicClock();
const timers = systemTimers();
const pause = (ms: number) => new Promise<void>((resolve) => timers.after(ms, resolve));

/** What the looks at the status saw. */
class Watch {
  leastDilation = 1;
  /** Tiles that cost little and were slowed, as they were seen: their address and their load. */
  readonly slowed = new Set<string>();
  mostRestarts = 0;
  mostLoad = 0;
  looks = 0;
  saturated = 0;

  /** Looks without an answer. */
  missed = 0;

  async look(server: RealServer): Promise<void> {
    try {
      await this.ask(server);
    } catch {
      this.missed++; // the bench gets no core either
    }
  }

  private async ask(server: RealServer): Promise<void> {
    const status = await server.status<Status>();
    const { tiles } = (await (await fetch(`${server.admin}/api/tiles`)).json()) as TilesStatus;
    this.looks++;
    if (status.cpuSaturated) this.saturated++;
    this.leastDilation = Math.min(this.leastDilation, status.dilation);
    this.mostRestarts = Math.max(this.mostRestarts, status.totals.shardRestarts);
    this.mostLoad = Math.max(this.mostLoad, loadOfMachine());
    for (const { tile, dilation, busy } of tiles)
      if (dilation < 1 && busy < LITTLE) this.slowed.add(`${tile} at ${busy.toFixed(3)}`);
  }
}

function loadOfMachine(): number {
  try {
    return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
  } catch {
    return Number.NaN; // not Linux
  }
}

async function watchUntil(server: RealServer, over: Promise<unknown>): Promise<Watch> {
  const watch = new Watch();
  let isOver = false;
  const done = () => {
    isOver = true;
  };
  over.then(done, done);
  while (!isOver) {
    await watch.look(server);
    await Promise.race([over.catch(() => null), pause(LOOK_MS)]);
  }
  return watch;
}

interface Run {
  readonly scenario: string;
  readonly bots: number;
  readonly seconds: number;
  readonly hogs: Readonly<Record<Kind, number>>;
}

/** One crowd of bots, from the first connect to the last comparison, beside the hogs. */
async function measure({ scenario, bots: players, seconds, hogs: counts }: Run) {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-beside-'));
  const lines = new Map<string, number>();
  const server = await RealServer.start(['--data', folder], 0, ({ msg }) =>
    lines.set(msg, (lines.get(msg) ?? 0) + 1),
  );
  const begun = clock.now();
  const hogs = new Hogs(counts, seconds + GRACE_S);
  let bots: RunningBots | null = null;
  try {
    bots = startBots(server, [
      ...['--players', String(players), '--seconds', String(seconds), '--scenario', scenario],
    ]);
    const watch = await watchUntil(server, bots.over);
    const minutes = (clock.now() - begun) / 60_000;
    const { report, broken } = await bots.over;
    const told = [...lines.values()].reduce((sum, n) => sum + n, 0);
    return {
      ...{ scenario, players, connected: report.connected, hogsLeft: hogs.running },
      ...{ disconnects: report.disconnects, restarts: watch.mostRestarts },
      ...{ actionsSent: report.actionsSent, lost: report.actionsLost, doubled: report.actionsDuplicated },
      ...{ outOfOrder: report.actionsOutOfOrder, handovers: report.handovers },
      ...{ viewMissing: report.viewMissing, viewDuplicates: report.viewDuplicates },
      ...{ handoverMs: report.handoverMs, selfUpdateGapMs: report.selfUpdateGapMs },
      ...{ leastDilation: watch.leastDilation, slowedLittleTiles: [...watch.slowed].slice(0, 10) },
      ...{
        looks: watch.looks,
        missedLooks: watch.missed,
        saturatedLooks: watch.saturated,
        mostMachineLoad: watch.mostLoad,
      },
      logLinesPerMinute: Math.round(told / minutes),
      mostFrequentLines: [...lines].sort((a, b) => b[1] - a[1]).slice(0, 5),
      broken,
    };
  } finally {
    bots?.kill();
    await hogs.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Exit code 1 when a promise broke beside the hogs; the figures are told all the same. */
export async function run({ values }: BenchArgs): Promise<Record<string, unknown>> {
  const number = (flag: string, otherwise: number) => Number(values[flag] ?? otherwise);
  const seconds = number('seconds', 40);
  const hogs = {
    cpu: number('cpu', availableParallelism()),
    disk: number('disk', 2),
    memory: number('memory', 1),
    process: number('process', 3),
  };
  const runs = [];
  for (const [scenario, bots] of [
    ['border', number('players', 1000)],
    ['roam', number('guests', 500)],
  ] as const) {
    if (bots === 0) continue;
    runs.push(await measure({ scenario, bots, seconds, hogs }));
  }
  if (runs.some(({ broken, slowedLittleTiles }) => broken.length + slowedLittleTiles.length > 0))
    process.exitCode = 1;
  return { seconds, hogs, runs };
}
