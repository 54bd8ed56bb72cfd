/**
 * How long a split pauses those who stand in the tile, and what it costs: real shard threads, one base tile full of
 * players who walk and whose inboxes hold an action each; the tile is split into four on as many shards, put together
 * again, and so on. Everything is read from outside: from owner words, from the stamps of the handovers, and from what
 * each player's own record says of its steps. This thread sleeps between its looks: one that spins takes a core and the
 * owner words' cache lines from the shards, and what it measures is itself.
 */
import { readFileSync } from 'node:fs';
import { systemTimers } from '../src/base/clock.js';
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
import { Spans } from './split/spans.js';

export const name = 'split';
export const describe =
  'What a split of a full tile costs: handing everybody over, and ticks without a step.';
export const flags = ['entities', 'rounds', 'shards'];

const NAME = formatTile(TILE);
/** Ticks over which CPU time is compared. */
const WINDOW_TICKS = 10;
/** Between two looks at the owner words. */
const LOOK_MS = 1;
/** Handovers further apart than this belong to different ticks of the old shard. */
const APART_MS = 10;
/** Of a round: before, around and after the split. */
const WINDOWS = 3;
const NO_TIMERS = { after: () => () => {}, every: () => () => {} };
const timers = systemTimers();

interface Round {
  /**
   * CPU time of all shards in the ten ticks around the split, less that of the ten before; ms. With it what the new
   * layout costs in nine of them: see `cpuTickMs`.
   */
  reassignMs: number;
  /** CPU time of all shards for a tick of the old layout, and of the new one; ms. */
  cpuTickMs: { before: number; after: number };
  /** The old shard, from its first decision to its last entry in a ring, ticks in which it gave nobody left out; ms. */
  giveMs: number;
  /** From decision to acceptance of one player: waiting for the new shard's next tick; ms. */
  waitMs: { p50: number; p99: number };
  /** From the store in the directory to the last acceptance; ms: waiting for the next tick of either side included. */
  storeToDoneMs: number;
  /** Most ticks that anybody was without a step around the split, whether made up for or not. */
  pauseTicks: number;
  /** Players that changed their shard. */
  moved: number;
}

type Watched = Pick<Round, 'giveMs' | 'storeToDoneMs' | 'waitMs' | 'moved'>;

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
    await this.until(threads.clock.now() + n * threads.world.clock.tickMs);
  }

  private async until(end: number): Promise<void> {
    for (let left = end - this.threads.clock.now(); left > 0; left = end - this.threads.clock.now())
      await new Promise<void>((resolve) => timers.after(left, resolve));
  }

  /** Splits, measures, waits until everything is quiet, merges again. */
  async round(): Promise<Round> {
    const { threads, reshaper } = this;
    const before = await this.cpuOfWindow();
    const began = threads.tick;
    let watched!: Watched;
    const around = await this.cpuOfWindow(async (t0) => {
      const refused = reshaper.split(NAME, 'bench');
      if (refused !== null) throw new Error(`the split was refused: ${refused}`);
      watched = await this.watch(t0);
    });
    const after = await this.cpuOfWindow();
    const pauseTicks = this.longestPause(began);
    await this.merge();
    return {
      ...watched,
      reassignMs: around - before,
      cpuTickMs: { before: before / WINDOW_TICKS, after: after / WINDOW_TICKS },
      pauseTicks,
    };
  }

  /** In every window everybody wishes something. @returns CPU ms that the shards' threads used in it */
  private async cpuOfWindow(work: (t0: number) => Promise<void> = async () => {}): Promise<number> {
    const { threads } = this;
    const used = () => {
      let ns = 0;
      for (const block of threads.world.shardBlocks) {
        const file = `/proc/self/task/${block.gauge(SHARD_GAUGE.threadId)}/schedstat`;
        ns += Number(readFileSync(file, 'utf8').split(' ')[0]);
      }
      return ns / 1e6;
    };
    const begin = used();
    const t0 = threads.clock.now();
    threads.wish();
    await work(threads.clock.now());
    await this.until(t0 + WINDOW_TICKS * threads.world.clock.tickMs);
    return used() - begin;
  }

  /** Looks at the owner words until the last one is right. */
  private async watch(t0: number): Promise<Watched> {
    const { threads } = this;
    const { clock, world } = threads;
    const before = this.waits();
    const old = threads.ownerOf(threads.players[0]!.slot);
    const moving = threads.players.filter(({ slot }) => this.target(slot) !== old);
    for (let open = moving; open.length > 0; ) {
      await new Promise<void>((resolve) => timers.after(LOOK_MS, resolve));
      const now = clock.now();
      open = open.filter(({ slot }) => {
        const owner = threads.ownerOf(slot);
        return owner < 0 || owner === old;
      });
      if (now - t0 > 10_000) throw new Error(`${open.length} players were not handed over`);
    }
    const storeToDoneMs = clock.now() - t0;
    const given = new Spans();
    for (const { slot } of moving) given.add(world.stamps.decidedAt(slot), world.stamps.pushedAt(slot));
    const waits = this.waits();
    waits.subtract(before);
    return {
      giveMs: given.ms(APART_MS),
      storeToDoneMs,
      waitMs: { p50: waits.percentile(0.5), p99: waits.percentile(0.99) },
      moved: moving.length,
    };
  }

  /** Of all handovers so far: from decision to acceptance. */
  private waits(): HistogramCopy {
    const copy = new HistogramCopy();
    for (const block of this.threads.world.shardBlocks) block.handoverMs.addTo(copy);
    return copy;
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

/** To hundredths, all that is a number in it. */
function rounded<T>(value: T): T {
  if (typeof value === 'number') return (Math.round(value * 100) / 100) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, rounded(part)])) as T;
}

/** @returns the medians of the rounds, and the longest pause of all */
function summary(rounds: readonly Round[]) {
  const of = (pick: (round: Round) => number) => rounded(median(rounds.map(pick)));
  return {
    reassignMs: of((r) => r.reassignMs),
    cpuTickMs: { before: of((r) => r.cpuTickMs.before), after: of((r) => r.cpuTickMs.after) },
    giveMs: of((r) => r.giveMs),
    pauseTicks: of((r) => r.pauseTicks),
    pauseTicksMax: Math.max(...rounds.map((r) => r.pauseTicks)),
    waitMs: { p50: of((r) => r.waitMs.p50), p99: of((r) => r.waitMs.p99) },
    storeToDoneMs: of((r) => r.storeToDoneMs),
    moved: of((r) => r.moved),
  };
}

/** @returns `split {entities, reassignMs, pauseTicks, …}`: medians, the first split of all, and the single rounds */
export async function run({ values }: BenchArgs): Promise<Record<string, unknown>> {
  const entities = Number(values.entities ?? 5_000);
  const shards = Number(values.shards ?? 4);
  const bench = new Bench(shards);
  await bench.threads.start();
  try {
    bench.threads.populate(entities);
    await bench.ticks(40);
    const first = await bench.round(); // on threads that have never handed over, nor run a player: compiles the code
    for (let s = 1; s < shards; s++) await bench.round(); // each of them has to give once
    const rounds: Round[] = [];
    for (let i = 0; i < Number(values.rounds ?? 7); i++) rounds.push(await bench.round());
    bench.check(rounds);
    const { shardBlocks } = bench.threads.world;
    return {
      split: {
        entities,
        ...summary(rounds),
        // More than four ticks behind is frozen, not made up for: a machine that is too full to measure on.
        ticksFrozen: shardBlocks.reduce((n, block) => n + block.counter(SHARD_COUNTER.ticksFrozen), 0),
        first: rounded(first),
        rounds: rounds.map(rounded),
      },
      shards,
      actionsPerClientAndRound: WINDOWS,
      watchers: 0,
    };
  } finally {
    await bench.threads.stop();
  }
}
