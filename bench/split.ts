/**
 * How long a split pauses those who stand in the tile: real shard threads, one base tile full of players who walk and
 * whose inboxes hold an action each; the tile is split into four on as many shards, put together again, and so on.
 * Everything is read from outside, from owner words and from what each player's own record says of its steps.
 */
import { readFileSync } from 'node:fs';
import { LIMITS } from '../src/base/limits.js';
import { createLog } from '../src/base/log.js';
import { formatTile } from '../src/geo/address.js';
import { tileColumns, tileX, tileY } from '../src/geo/tile.js';
import { HistogramCopy } from '../src/memory/histogram.js';
import { HOT } from '../src/memory/record.js';
import { SHARD_COUNTER, SHARD_GAUGE } from '../src/memory/shard-block.js';
import { Reshaper } from '../src/control/reshape.js';
import type { BenchArgs } from './benches.js';
import { TILE, Threads } from './split/planet.js';

export const name = 'split';
export const describe =
  'What a split of a full tile costs: handing everybody over, and ticks without a step.';
export const flags = ['entities', 'rounds', 'shards'];

const NAME = formatTile(TILE);
/** Ticks over which CPU time is compared. */
const WINDOW_TICKS = 10;
const NO_TIMERS = { after: () => () => {}, every: () => () => {} };

interface Round {
  /** First to last handover out of the old shard, plus the longest first to last acceptance of a new one; ms. */
  reassignMs: number;
  /** From the store in the directory to the last acceptance; ms: waiting for the next tick of either side included. */
  storeToDoneMs: number;
  /** CPU time of all shards in the ten ticks around the split, less that of the ten before; ms. */
  cpuMs: number;
  /** Most ticks that anybody was without a step around the split, whether made up for or not. */
  pauseTicks: number;
  /** Players that changed their shard. */
  moved: number;
}

class Bench {
  readonly threads: Threads;
  private readonly reshaper: Reshaper;

  constructor(shards: number) {
    this.threads = new Threads(shards);
    const tick = () => this.threads.tick;
    this.reshaper = new Reshaper(this.threads.world, NO_TIMERS, tick, createLog({ level: 'silent' }));
  }

  async ticks(n: number): Promise<void> {
    const { threads } = this;
    const end = threads.clock.now() + n * threads.world.clock.tickMs;
    while (threads.clock.now() < end) await new Promise((resolve) => setImmediate(resolve)); // house-ok: waits by the clock
  }

  /** Splits, measures, waits until everything is quiet, merges again. */
  async round(): Promise<Round> {
    const { threads, reshaper } = this;
    const before = await this.cpuOf(() => this.ticks(WINDOW_TICKS));
    threads.wish();
    const began = threads.tick;
    const t0 = threads.clock.now();
    const refused = reshaper.split(NAME, 'bench');
    if (refused !== null) throw new Error(`the split was refused: ${refused}`);
    let round!: Round;
    const around = await this.cpuOf(() => {
      round = this.watch(t0);
      return this.ticks(WINDOW_TICKS - (threads.clock.now() - t0) / threads.world.clock.tickMs);
    });
    round.cpuMs = around - before;
    await this.ticks(WINDOW_TICKS);
    round.pauseTicks = this.longestPause(began);
    await this.merge();
    return round;
  }

  /** @returns CPU ms that the shards' threads used meanwhile */
  private async cpuOf(work: () => Promise<void>): Promise<number> {
    const used = () => {
      let ns = 0;
      for (const block of this.threads.world.shardBlocks) {
        const file = `/proc/self/task/${block.gauge(SHARD_GAUGE.threadId)}/schedstat`;
        ns += Number(readFileSync(file, 'utf8').split(' ')[0]);
      }
      return ns / 1e6;
    };
    const begin = used();
    await work();
    return used() - begin;
  }

  /** Spins over the owner words until the last one is right. */
  private watch(t0: number): Round {
    const { threads } = this;
    const { directory } = threads.world;
    const old = threads.ownerOf(threads.players[0]!.slot);
    const moving = threads.players.filter(({ slot }) => this.target(slot) !== old);
    const targets = moving.map(({ slot }) => this.target(slot));
    let left = 0;
    let lastLeft = 0;
    const accepted = new Map<number, { first: number; last: number }>();
    let open = moving.map((player, i) => ({ slot: player.slot, target: targets[i]!, gone: false }));
    while (open.length > 0) {
      const now = threads.clock.now();
      open = open.filter((player) => {
        const owner = threads.ownerOf(player.slot);
        if (owner === old) return true;
        if (!player.gone) {
          player.gone = true;
          left ||= now;
          lastLeft = now;
        }
        if (owner < 0) return true;
        const span = accepted.get(owner) ?? { first: now, last: now };
        span.last = now;
        accepted.set(owner, span);
        return false;
      });
      if (now - t0 > 10_000)
        throw new Error(`${open.length} players were not handed over; version ${directory.version}`);
    }
    const longest = Math.max(0, ...[...accepted.values()].map(({ first, last }) => last - first));
    return {
      reassignMs: lastLeft - left + longest,
      storeToDoneMs: threads.clock.now() - t0,
      cpuMs: 0,
      pauseTicks: 0,
      moved: moving.length,
    };
  }

  /** Shard to which the layout gives the place of a slot. */
  private target(slot: number): number {
    const { arena, directory } = this.threads.world;
    const hot = arena.hot(slot);
    const column = tileX(arena.f64[(hot + HOT.x) >> 3]!, LIMITS.deepestTileLevel);
    const row = tileY(arena.f64[(hot + HOT.y) >> 3]!, LIMITS.deepestTileLevel);
    return directory.lookupDeepest(column, row);
  }

  /** Of pauses that ended since a tick. */
  private longestPause(since: number): number {
    const { threads } = this;
    let longest = 0;
    for (const { slot } of threads.players)
      if (threads.value(slot, 'pauseTick') >= since)
        longest = Math.max(longest, threads.value(slot, 'pauseTicks'));
    return longest;
  }

  private async merge(): Promise<void> {
    const { reshaper } = this;
    for (let i = 0; i < 100; i++) {
      reshaper.poll();
      if (reshaper.merge(NAME, 'bench') === null) break;
      await this.ticks(2);
    }
    const { y, x } = TILE;
    for (let i = 0; i < 100 && reshaper.isPending(y * tileColumns(LIMITS.baseTileLevel) + x); i++) {
      await this.ticks(2);
      reshaper.poll();
    }
    await this.ticks(20);
  }

  /** Throws when a promise broke: then the figures mean nothing. */
  check(rounds: readonly Round[]): void {
    const { threads } = this;
    const { shardBlocks } = threads.world;
    const count = (counter: number) => shardBlocks.reduce((n, block) => n + block.counter(counter), 0);
    for (const counter of ['ticksMissed', 'ticksDoubled', 'handoversRefused'] as const)
      if (count(SHARD_COUNTER[counter]) > 0) throw new Error(`${counter}: ${count(SHARD_COUNTER[counter])}`);
    for (const player of threads.players)
      if (threads.applied(player) !== player.sent || threads.value(player.slot, 'wishes') !== player.sent)
        throw new Error(`slot ${player.slot}: ${threads.applied(player)} of ${player.sent} actions`);
    if (rounds.some((round) => round.moved === 0)) throw new Error('a split that moves nobody');
  }
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

const round2 = (ms: number): number => Math.round(ms * 100) / 100;

/** @returns `split {entities, reassignMs, pauseTicks, …}`: medians, and the single rounds */
export async function run({ values }: BenchArgs): Promise<Record<string, unknown>> {
  const entities = Number(values.entities ?? 5_000);
  const shards = Number(values.shards ?? 4);
  const bench = new Bench(shards);
  await bench.threads.start();
  try {
    bench.threads.populate(entities);
    await bench.ticks(40);
    await bench.round(); // the first one compiles the code
    const rounds: Round[] = [];
    for (let i = 0; i < Number(values.rounds ?? 7); i++) rounds.push(await bench.round());
    bench.check(rounds);
    const { shardBlocks } = bench.threads.world;
    const handovers = new HistogramCopy();
    for (const block of shardBlocks) block.handoverMs.addTo(handovers);
    return {
      split: {
        entities,
        reassignMs: round2(median(rounds.map((r) => r.reassignMs))),
        pauseTicks: median(rounds.map((r) => r.pauseTicks)),
        pauseTicksMax: Math.max(...rounds.map((r) => r.pauseTicks)),
        storeToDoneMs: round2(median(rounds.map((r) => r.storeToDoneMs))),
        cpuMs: round2(median(rounds.map((r) => r.cpuMs))),
        // More than four ticks behind is frozen, not made up for: a machine that is too full to measure on.
        ticksFrozen: shardBlocks.reduce((n, block) => n + block.counter(SHARD_COUNTER.ticksFrozen), 0),
        moved: median(rounds.map((r) => r.moved)),
        handoverMs: { p50: round2(handovers.percentile(0.5)), p99: round2(handovers.percentile(0.99)) },
        rounds: rounds.map((r) => ({
          ...r,
          reassignMs: round2(r.reassignMs),
          cpuMs: round2(r.cpuMs),
          storeToDoneMs: round2(r.storeToDoneMs),
        })),
      },
      shards,
      actionsPerClientAndRound: 1,
      watchers: 0,
    };
  } finally {
    await bench.threads.stop();
  }
}
