/**
 * The plane: EPSG:4087 (WGS 84 / World Equidistant Cylindrical) in metres, float64; pure, allocation-free where it
 * returns a number. x runs east and wraps, x ∈ [−WIDTH/2, WIDTH/2); y runs north and is walled,
 * y ∈ [−WIDTH/4, WIDTH/4]. Distances are the plane's. NaN in, NaN out.
 *
 * Source: EPSG:4087, method 1028 with φ1 = 0 on a = 6 378 137 m: x = a·λ, y = a·φ, so a degree is WIDTH/360 both
 * ways. https://epsg.io/4087
 */

/** Length of the equator, 2π · 6378137 m. */
export const WIDTH = 40075016.685578488;
/** From wall to wall. */
export const HEIGHT = WIDTH / 2;
export const HALF_WIDTH = WIDTH / 2;
/** y of the north wall; the south wall is at −QUARTER_WIDTH. */
export const QUARTER_WIDTH = WIDTH / 4;

const METRES_PER_DEGREE = WIDTH / 360;

/**
 * x (metres, any finite number) brought into [−WIDTH/2, WIDTH/2). A number that is inside already comes back as it
 * is, at the cost of two comparisons. Beyond ±2^53 m the result is in range but arbitrary.
 */
export function wrapX(x: number): number {
  if (x >= -HALF_WIDTH && x < HALF_WIDTH) return x;
  const wrapped = x - WIDTH * Math.floor((x + HALF_WIDTH) / WIDTH);
  // Rounding can leave a number that lies within a billionth of a metre of the antimeridian on its far side.
  return wrapped >= HALF_WIDTH || wrapped < -HALF_WIDTH ? -HALF_WIDTH : wrapped;
}

/** Whether a place (metres) is one of the world's as it stands; NaN is not. */
export function isInside(x: number, y: number): boolean {
  return x >= -HALF_WIDTH && x < HALF_WIDTH && Math.abs(y) <= QUARTER_WIDTH;
}

/** y (metres) held between the walls, both of which belong to the world. */
export function clampY(y: number): number {
  // Not by comparisons: where one of several results is a constant, V8 makes an object of all of them.
  return Math.min(Math.max(y, -QUARTER_WIDTH), QUARTER_WIDTH);
}

/**
 * b − a the shortest way round, metres in [−WIDTH/2, WIDTH/2); a and b are wrapped. Two places exactly opposite are
 * −WIDTH/2 apart either way. Every difference of two x goes through here.
 */
export function dx(a: number, b: number): number {
  const d = b - a;
  if (d >= HALF_WIDTH) return d - WIDTH;
  return d < -HALF_WIDTH ? d + WIDTH : d;
}

/** Degrees (lon any, lat −90…90; beyond them the wall) to metres. */
export function lonLatToXY(lon: number, lat: number): { x: number; y: number } {
  return { x: wrapX(lon * METRES_PER_DEGREE), y: clampY(lat * METRES_PER_DEGREE) };
}

/** Metres to degrees: lon in [−180, 180), lat in [−90, 90] for a place of the world. */
export function xyToLonLat(x: number, y: number): { lon: number; lat: number } {
  return { lon: x / METRES_PER_DEGREE, lat: y / METRES_PER_DEGREE };
}
