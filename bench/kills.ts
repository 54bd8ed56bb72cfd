/**
 * The whole process is killed with SIGKILL at random moments under bots that trade and resume, and started again on the
 * same data: how long until it accepts clients, and whether every promise holds (nothing acknowledged as durable is gone,
 * nothing lost or doubled, items conserved). Beside it another server, killed at the same moments, into which new accounts
 * log in in groups (kills/groups.ts).
 *
 * Flags: --times --players --accounts --shards --seed
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monotonicClock, systemTimers } from '../src/base/clock.js';
import { type Random, seededRandom } from '../src/base/random.js';
import { probePort } from '../src/gateway/build.js';
import type { BenchArgs } from './benches.js';
import { Groups } from './kills/groups.js';
import { RealServer, startBots } from './real.js';

export const name = 'kills';
export const describe =
  'kill -9 of the whole process again and again under trading bots and new accounts, promises verified.';
export const flags = ['times', 'players', 'accounts', 'shards', 'seed'];

/** Between two deaths, and for the bots to come in and to settle. */
const BETWEEN_MS = 2_000;
const CALM_MS = 5_000;

const clock = monotonicClock();
const timers = systemTimers();
const pause = (ms: number) => new Promise<void>((resolve) => timers.after(ms, resolve));

/**
 * A port that is free, and the next one as well, below those that the system gives to outgoing connections: while the
 * server is away its clients call, and one that is given the port as its own would take it.
 */
export async function freePort(random: Random): Promise<number> {
  for (;;) {
    const port = 20_000 + random.int(10_000);
    const both = await Promise.all([probePort(port), probePort(port + 1)]).catch(() => null);
    if (both !== null) return port;
  }
}

/** Durable tick of a server; never may it go back. */
const durable = async (server: RealServer) => (await server.status<{ durableTick: number }>()).durableTick;

export async function run({ values }: BenchArgs): Promise<Record<string, unknown>> {
  const times = Number(values.times ?? 100);
  const players = Number(values.players ?? 300);
  const shards = Number(values.shards ?? 2);
  const random = seededRandom(Number(values.seed ?? 1));
  const groupFolder = mkdtempSync(join(tmpdir(), 'bluemarble-groups-'));
  const groups = new Groups(groupFolder, Number(values.accounts ?? 20));
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-kills-'));
  const flags = ['--data', folder, '--shards', String(shards)];
  const port = await freePort(seededRandom(process.pid));
  let server = await RealServer.start(flags, port);
  let other = await groups.start(shards);
  const bots = startBots(server, ['--players', String(players), '--seconds', '0', '--scenario', 'trade']);
  bots.over.catch(() => {}); // told where it is awaited
  try {
    await pause(CALM_MS);
    const readyMs: number[] = [];
    for (let kill = 1; kill <= times; kill++) {
      const calm = pause(BETWEEN_MS * (1 + random.next()));
      await groups.enter(other);
      await calm;
      const before = await durable(server);
      await Promise.all([server.stop('SIGKILL'), other.stop('SIGKILL')]);
      const begun = clock.now();
      server = await RealServer.start(flags, port);
      readyMs.push(Math.round(clock.now() - begun));
      const after = await durable(server);
      process.stderr.write(
        `kill ${kill}: durable tick ${before}, then ${after}; ready in ${readyMs.at(-1)} ms\n`,
      );
      other = await groups.start(shards);
      await groups.comeBack(other);
      if (after < before) throw new Error(`the durable point went back from tick ${before} to ${after}`);
    }
    await pause(CALM_MS);
    bots.stop();
    const { report, broken } = await bots.over;
    await other.stop();
    const { orphans, faults } = await groups.verify();
    if (report.actionsSent === 0) throw new Error('no action was sent: nothing was tested');
    readyMs.sort((a, b) => a - b);
    const at = (share: number) => readyMs[Math.min(readyMs.length - 1, Math.floor(share * readyMs.length))];
    return {
      ...{ kills: times, players, shards, restartsSeen: report.serverRestarts },
      readyMs: { p50: at(0.5), p99: at(0.99), max: readyMs.at(-1) },
      ...{ actionsSent: report.actionsSent, actionsApplied: report.actionsApplied },
      ...{
        lost: report.actionsLost,
        doubled: report.actionsDuplicated,
        outOfOrder: report.actionsOutOfOrder,
      },
      ...{ itemsBefore: report.itemsBefore, itemsAfter: report.itemsAfter },
      ...{ trades: report.trades, tradesAborted: report.tradesAborted, broken },
      ...{
        accounts: groups.accounts,
        accountsBack: groups.again,
        accountsLost: groups.lost,
        orphans,
        faults,
      },
    };
  } finally {
    bots.kill();
    await Promise.all([server.stop(), other.stop()]);
    rmSync(groupFolder, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  }
}
