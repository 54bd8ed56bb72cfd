/**
 * Players where people live: each bot is in one of the two thousand largest cities, drawn by population, and strolls
 * about there. Large cities are wide, so they stay walkable.
 */
import { lonLatToXY } from '../../geo/world.js';
import { CITIES, CITY_FIELDS } from './city-table.js';
import { stroll } from './roam.js';
import { around, type Scenario, type ScenarioInput } from './scenario.js';

/** A city of a million has this radius here; it grows with the root of the population. */
const MILLION_RADIUS_M = 1000;

export function cities(_input: ScenarioInput): Scenario {
  const count = CITIES.length / CITY_FIELDS;
  const sums = new Float64Array(count);
  let total = 0;
  for (let i = 0; i < count; i++) {
    total += CITIES[i * CITY_FIELDS + 2];
    sums[i] = total;
  }
  return {
    spawn(_index, random) {
      const city = firstAbove(sums, random.next() * total);
      const [lon, lat, thousands] = CITIES.slice(city * CITY_FIELDS, (city + 1) * CITY_FIELDS);
      return around(lonLatToXY(lon, lat), MILLION_RADIUS_M * Math.sqrt(thousands / 1000), random);
    },
    next: stroll,
  };
}

/** Index of the first sum above a value, by halving. */
function firstAbove(sums: Float64Array, value: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
