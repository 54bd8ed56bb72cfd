/**
 * What a scenario is: where each bot appears, and where it walks next whenever it has arrived. Pure; lengths in metres
 * of the plane, times in seconds.
 */
import type { Random } from '../../base/random.js';
import type { BotOptions } from '../options.js';

export interface Place {
  x: number;
  y: number;
}

/** A walk to somewhere, and a rest there. */
export interface Goal {
  x: number;
  y: number;
  speedMps: number;
  restS: number;
}

/** A bot as a scenario sees it. `home` is where it appeared; `leg` counts the goals it has been given. */
export interface Walker {
  readonly index: number;
  readonly home: Place;
  readonly x: number;
  readonly y: number;
  leg: number;
}

export interface Scenario {
  spawn(index: number, random: Random): Place;
  /**
   * @param share how much of the run under full load is over, 0…1 (stays 0 before)
   * @param timeS since the first bot was started
   */
  next(walker: Walker, share: number, random: Random, timeS: number): Goal;
}

/** What a scenario may know of the run. */
export type ScenarioInput = Pick<BotOptions, 'players' | 'at' | 'rect' | 'border'>;

export const WALK_MPS = 6;

/** Around a place, evenly over a disc. */
export function around(place: Place, radius: number, random: Random): Place {
  const angle = random.next() * 2 * Math.PI;
  const distance = Math.sqrt(random.next()) * radius;
  return { x: place.x + Math.cos(angle) * distance, y: place.y + Math.sin(angle) * distance };
}
