/**
 * Which faults a seed brings, and how often: each seed draws its own mix ("swarm testing": runs that leave whole classes
 * of faults out reach states that an even mix never does). Source: Groce et al., "Swarm Testing", ISSTA 2012.
 */
import type { Random } from '../../src/base/random.js';

export interface FaultMix {
  /** Chance a tick and shard: dies between two ticks / inside one. */
  killBetween: number;
  killInside: number;
  /** The same: dies before some change of shared memory, wherever that is. */
  killAnywhere: number;
  /** Chance a tick and thread (shards, gateways, store): another thread runs in the middle of what it does. */
  interrupt: number;
  /** Chance a tick and shard: does not run for some ticks, then catches up. */
  stall: number;
  /** Chance a tick and client: its link is cut / it stops reading for a while / it says goodbye and comes back. */
  cut: number;
  deaf: number;
  goodbye: number;
  /** Chance a tick: a group of new accounts logs in together. Chance a tick and client: its player logs in once more. */
  group: number;
  overtake: number;
  /** Chance a tick: a tile about the corner is split, merged or moved. */
  reshape: number;
  /** Chance a tick: a leaf about the corner gets another share of time. */
  degrade: number;
  /** Chance a tick: a shard retires, or the one that has begins again. */
  retire: number;
  /** Chance a tick: the whole process dies and begins anew. */
  crash: number;
  /** Chance a tick and shard: one of its calls of the game throws. */
  stumble: number;
  /** Longest flush of the disk, ms. */
  diskMs: number;
  /** Chance that a new player begins far away from the others, where tiles sleep and wake. */
  far: number;
}

/** @param ofLogins, ofGame streams of their own: the other draws of a seed stay what they were */
export function drawMix(random: Random, ofLogins: Random, ofGame: Random): FaultMix {
  const drawn = (from: Random) => (chance: number, most: number) =>
    from.next() < chance ? from.next() * most : 0;
  const maybe = drawn(random);
  const login = drawn(ofLogins);
  const logins = { group: login(0.5, 0.03), overtake: login(0.4, 0.01) };
  return {
    killBetween: maybe(0.5, 0.02),
    killInside: maybe(0.5, 0.02),
    killAnywhere: maybe(0.4, 0.02),
    interrupt: maybe(0.5, 0.3),
    stall: maybe(0.5, 0.05),
    cut: maybe(0.5, 0.01),
    deaf: maybe(0.3, 0.005),
    goodbye: maybe(0.5, 0.004),
    reshape: maybe(0.6, 0.2),
    degrade: maybe(0.5, 0.05),
    retire: maybe(0.4, 0.02),
    crash: maybe(0.6, 0.02),
    diskMs: maybe(0.7, 250),
    far: maybe(0.5, 0.6),
    ...logins,
    stumble: drawn(ofGame)(0.5, 0.3),
  };
}

export const CALM: FaultMix = {
  killBetween: 0,
  killInside: 0,
  killAnywhere: 0,
  interrupt: 0,
  stall: 0,
  cut: 0,
  deaf: 0,
  goodbye: 0,
  group: 0,
  overtake: 0,
  reshape: 0,
  degrade: 0,
  retire: 0,
  crash: 0,
  stumble: 0,
  diskMs: 0,
  far: 0,
};
