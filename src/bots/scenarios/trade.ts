/**
 * Markets on borders: groups of four stand around a point of a border of base tiles, two on either side and within
 * arm's reach, and now and then change sides. Most of what they do goes from one shard to another.
 */
import { LIMITS } from '../../base/limits.js';
import { tileColumns, tileNorth, tileSize, tileWest, tileX, tileY } from '../../geo/tile.js';
import { lonLatToXY, wrapX } from '../../geo/world.js';
import { type Place, type Scenario, type ScenarioInput, WALK_MPS } from './scenario.js';

const LEVEL = LIMITS.baseTileLevel;
const MIDDLE = { lon: 10.5, lat: 50.5 };
export const GROUP = 4;
const BORDERS = 8;
const STALL_M = 25;
/** Half the distance between those who face each other. */
const APART_M = 0.9;
/** How far a bot goes beyond the border when it changes sides: more than the margin. */
const BEYOND_M = LIMITS.borderMarginM + 1.5;
const AWAY_M = 14;
const AWAY_SHARE = 0.08;

export function trade(input: ScenarioInput): Scenario {
  const middle = lonLatToXY(input.at[0]?.lon ?? MIDDLE.lon, input.at[0]?.lat ?? MIDDLE.lat);
  const column = tileX(middle.x, LEVEL);
  const north = tileNorth(tileY(middle.y, LEVEL), LEVEL);
  const stall = (index: number, side: number, beyond = APART_M): Place => {
    const group = Math.floor(index / GROUP);
    const x = wrapX(tileWest((column + (group % BORDERS)) % tileColumns(LEVEL), LEVEL) + side * beyond);
    const along = (Math.floor(group / BORDERS) * STALL_M) % (tileSize(LEVEL) - 400);
    return { x, y: north - 200 - along + (index % 2) * APART_M };
  };
  const sideOf = (index: number) => (index % GROUP < GROUP / 2 ? -1 : 1);
  return {
    spawn: (index) => stall(index, sideOf(index)),
    next(walker, _share, random) {
      // Every other leg leads far enough over the border to be handed over, the next one back to the stall.
      const side = sideOf(walker.index);
      // Now and then so far that a trade under way ends.
      if (random.next() < AWAY_SHARE)
        return { ...stall(walker.index, side, AWAY_M), speedMps: WALK_MPS, restS: 1 };
      if (walker.leg % 2 === 0)
        return { ...stall(walker.index, side), speedMps: WALK_MPS / 2, restS: 4 + random.next() * 4 };
      return { ...stall(walker.index, -side, BEYOND_M), speedMps: WALK_MPS / 2, restS: 1 };
    },
  };
}
