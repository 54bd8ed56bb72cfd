/**
 * Seeds in which the production planner decides: what the seed draws for them. A machine with few cores, small capacities
 * and short times, so that a dozen players are a crowd; places between which the crowd goes to and fro, so that tiles
 * split, degrade, merge and move, and shards start and end. The other seeds draw changes of layout at random and reach
 * states that no planner would want.
 */
import { type Random, hash2, seededRandom } from '../../src/base/random.js';
import { LIMITS } from '../../src/base/limits.js';
import { type PlannerLimits, plannerLimits } from '../../src/control/planner/types.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { type Costs, drawCosts } from './machine.js';
import type { FaultMix } from './faults.js';

export interface Planned {
  readonly cores: number;
  readonly costs: Costs;
  /** Those that the planner goes by; a planted bug changes them. */
  readonly limits: { -readonly [Name in keyof PlannerLimits]: PlannerLimits[Name] };
  /** Shards that run from the start. */
  readonly initial: number;
  /** Longest way of a thread from being asked for to being there, ms. */
  readonly launchMs: number;
  /** Chance that a start comes to nothing. */
  readonly failStart: number;
  /** Ticks after which the crowd goes elsewhere. */
  readonly waveTicks: number;
  /** Chance a tick that a person asks for a change of layout. */
  readonly asks: number;
  /** Threads of other programs that want cores, by spell of time: at most so many, and ticks of a spell. */
  readonly neighbours: { most: number; readonly spellTicks: number };
  /** Of what is drawn while it runs. */
  readonly random: Random;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

const TICK_MS = 1000 / LIMITS.tickRateHz;
const BASE = boundsOf(tileAt(20_000, 20_000, LIMITS.baseTileLevel));
const WIDTH = BASE.east - BASE.west;
const HEIGHT = BASE.north - BASE.south;
/** Of the base tile north-west of the spot: its corner with three others, its middle, the middle of a quarter, a place inside. */
const PLACES: readonly Place[] = [
  { x: BASE.east, y: BASE.south },
  { x: BASE.west + WIDTH / 2, y: BASE.south + HEIGHT / 2 },
  { x: BASE.west + (WIDTH * 3) / 4, y: BASE.south + HEIGHT / 4 },
  { x: BASE.west + WIDTH * 0.9, y: BASE.south + HEIGHT * 0.9 },
];
/** Share of the players that do not go with the crowd. */
const STRAY = 0.25;

/** Whether the planner decides in a seed: in every second one, whatever else is drawn for it. */
export function isPlanned(seed: number): boolean {
  return (hash2(seed, 0x97a) & 1) === 0;
}

export function drawPlanned(seed: number, shards: number): Planned {
  const random = seededRandom(hash2(seed, 0x97b));
  const oneOf = <T>(...all: T[]): T => all[random.int(all.length)]!;
  const others = seededRandom(hash2(seed, 0x97d));
  return {
    cores: oneOf(1, 2, shards),
    costs: drawCosts(random, TICK_MS),
    limits: plannerLimits({
      capacityPlayers: 3 + random.int(6),
      dwellS: 2 + random.int(3),
      loadSmoothingS: 0.8,
      startWaitS: 0.5,
      packAfterS: 3,
      fullWindowS: 1.5,
      degradeStepS: 0.25,
      degradeBackS: 0.75,
      pinShards: random.int(5) === 0,
    }),
    initial: 1 + random.int(shards),
    launchMs: random.int(200),
    failStart: random.int(4) === 0 ? random.next() * 0.5 : 0,
    waveTicks: 60 + random.int(120),
    asks: random.int(2) === 0 ? random.next() * 0.02 : 0,
    neighbours: { most: others.int(2) * (1 + others.int(8)), spellTicks: 100 + others.int(300) },
    random,
  };
}

/** Threads of other programs that want a core now: none in every second spell or so. */
export function neighboursAt({ neighbours }: Planned, seed: number, tick: number): number {
  const drawn = hash2(seed, 0x97e + Math.floor(tick / neighbours.spellTicks)) % (2 * neighbours.most + 1);
  return Math.max(0, drawn - neighbours.most);
}

/** Where a player who comes now begins. */
export function placeOf(planned: Planned, seed: number, tick: number): Place {
  const { random, waveTicks } = planned;
  if (random.next() < STRAY) return PLACES[random.int(PLACES.length)]!;
  return PLACES[hash2(seed, 0x97c + Math.floor(tick / waveTicks)) % PLACES.length]!;
}

/**
 * The faults of such a seed: layout and service are the planner's, deaths so rare that a shard may live for a while (the
 * supervisor waits longer and longer for one that dies as it begins), and people come and go.
 */
export function plannedMix(mix: FaultMix): FaultMix {
  return {
    ...mix,
    killBetween: mix.killBetween / 8,
    killInside: mix.killInside / 8,
    killAnywhere: mix.killAnywhere / 8,
    reshape: 0,
    degrade: 0,
    retire: 0,
    goodbye: 0.01 + mix.goodbye * 2,
    crash: mix.crash / 4,
  };
}
