/**
 * What a bot does besides walking: talk, forage, gather, drop, pick up, give. It only tries what should work (an item
 * that it has, something within reach), so that rejections stay the exception. Pure but for the `things` it claims.
 */
import { encodePayload } from '../base/payload.js';
import type { Random } from '../base/random.js';
import { BUILT_IN_PAYLOADS } from '../client/payload.js';
import type { ScenarioName } from './options.js';
import type { Things } from './things.js';

export interface Deed {
  name: string;
  payload: Uint8Array;
}

/** What a bot knows when it makes up its mind. */
export interface Situation {
  readonly now: number;
  readonly x: number;
  readonly y: number;
  readonly cell: number;
  readonly items: readonly number[];
  /** Entity id of a player within arm's reach, 0 = nobody. */
  readonly near: number;
  /** Entity kinds of the game by name, −1 = it has none such. */
  readonly nodeKind: number;
  readonly pileKind: number;
  readonly canSay: boolean;
  readonly canForage: boolean;
  readonly things: Things;
}

type Wish = 'say' | 'forage' | 'gather' | 'drop' | 'pick' | 'give';
type Weights = readonly (readonly [Wish, number])[];

const USUAL: Weights = [
  ['say', 0.35],
  ['forage', 0.15],
  ['gather', 0.2],
  ['drop', 0.05],
  ['pick', 0.1],
  ['give', 0.15],
];
const TRADING: Weights = [
  ['say', 0.1],
  ['forage', 0.1],
  ['drop', 0.15],
  ['pick', 0.25],
  ['give', 0.4],
];

/** Reach is 3 m; the bot moves on while its action travels. */
const REACH_M = 2;
/** A node gives one item at a time, and others want some. */
const NODE_RESTS_MS = 8000;
/** A pile that was picked is gone. */
const PILE_RESTS_MS = 60_000;
const WORDS = [
  'Good morning!',
  'Berries, fresh berries',
  '¿Qué tal?',
  'Schönes Wetter heute',
  '早上好',
  'Anyone seen my goat? 🐐',
];

/** The next deed, or null when nothing useful is possible (then the bot walks on instead). */
export function choose(scenario: ScenarioName, s: Situation, random: Random): Deed | null {
  const weights = scenario === 'trade' ? TRADING : USUAL;
  let left = random.next() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [wish, weight] of weights) {
    left -= weight;
    if (left < 0) return deed(wish, s, random) ?? deed('say', s, random) ?? deed('forage', s, random);
  }
  return deed('say', s, random);
}

function deed(wish: Wish, s: Situation, random: Random): Deed | null {
  switch (wish) {
    case 'say':
      return s.canSay ? made('say', WORDS[random.int(WORDS.length)]) : null;
    case 'forage':
      return s.canForage ? made('forage') : null;
    case 'gather': {
      const node = s.things.take(s.cell, s.nodeKind, s.x, s.y, REACH_M, NODE_RESTS_MS, s.now);
      return node === undefined ? null : made('gather', { target: node.id });
    }
    case 'pick': {
      const pile = s.things.take(s.cell, s.pileKind, s.x, s.y, REACH_M, PILE_RESTS_MS, s.now);
      return pile === undefined ? null : made('pick', { target: pile.id });
    }
    case 'drop': {
      const item = someItem(s.items, random);
      return item < 0 ? null : made('drop', { item, count: 1 });
    }
    case 'give': {
      const item = s.near === 0 ? -1 : someItem(s.items, random);
      return item < 0 ? null : made('give', { target: s.near, item, count: 1 });
    }
  }
}

/** A kind of which the bot has some, any of them alike. */
export function someItem(items: readonly number[], random: Random): number {
  const start = items.length === 0 ? 0 : random.int(items.length);
  for (let i = 0; i < items.length; i++) {
    const item = (start + i) % items.length;
    if (items[item] > 0) return item;
  }
  return -1;
}

function made(name: string, values?: string | Record<string, number>): Deed {
  return { name, payload: encodePayload(BUILT_IN_PAYLOADS[name], values) };
}

/** A walk of `seconds` (at most the game's ten) in the direction of (right, up). */
export function walking(right: number, up: number, speedMps: number, seconds: number): Deed {
  const speed = Math.min(speedMps, 6);
  return made('walk', { heading: Math.atan2(up, right), speed, seconds: Math.min(seconds, 10) });
}
