/**
 * Random walks over land: the bots stand around one place or several, about thirty of them within sight of each.
 */
import type { Random } from '../../base/random.js';
import { lonLatToXY } from '../../geo/world.js';
import {
  around,
  type Goal,
  type Place,
  type Scenario,
  type ScenarioInput,
  WALK_MPS,
  type Walker,
} from './scenario.js';

/** Somewhere in Germany, Kansas, the Congo basin, Uttar Pradesh. */
const PLACES = [
  { lon: 10.2, lat: 50.1 },
  { lon: -98.4, lat: 38.5 },
  { lon: 21.3, lat: 1.2 },
  { lon: 80.6, lat: 26.7 },
];
/** Radius of the disc that gives n bots seven thousand square metres each: thirty in a view of nine cells. */
const METRES_PER_ROOT = 47;
const STROLL_M = 60;

export function roam(input: ScenarioInput): Scenario {
  const places = (input.at.length > 0 ? input.at : PLACES).map(({ lon, lat }) => lonLatToXY(lon, lat));
  const radius = METRES_PER_ROOT * Math.sqrt(input.players / places.length);
  const { rect } = input;
  return {
    spawn(index, random) {
      return rect === null ? around(places[index % places.length], radius, random) : within(rect, random);
    },
    next: stroll,
  };
}

/** A walk of some ten seconds in any direction, not far from home. */
export function stroll(walker: Walker, _share: number, random: Random): Goal {
  const to = around(walker.home, STROLL_M, random);
  return { x: to.x, y: to.y, speedMps: WALK_MPS * (0.5 + 0.5 * random.next()), restS: random.next() * 3 };
}

function within(
  [west, south, east, north]: readonly [number, number, number, number],
  random: Random,
): Place {
  const width = east >= west ? east - west : east - west + 360; // over the antimeridian
  return lonLatToXY(west + random.next() * width, south + random.next() * (north - south));
}
