/** Everybody on one square metre: nothing can be divided there, so the tile can only be served less. */
import { lonLatToXY } from '../../geo/world.js';
import { around, type Scenario, type ScenarioInput } from './scenario.js';

const SPOT = { lon: 2.3488, lat: 48.8534 };
/** Of a disc of one square metre. */
const RADIUS_M = Math.sqrt(1 / Math.PI);

export function metre(input: ScenarioInput): Scenario {
  const { lon, lat } = input.at[0] ?? SPOT;
  const spot = lonLatToXY(lon, lat);
  return {
    spawn: (_index, random) => around(spot, RADIUS_M, random),
    next: (_walker, _share, random) => ({
      ...around(spot, RADIUS_M, random),
      speedMps: 1,
      restS: 1 + random.next() * 4,
    }),
  };
}
