/**
 * A crowd that swells and shrinks around a threshold: most stand in one square of the deepest level, the last third
 * walks out of the tile and back again, all together, over and over.
 */
import { LIMITS } from '../../base/limits.js';
import { boundsOf, tileAt } from '../../geo/address.js';
import { lonLatToXY } from '../../geo/world.js';
import { around, type Scenario, type ScenarioInput, WALK_MPS } from './scenario.js';

const SPOT = { lon: 2.3488, lat: 48.8534 };
const PULSING_SHARE = 1 / 3;
const RADIUS_M = 12;
/** Distance to the tile's eastern border, on both sides of which the pulse swings. */
const SWING_M = 30;
const REST_S = 3;

export function pulse(input: ScenarioInput): Scenario {
  const { lon, lat } = input.at[0] ?? SPOT;
  const place = lonLatToXY(lon, lat);
  const { east } = boundsOf(tileAt(place.x, place.y, LIMITS.baseTileLevel));
  const inside = { x: east - SWING_M, y: place.y };
  const outside = { x: east + SWING_M, y: place.y };
  const isPulsing = (index: number) => index % Math.round(1 / PULSING_SHARE) === 0;
  return {
    spawn: (_index, random) => around(inside, RADIUS_M, random),
    next(walker, _share, random) {
      const to = isPulsing(walker.index) && walker.leg % 2 === 0 ? outside : inside;
      return { ...around(to, RADIUS_M, random), speedMps: WALK_MPS, restS: REST_S };
    },
  };
}
