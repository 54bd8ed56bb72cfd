/**
 * What players feel when shards die: under walkers who cross borders all the time, a shard is killed every few seconds,
 * in each of the ways there are, one way after the other. Every promise is verified; what is measured is the freeze: the
 * longest time without news of oneself, of each player in each stretch of three seconds. Beside it, by the server's log:
 * how long the shard takes to die once it is asked to (until its silence is noticed, until its heap is full), and how
 * long until its replacement has adopted.
 *
 * Flags: --players --seconds --every --shards --how
 */
import { monotonicClock, systemTimers } from '../src/base/clock.js';
import { DEATHS } from '../src/admin/routes.js';
import type { BenchArgs } from './benches.js';
import { type LogLine, RealServer, runBots } from './real.js';

export const name = 'recovery';
export const describe =
  'The freeze that players feel when shards die, in each of the four ways, promises verified.';
export const flags = ['players', 'seconds', 'every', 'shards', 'how'];

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

const clock = monotonicClock();
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

/** Times of the deaths of one run, as the server's log tells of them. */
class Deaths {
  private readonly since = new Map<number, number>();
  private readonly died: number[] = [];
  private readonly adopted: number[] = [];

  readonly hear = ({ msg, shard }: LogLine): void => {
    if (shard === undefined) return;
    if (msg === 'a test asks for the death of a shard') this.since.set(shard, clock.now());
    if (msg === 'shard died, a replacement adopts') this.note(shard, this.died);
    if (msg === 'shard runs') this.note(shard, this.adopted);
  };

  private note(shard: number, into: number[]): void {
    const since = this.since.get(shard);
    if (since === undefined) return; // its first start
    into.push(clock.now() - since);
    this.since.set(shard, clock.now());
  }

  figures() {
    return { deathMs: spread(this.died), adoptMs: spread(this.adopted) };
  }
}

function spread(times: number[]) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN);
  return { p50: at(0.5), max: at(1) };
}

async function measure(how: string, o: Options) {
  const deaths = new Deaths();
  const pinned = ['--shards', String(o.shards), '--pin-shards'];
  const flags = [...pinned, '--test-faults', '--admin-token', TOKEN];
  const server = await RealServer.start(flags, 0, deaths.hear);
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
      ...deaths.figures(),
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

/** @returns conditions and `recovery {rows: [{how, kills, freezeMs {p50, p99, max}, deathMs, adoptMs {p50, max}, disconnects, lost, doubled, …}]}` */
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
  const ways = values.how === undefined ? DEATHS : DEATHS.filter((how) => how === values.how);
  if (ways.length === 0) throw new Error(`--how must be one of ${DEATHS.join(', ')}, not ${values.how}`);
  for (const how of ways) {
    console.error(`${how}: a shard every ${options.every} s for ${options.seconds} s …`);
    const row = await measure(how, options);
    const { freezeMs, deathMs, adoptMs } = row;
    console.error(
      `  freeze p50 ${freezeMs.p50}, p99 ${freezeMs.p99} ms; dead after ${deathMs.p50} (max ${deathMs.max}), ` +
        `adopted after ${adoptMs.p50} (max ${adoptMs.max}) more; ${row.broken.join('; ') || 'every promise held'}`,
    );
    rows.push(row);
  }
  return { ...options, recovery: { rows } };
}
