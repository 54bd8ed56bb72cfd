/** Made-up traces of whole groups: a flock that walks from city to city, and people who log in all at once. */
import { seededRandom } from '../../src/base/random.js';
import { WALK_MPS } from '../../src/bots/scenarios/scenario.js';
import { type Trace, type Trip, tripBetween, tripsOf } from './traces.js';

/** Towns on the way, degrees: some six kilometres of the plane apart. */
const TOWNS = [
  [11.02, 50.97],
  [11.08, 50.98],
  [11.13, 50.96],
  [11.19, 50.98],
  [11.24, 50.99],
  [11.3, 50.97],
] as const;
const STAY_S = 240;
/** A flock is some two hundred metres long, and sets off within half a minute. */
const LOOSE_DEG = 0.002;
const START_S = 30;

/** @param size people of the flock @param flocks of them, one behind the other on the same way and back */
export function flock(size: number, flocks: number, seconds: number, full: number): Trace {
  const random = seededRandom(11);
  const trips: Trip[] = [];
  for (let f = 0; f < flocks; f++) {
    for (let n = 0; n < size; n++) {
      const id = f * size + n;
      const aside = [(random.next() - 0.5) * LOOSE_DEG, (random.next() - 0.5) * LOOSE_DEG];
      const place = (town: number) => [TOWNS[town][0] + aside[0], TOWNS[town][1] + aside[1]];
      let town = (f * 2) % TOWNS.length;
      let step = 1;
      for (let second = 0; second < seconds; ) {
        const leaveS = second + STAY_S + Math.floor(random.next() * START_S);
        trips.push(tripBetween(id, [second, leaveS], [...place(town), ...place(town)]));
        if (town + step < 0 || town + step >= TOWNS.length) step = -step;
        const way = tripBetween(id, [leaveS, leaveS + 1], [...place(town), ...place(town + step)]);
        const arriveS = leaveS + Math.ceil(Math.hypot(way.wayX, way.wayY) / WALK_MPS);
        trips.push({ ...way, endS: arriveS });
        town += step;
        second = arriveS;
      }
    }
  }
  return { ...tripsOf('flock', trips, seconds, full), tauS: TILE_OVER_WALK };
}

const TILE_OVER_WALK = 2446 / WALK_MPS;

/** Log-ins come in waves: a quarter of an hour of rise and fall, every forty minutes, to one of three towns. */
export function storm(size: number, seconds: number, full: number): Trace {
  const random = seededRandom(12);
  const trips: Trip[] = [];
  let id = 0;
  for (let waveS = 600; waveS < seconds; waveS += 2400) {
    const [lon, lat] = TOWNS[(waveS / 600) % 3];
    const people = Math.round(size * (0.5 + random.next()));
    for (let n = 0; n < people; n++) {
      // The sum of two even draws: a triangle, as a rise and a fall of log-ins.
      const comeS = Math.floor(waveS + (random.next() + random.next()) * 450);
      const stayS = 300 + random.next() * 1200;
      trips.push(tripBetween(id++, [comeS, Math.floor(comeS + stayS)], [lon, lat, lon, lat]));
    }
  }
  return { ...tripsOf('log-in storm', trips, seconds, full), tauS: TILE_OVER_WALK };
}
