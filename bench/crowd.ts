/**
 * How fresh a crowd is: N real sockets on one square, everybody walking; what a client gets of it in bytes, how often its
 * nearest 32 neighbours are told of, how old the oldest picture in view is, and what the tick costs. Most clients only
 * count what comes (load.ts); some are full SDK clients that look about.
 *
 * Flags: --players --side (metres) --seconds --warm --watchers --bytes (the budget) --ramp --shards --speed (m/s)
 */
import { monotonicClock, systemTimers } from '../src/base/clock.js';
import { LIMITS } from '../src/base/limits.js';
import { seededRandom } from '../src/base/random.js';
import { leanSockets } from '../src/bots/lean-socket.js';
import { type Client, connect } from '../src/client/client.js';
import type { Entity } from '../src/client/entity.js';
import { dx } from '../src/geo/world.js';
import type { BenchArgs } from './benches.js';
import { LoadProcess } from './fanout/children.js';
import { type Field, makeField, placeOf } from './fanout/field.js';
import { median, round } from './fanout/figures.js';
import { FIELD_VARIABLE } from './fanout/game.js';
import { RealServer } from './real.js';

export const name = 'crowd';
export const describe =
  'What each client of a crowd on one square gets: bytes, freshness of its nearest neighbours.';
export const flags = ['players', 'side', 'seconds', 'warm', 'watchers', 'bytes', 'ramp', 'shards', 'speed'];

const NEAREST = 32;
const LOOK_MS = 25;
/** Neighbours are chosen anew after so long: they walk on. */
const WINDOW_MS = 1000;
const FRAMES_PER_S = 10;
const SECOND_MS = 1000;

const clock = monotonicClock();
const timers = systemTimers();
const pause = (seconds: number) => new Promise<void>((resolve) => void timers.after(seconds * 1000, resolve));

/** One full client and what it saw. */
class Onlooker {
  readonly client: Client;
  /** Updates a second of each neighbour of each window; ages of all in view, ms. */
  readonly rates: number[] = [];
  readonly ages: number[] = [];
  readonly seen: number[] = [];
  private chosen: { entity: Entity; tick: number; updates: number }[] = [];
  private begun = 0;
  private bytesBefore = 0;
  /** Bytes of the second in which most came since it connected, and the bytes so far at each of the last looks. */
  worstSecond = 0;
  private readonly totals: { at: number; bytes: number }[] = [];
  readonly stop: () => void;

  constructor(url: string, field: Field, index: number) {
    this.client = connect({
      url,
      spawn: placeOf(field, index),
      view: 'full',
      socket: leanSockets(seededRandom(index)),
      random: seededRandom(index),
      clock,
    });
    this.stop = timers.every(LOOK_MS, () => this.weigh(clock.now()));
  }

  private weigh(now: number): void {
    const bytes = this.client.stats.bytesIn;
    this.totals.push({ at: now, bytes });
    while (this.totals[0]!.at < now - SECOND_MS) this.totals.shift();
    this.worstSecond = Math.max(this.worstSecond, bytes - this.totals[0]!.bytes);
  }

  begin(): void {
    this.bytesBefore = this.client.stats.bytesIn;
  }

  get bytes(): number {
    return this.client.stats.bytesIn - this.bytesBefore;
  }

  look(now: number): void {
    if (now - this.begun >= WINDOW_MS) this.turn(now);
    for (const one of this.chosen) {
      if (one.entity.tick === one.tick) continue;
      one.tick = one.entity.tick;
      one.updates++;
    }
  }

  private turn(now: number): void {
    const { client } = this;
    const { self } = client;
    const seconds = (now - this.begun) / 1000;
    const all = [...client.view!].filter((entity) => entity.id !== client.entity);
    this.seen.push(all.length);
    for (const { tick } of all) this.ages.push((self.tick - tick) * (1000 / LIMITS.tickRateHz));
    const far = (e: Entity) => Math.hypot(dx(self.x, e.x), e.y - self.y);
    const nearest = all.sort((a, b) => far(a) - far(b)).slice(0, NEAREST);
    // Who came or went meanwhile was not near for the whole time.
    for (const { entity, updates } of this.chosen)
      if (nearest.includes(entity)) this.rates.push(updates / seconds);
    this.chosen = nearest.map((entity) => ({ entity, tick: entity.tick, updates: 0 }));
    this.begun = now;
  }
}

export interface CrowdOptions {
  players: number;
  side: number;
  seconds: number;
  warm: number;
  watchers: number;
  bytes: number;
  ramp: number;
  shards: number;
  /** m/s */
  speed: number;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export async function crowd(o: CrowdOptions): Promise<Record<string, unknown>> {
  const field: Field = {
    ...makeField('cell', o.players, o.players - 1),
    side: o.side,
    pitch: 0,
    speedMps: o.speed,
  };
  process.env[FIELD_VARIABLE] = JSON.stringify(field);
  const game = new URL('./fanout/game.js', import.meta.url).pathname;
  const flags = ['--pin-shards', '--shards', o.shards, '--client-bytes', o.bytes, '--game', game];
  const server = await RealServer.start(flags.map(String));
  const load = new LoadProcess();
  const onlookers: Onlooker[] = [];
  try {
    const rates = { actionsPerSecond: 0, pingsPerSecond: 1, framesPerSecond: FRAMES_PER_S };
    const crowdField = { ...field, clients: o.players - o.watchers };
    const urls = [server.game];
    await load.ask({
      type: 'connect',
      options: { urls, tongue: 'bluemarble', field: crowdField, ramp: o.ramp, ...rates },
    });
    for (let i = 0; i < o.watchers; i++)
      onlookers.push(new Onlooker(server.game, field, o.players - o.watchers + i));
    await pause(o.warm);
    return await measure(o, server, load, onlookers);
  } finally {
    for (const { client, stop } of onlookers) {
      stop();
      void client.goodbye();
    }
    await load.leave();
    await server.stop();
  }
}

async function measure(
  o: CrowdOptions,
  server: RealServer,
  load: LoadProcess,
  onlookers: readonly Onlooker[],
): Promise<Record<string, unknown>> {
  const before = structuredClone(await load.ask({ type: 'counts' }));
  const sentBefore = await gatewayFigures(server);
  const start = clock.now();
  for (const onlooker of onlookers) onlooker.begin();
  const stop = timers.every(LOOK_MS, () => {
    for (const onlooker of onlookers) onlooker.look(clock.now());
  });
  await pause(o.seconds);
  stop();
  const seconds = (clock.now() - start) / 1000;
  const after = await load.ask({ type: 'counts' });
  const bytesOf = (c: typeof after) => c.frames.bytes + c.selfUpdates.bytes + c.replies.bytes;
  const { shards } = await server.status<{ shards: { tickMs: { p99: number } }[] }>();
  const sent = await gatewayFigures(server);
  const perClient = (n: number) => round(n / seconds / o.players);
  const rates = onlookers.flatMap(({ rates }) => rates);
  const ages = onlookers.flatMap(({ ages }) => ages);
  const faults = onlookers.map(({ client }) => client.view!.doubles + client.view!.orphans);
  return {
    players: o.players,
    sideM: o.side,
    speedMps: o.speed,
    budgetBytesPerS: o.bytes,
    clientsLost: after.lost,
    bytesPerClientPerSecond: round((bytesOf(after) - bytesOf(before)) / seconds / (o.players - o.watchers)),
    worstBytesPerSecond: round(Math.max(...onlookers.map(({ bytes }) => bytes / seconds))),
    // Of any second since they came, their login in the crowd included.
    worstSecondBytes: Math.max(...onlookers.map(({ worstSecond }) => worstSecond)),
    seenInView: median(onlookers.flatMap(({ seen }) => seen)),
    nearestUpdatesPerSecond: {
      mean: round(mean(rates)),
      p1: quantile(rates, 0.01),
      p50: quantile(rates, 0.5),
    },
    pictureAgeMs: {
      p50: quantile(ages, 0.5),
      p99: quantile(ages, 0.99),
      max: Math.max(...ages.slice(-20_000)),
    },
    framesPerClientPerSecond: perClient(sent.frames - sentBefore.frames),
    keyFramesPerClientPerSecond: perClient(sent.keys - sentBefore.keys),
    slowClients: sent.slow,
    faults: faults.reduce((a, b) => a + b, 0),
    tickMsP99: round(Math.max(...shards.map((shard) => shard.tickMs.p99))),
  };
}

/** Of the metrics: frames and key frames sent so far, clients that get self updates only. */
async function gatewayFigures(server: RealServer): Promise<{ frames: number; keys: number; slow: number }> {
  const text = await (await fetch(`${server.admin}/metrics`)).text();
  const sum = (metric: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`bluemarble_gateway_${metric}{`))
      .reduce((total, line) => total + Number(line.split(' ')[1]), 0);
  return { frames: sum('messages_sent_total'), keys: sum('key_frames_total'), slow: sum('slow_clients') };
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
}

export async function run(args: BenchArgs): Promise<Record<string, unknown>> {
  const number = (flag: string, otherwise: number) => Number(args.values[flag] || otherwise);
  return crowd({
    players: number('players', 2000),
    side: number('side', 150),
    seconds: number('seconds', 10),
    warm: number('warm', 8),
    watchers: number('watchers', 10),
    bytes: number('bytes', LIMITS.clientBytesPerS),
    ramp: number('ramp', 200),
    shards: number('shards', 1),
    speed: number('speed', LIMITS.walkSpeedMps),
  });
}
