/**
 * Everything at once, for long: bots trade across borders and break their sockets, tiles are split, merged and moved, and
 * shards die in all four ways, at random. The audit is watched throughout; every promise is verified at the end.
 *
 * Flags: --minutes --players --shards --seed --every (seconds between two disturbances)
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEATHS } from '../src/admin/routes.js';
import { monotonicClock, systemTimers } from '../src/base/clock.js';
import { LIMITS } from '../src/base/limits.js';
import { type Random, seededRandom } from '../src/base/random.js';
import type { Status, TilesStatus } from '../src/control/status.js';
import { formatTile, parentOf, parseTile, type TileAddress } from '../src/geo/address.js';
import type { BenchArgs } from './benches.js';
import { RealServer, type RunningBots, startBots } from './real.js';

export const name = 'soak';
export const describe =
  'Trades across borders while tiles split, merge and move and shards die at random; the audit watched.';
export const flags = ['minutes', 'players', 'shards', 'seed', 'every'];

const TOKEN = 'bench-soak-token';
const LOOK_MS = 500;
const TELL_MS = 30_000;
const RAMP_PER_S = 250;

const clock = monotonicClock();
const timers = systemTimers();
const pause = (ms: number) => new Promise<void>((resolve) => timers.after(ms, resolve));

/** Does one thing at a time to the server, at random, and counts how often it agreed. */
class Disturber {
  readonly done: Record<string, number> = { split: 0, merge: 0, move: 0 };

  constructor(
    private readonly server: RealServer,
    private readonly random: Random,
    private readonly shards: number,
  ) {
    for (const how of DEATHS) this.done[how] = 0;
  }

  async disturb(): Promise<void> {
    const kinds = Object.keys(this.done);
    const kind = kinds[this.random.int(kinds.length)]!;
    const isDeath = (DEATHS as readonly string[]).includes(kind);
    const shard = this.random.int(this.shards);
    const body = isDeath ? { shard, how: kind } : await this.reshape(kind, shard);
    if (body === null) return;
    const status = await this.server.ask(isDeath ? 'kill-shard' : kind, body, TOKEN);
    if (status >= 200 && status < 300) this.done[kind]!++;
  }

  /** A tile for it; null = there is none. */
  private async reshape(kind: string, shard: number): Promise<object | null> {
    const { tiles } = (await (await fetch(`${this.server.admin}/api/tiles`)).json()) as TilesStatus;
    const busy = tiles.filter(({ players }) => players > 0).flatMap(({ tile }) => parseTile(tile) ?? []);
    const fit = busy.filter(({ z }) => fits(kind, z));
    if (fit.length === 0) return null;
    const tile: TileAddress = fit[this.random.int(fit.length)]!;
    if (kind === 'merge') return { tile: formatTile(parentOf(tile)!) };
    return kind === 'move' ? { tile: formatTile(tile), shard } : { tile: formatTile(tile) };
  }
}

function fits(kind: string, level: number): boolean {
  if (kind === 'merge') return level > LIMITS.baseTileLevel;
  return kind === 'move' || level < LIMITS.deepestTileLevel;
}

/** What the looks at the status saw in all. */
class Watch {
  audited = 0;
  private lastAudit = 0;
  readonly rssMb: number[] = [];

  async look(server: RealServer): Promise<Status> {
    const status = await server.status<Status>();
    const { audit, store } = status;
    if (!audit.ok) throw new Error(`the audit found a difference: ${JSON.stringify(audit.last)}`);
    if (store === null || store.failures > 0) throw new Error(`writes failed: ${store?.trouble}`);
    if (audit.lastCheckTick > this.lastAudit) this.audited++;
    this.lastAudit = audit.lastCheckTick;
    const metrics = await (await fetch(`${server.admin}/metrics`)).text();
    const rss = /^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1];
    this.rssMb.push(Math.round(Number(rss) / 2 ** 20));
    return status;
  }
}

async function disturbFor(
  server: RealServer,
  seconds: number,
  every: number,
  disturber: Disturber,
): Promise<Watch> {
  const watch = new Watch();
  const begun = clock.now();
  let next = begun;
  let told = begun;
  for (let now = begun; now - begun < seconds * 1000; now = clock.now()) {
    await watch.look(server);
    if (now >= next) {
      next = now + every * 1000;
      await disturber.disturb();
    }
    if (now - told >= TELL_MS) {
      told = now;
      process.stderr.write(
        `${Math.round((now - begun) / 1000)} s: ${JSON.stringify(disturber.done)}, audits ${watch.audited}\n`,
      );
    }
    await pause(LOOK_MS);
  }
  return watch;
}

export async function run({ values }: BenchArgs): Promise<Record<string, unknown>> {
  const minutes = Number(values.minutes ?? 10);
  const players = Number(values.players ?? 1000);
  const shards = Number(values.shards ?? 3);
  const every = Number(values.every ?? 2);
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-soak-'));
  const extra = ['--test-faults', '--admin-token', TOKEN];
  const server = await RealServer.start([
    '--data',
    folder,
    '--shards',
    String(shards),
    '--pin-shards',
    ...extra,
  ]);
  let bots: RunningBots | null = null;
  try {
    bots = startBots(server, [
      ...['--players', String(players), '--seconds', '0', '--scenario', 'trade', '--drop-every', '60'],
      ...['--ramp', String(RAMP_PER_S)],
    ]);
    await pause((players / RAMP_PER_S) * 1000 + 5_000);
    const disturber = new Disturber(server, seededRandom(Number(values.seed ?? 1)), shards);
    const watch = await disturbFor(server, minutes * 60, every, disturber);
    bots.stop();
    const { report, broken } = await bots.over;
    if (report.actionsSent === 0 || report.trades === 0)
      throw new Error('nothing was traded: nothing was tested');
    const last = await watch.look(server);
    return {
      ...{ minutes, players, shards, disturbances: disturber.done, restarts: last.totals.shardRestarts },
      ...{ audits: watch.audited, differences: last.audit.differences },
      rssMb: { first: watch.rssMb[0], last: watch.rssMb.at(-1), max: Math.max(...watch.rssMb) },
      ...{ actionsSent: report.actionsSent, actionsApplied: report.actionsApplied },
      ...{
        lost: report.actionsLost,
        doubled: report.actionsDuplicated,
        outOfOrder: report.actionsOutOfOrder,
      },
      ...{ disconnects: report.disconnects, drops: report.drops, handovers: report.handovers },
      ...{
        viewMissing: report.viewMissing,
        viewDuplicates: report.viewDuplicates,
        freezeMs: report.worstGapMs,
      },
      ...{ trades: report.trades, tradesAborted: report.tradesAborted },
      ...{ itemsBefore: report.itemsBefore, itemsAfter: report.itemsAfter, broken },
    };
  } finally {
    bots?.kill();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
