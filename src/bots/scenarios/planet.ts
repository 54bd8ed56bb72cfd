/**
 * A planet to look at: most bots are where people live (cities.ts), the others are two halves of one fair, on both sides
 * of a tile border, that all of them visit in turn. So a tile fills and is split, and empties and is merged, over and
 * over, while its visitors walk across the borders.
 *
 * ```
 *      tile A  │  tile B          even turns: all are in A, A is split in its middle, B rests
 *       ····   │                  odd turns:  all walk over into B, B is split, A is merged
 *       ····   │   ····
 *  ─ ─ ─ ─ ─ ─ │ ─ ─ ─ ─ ─  the middle, where a tile that is split has its children's border
 *       ····   │
 * ```
 */
import { LIMITS } from '../../base/limits.js';
import type { Random } from '../../base/random.js';
import { boundsOf, centreOf, tileAt } from '../../geo/address.js';
import { lonLatToXY } from '../../geo/world.js';
import { cities } from './cities.js';
import { type Goal, type Place, type Scenario, type ScenarioInput, WALK_MPS } from './scenario.js';

/** East of Berlin. */
const PLACE = { lon: 13.405, lat: 52.52 };
/** Of this many bots, so many are at the fair. */
const OF = 25;
const AT_FAIR = 11;
/** How long a turn lasts: long enough for the dwell of a tile to be over, and short enough to wait for. */
const TURN_S = 45;
/** Where a half lies, metres from the border, and how far along it. */
const NEAR_M = 12;
const FAR_M = 62;
const LONG_M = 1400;
const REST_S = 6;

const isAtFair = (index: number) => (index * AT_FAIR) % OF < AT_FAIR;

export function planet(input: ScenarioInput): Scenario {
  const { lon, lat } = input.at[0] ?? PLACE;
  const at = lonLatToXY(lon, lat);
  const tile = tileAt(at.x, at.y, LIMITS.baseTileLevel);
  const middle: Place = { x: boundsOf(tile).east, y: centreOf(tile).y };
  const others = cities(input);
  /** @param side −1 west of the border, 1 east of it; @param along where on it, 0…1 */
  const spot = (side: number, along: number, random: Random): Place => ({
    x: middle.x + side * (NEAR_M + random.next() * (FAR_M - NEAR_M)),
    y: middle.y + (along - 0.5) * LONG_M,
  });
  return {
    spawn: (index, random) =>
      isAtFair(index) ? spot(-1, random.next(), random) : others.spawn(index, random),
    next(walker, share, random, timeS): Goal {
      if (!isAtFair(walker.index)) return others.next(walker, share, random, timeS);
      const side = Math.floor(timeS / TURN_S) % 2 === 0 ? -1 : 1;
      // Each has its own stretch of the border and strolls along it a little.
      const along = (walker.home.y - middle.y) / LONG_M + 0.5 + (random.next() - 0.5) * 0.03;
      return { ...spot(side, along, random), speedMps: WALK_MPS, restS: random.next() * REST_S };
    },
  };
}
