/**
 * A crowd comes together on one spot, stays, and goes home: bots appear around it, walk in, shuffle about, and in the
 * last third of the run walk away again.
 */
import { dx, lonLatToXY } from '../../geo/world.js';
import { around, type Scenario, type ScenarioInput, WALK_MPS } from './scenario.js';

const SPOT = { lon: 2.3488, lat: 48.8534 };
const ARRIVAL_M = 80;
/** Four square metres for each. */
const METRES_PER_ROOT = 1.13;
const SHUFFLE_M = 3;
const DISPERSAL_SHARE = 2 / 3;
const AWAY_M = 600;

export function crowd(input: ScenarioInput): Scenario {
  const { lon, lat } = input.at[0] ?? SPOT;
  const spot = lonLatToXY(lon, lat);
  const radius = METRES_PER_ROOT * Math.sqrt(input.players);
  return {
    spawn(_index, random) {
      const angle = random.next() * 2 * Math.PI;
      const distance = radius + ARRIVAL_M;
      return { x: spot.x + Math.cos(angle) * distance, y: spot.y + Math.sin(angle) * distance };
    },
    next(walker, share, random) {
      if (share >= DISPERSAL_SHARE) {
        // On along the way from the spot to where it came from.
        const away = AWAY_M / (radius + ARRIVAL_M);
        const x = spot.x + dx(spot.x, walker.home.x) * (1 + away);
        return { x, y: spot.y + (walker.home.y - spot.y) * (1 + away), speedMps: WALK_MPS, restS: 1 };
      }
      if (walker.leg === 0)
        return { ...around(spot, radius, random), speedMps: WALK_MPS, restS: random.next() * 5 };
      return {
        ...around(walker, SHUFFLE_M, random),
        speedMps: 1 + random.next(),
        restS: 2 + random.next() * 6,
      };
    },
  };
}
