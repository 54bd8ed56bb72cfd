/**
 * To and fro across borders of base tiles, a crossing every second and a half: the hardest load for handovers. Bots
 * stand in lanes along several borders, so that neighbours on either side of it always see each other.
 *
 *        │ tile border            lane: 8 m wide walk, 4 m beyond the border on either side (the margin is 2 m)
 *   ◀────┼────▶   bot 0, bot 1
 *   ◀────┼────▶   bot 2, bot 3    30 m further on
 */
import { LIMITS } from '../../base/limits.js';
import { tileColumns, tileNorth, tileRows, tileSize, tileWest, tileX, tileY } from '../../geo/tile.js';
import { dx, lonLatToXY, QUARTER_WIDTH, wrapX } from '../../geo/world.js';
import type { BorderName } from '../options.js';
import type { Place, Scenario, ScenarioInput } from './scenario.js';
import { WALK_MPS } from './scenario.js';

const LEVEL = LIMITS.baseTileLevel;
/** The default: the border of base tiles next to it lies in Thuringia. */
const MIDDLE = { lon: 10.5, lat: 50.5 };
const BORDERS = 8;
const LANE_M = 30;
/** Beyond the margin with room to spare, but near: the walk back is time without a crossing. */
const BEYOND_M = LIMITS.borderMarginM + 2;
/** Two bots of a lane walk side by side: near enough to give each other something. */
const SIDE_M = 1;

/** Middle of a lane and the direction across the border. */
interface Lane extends Place {
  acrossX: number;
  acrossY: number;
}

export function border(input: ScenarioInput): Scenario {
  const lane = LANES[input.border](
    lonLatToXY(input.at[0]?.lon ?? MIDDLE.lon, input.at[0]?.lat ?? MIDDLE.lat),
  );
  const end = (index: number, side: number): Place => {
    const { x, y, acrossX, acrossY } = lane(index >> 1);
    const aside = index % 2 === 0 ? 0 : SIDE_M;
    const far = BEYOND_M * side;
    return { x: wrapX(x + acrossX * far - acrossY * aside), y: y + acrossY * far + acrossX * aside };
  };
  return {
    spawn: (index, random) => end(index, random.next() < 0.5 ? -1 : 1),
    next(walker) {
      // The first goal lies across from wherever the server has put the bot.
      if (walker.leg === 0) walker.leg = nearer(walker, end(walker.index, -1), end(walker.index, 1)) ? 1 : 2;
      const to = end(walker.index, walker.leg % 2 === 1 ? 1 : -1);
      return { ...to, speedMps: WALK_MPS, restS: 0 };
    },
  };
}

function nearer(from: Place, a: Place, b: Place): boolean {
  return Math.hypot(dx(from.x, a.x), a.y - from.y) < Math.hypot(dx(from.x, b.x), b.y - from.y);
}

/** Lanes are dealt out over the borders: lane n lies on border n mod 8, at place n div 8 along it. */
function dealt(n: number): { border: number; along: number } {
  return { border: n % BORDERS, along: Math.floor(n / BORDERS) };
}

/** Places along a border fill one tile from its middle outwards and never reach its corners. */
function alongM(place: number, limit = tileSize(LEVEL) / 2 - 100): number {
  const step = Math.ceil(place / 2) * LANE_M;
  return (place % 2 === 0 ? 1 : -1) * (step % limit);
}

/** Eight borders between columns of tiles, side by side. */
function meridian(middle: Place): (n: number) => Lane {
  const column = tileX(middle.x, LEVEL);
  const row = tileY(middle.y, LEVEL);
  const centre = tileNorth(row, LEVEL) - tileSize(LEVEL) / 2;
  return (n) => {
    const { border, along } = dealt(n);
    const x = wrapX(tileWest((column + border) % tileColumns(LEVEL), LEVEL));
    return { x, y: centre + alongM(along), acrossX: 1, acrossY: 0 };
  };
}

/** The border at ±180°, in eight rows of tiles. */
function antimeridian(middle: Place): (n: number) => Lane {
  const row = Math.min(tileY(middle.y, LEVEL), tileRows(LEVEL) - BORDERS);
  return (n) => {
    const { border, along } = dealt(n);
    const centre = tileNorth(row + border, LEVEL) - tileSize(LEVEL) / 2;
    return { x: wrapX(-tileWest(0, LEVEL)), y: centre + alongM(along), acrossX: 1, acrossY: 0 };
  };
}

/** Borders between columns where they end at the north and south wall, within a few hundred metres of it. */
function pole(middle: Place): (n: number) => Lane {
  const column = tileX(middle.x, LEVEL);
  return (n) => {
    const { border, along } = dealt(n);
    const wall = border % 2 === 0 ? 1 : -1;
    const x = wrapX(tileWest((column + border) % tileColumns(LEVEL), LEVEL));
    return { x, y: wall * (QUARTER_WIDTH - 2 - along * LANE_M), acrossX: 1, acrossY: 0 };
  };
}

/** Corners of four tiles: lanes lead through them diagonally and a little beside them, all four tiles in turn. */
function corner(middle: Place): (n: number) => Lane {
  const column = tileX(middle.x, LEVEL);
  const row = tileY(middle.y, LEVEL);
  const diagonal = Math.SQRT1_2;
  return (n) => {
    const { border, along } = dealt(n);
    const x = wrapX(tileWest((column + border) % tileColumns(LEVEL), LEVEL));
    const offset = ((along % 21) - 10) * 0.4;
    const up = along % 2 === 0 ? 1 : -1;
    return { x: wrapX(x + offset), y: tileNorth(row, LEVEL), acrossX: diagonal, acrossY: diagonal * up };
  };
}

const LANES: Record<BorderName, (middle: Place) => (n: number) => Lane> = {
  meridian,
  antimeridian,
  pole,
  corner,
};
