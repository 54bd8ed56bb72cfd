/**
 * What the SDK takes from its host, browser or Node, when nothing else is given: time, a pulse, a seed. The only file
 * of the SDK that does so; no `node:` here.
 */
import { type Clock, systemTimers } from '../base/clock.js';
import { type Random, seededRandom } from '../base/random.js';

/** Calls `beat` again and again until the returned function is called; clients do all their timed work in it. */
export type Pulse = (beat: () => void) => () => void;

/** A beat is the grain of every timeout of the SDK. */
const BEAT_MS = 100;

export const hostClock: Clock = { now: () => performance.now() };

export const hostPulse: Pulse = (beat) => systemTimers().every(BEAT_MS, beat);

export function hostRandom(): Random {
  return seededRandom(crypto.getRandomValues(new Uint32Array(1))[0]);
}
