/**
 * What players feel when shards die: under walkers who cross borders all the time, a shard is killed every few seconds,
 * in each of the ways there are, one way after the other. Every promise is verified; what is measured is the freeze: the
 * longest time without news of oneself, of each player in each stretch of three seconds.
 *
 * Flags: --players --seconds --every --shards
 */
import { systemTimers } from '../src/base/clock.js';
import { DEATHS } from '../src/admin/routes.js';
import type { BenchArgs } from './main.js';
import { RealServer, runBots } from './real.js';

export const name = 'recovery';
export const describe =
  'The freeze that players feel when shards die, in each of the four ways, promises verified.';
export const flags = ['players', 'seconds', 'every', 'shards'];

const TOKEN = 'bench-recovery-token';
const POLL_MS = 100;

interface Totals {
  players: number;
  totals: { shardRestarts: number };
}

interface Options {
  players: number;
  seconds: number;
  every: number;
  shards: number;
}

const timers = systemTimers();
const pause = (ms: number) =>
  new Promise<void>((resolve) => {
    timers.after(ms, resolve);
  });

/** Kills one shard after the other until the bots are done. @returns how many */
async function killEvery(server: RealServer, how: string, o: Options, over: () => boolean): Promise<number> {
  while (!over() && (await server.status<Totals>()).players < o.players) await pause(POLL_MS);
  let kills = 0;
  const most = Math.floor(o.seconds / o.every) - 1;
  for (let shard = 0; kills < most && !over(); shard = (shard + 1) % o.shards) {
    await pause(o.every * 1000);
    const answer = await server.ask('kill-shard', { shard, how }, TOKEN);
    if (answer >= 200 && answer < 300) kills++;
  }
  return kills;
}

async function measure(how: string, o: Options) {
  const server = await RealServer.start([
    '--shards',
    String(o.shards),
    '--pin-shards',
    '--test-faults',
    '--admin-token',
    TOKEN,
  ]);
  try {
    let done = false;
    const bots = ['--players', String(o.players), '--seconds', String(o.seconds), '--scenario', 'border'];
    const walking = runBots(server, bots).finally(() => {
      done = true;
    });
    const kills = await killEvery(server, how, o, () => done);
    const { report, broken } = await walking;
    const { shardRestarts } = (await server.status<Totals>()).totals;
    if (kills === 0 || shardRestarts < kills)
      throw new Error(`${kills} kills asked for, ${shardRestarts} restarts seen: no result`);
    const { disconnects, actionsLost: lost, actionsDuplicated: doubled, itemsBefore, itemsAfter } = report;
    const { actionsApplied, actionsSent, handovers, viewMissing, viewDuplicates } = report;
    return {
      how,
      kills,
      freezeMs: report.worstGapMs,
      disconnects,
      lost,
      doubled,
      actionsSent,
      actionsApplied,
      handovers,
      viewMissing,
      viewDuplicates,
      itemsBefore,
      itemsAfter,
      broken,
    };
  } finally {
    await server.stop();
  }
}

/** @returns conditions and `recovery {rows: [{how, kills, freezeMs {p50, p99, max}, disconnects, lost, doubled, …}]}` */
export async function run({ values }: BenchArgs): Promise<Record<string, unknown>> {
  const number = (flag: string, fallback: number): number => {
    const value = values[flag] === undefined ? fallback : Number(values[flag]);
    if (!(value > 0)) throw new Error(`--${flag} must be a number above 0, not ${values[flag]}`);
    return value;
  };
  const options = {
    players: number('players', 500),
    seconds: number('seconds', 60),
    every: number('every', 3),
    shards: number('shards', 2),
  };
  const rows: object[] = [];
  for (const how of DEATHS) {
    console.error(`${how}: a shard every ${options.every} s for ${options.seconds} s …`);
    const row = await measure(how, options);
    console.error(`  freeze p99 ${row.freezeMs.p99} ms; ${row.broken.join('; ') || 'every promise held'}`);
    rows.push(row);
  }
  return { ...options, recovery: { rows } };
}
