/**
 * The drift of a player: the mean of its velocity over the last seconds, and the square into which it carries the player
 * some time ahead. A player who strolls to and fro has none; one who is on the way somewhere has nearly its velocity. Pure
 * but for the drift's place in shared memory; allocates nothing, numbers go in and out by their places (geo/tile.ts).
 */
import { LIMITS } from '../base/limits.js';
import { columnAt, rowAt, tileColumns } from '../geo/tile.js';
import { HALF_WIDTH, QUARTER_WIDTH, WIDTH } from '../geo/world.js';
import { DRIFT, type Drifts } from '../memory/drift.js';

/** Seconds ahead for which squares are counted: for a split, for a thread, against a merge. */
export const FORESIGHT_S = [30, 60, 300] as const;

const DEEPEST = LIMITS.deepestTileLevel;
const COLUMNS = tileColumns(DEEPEST);
/** Length of the mean. */
const WINDOW_S = 15;
/** Who was not seen for longer has rested or was frozen: it begins anew. */
const GONE_S = 5;
/** Faster than this is no way that somebody walks on: a game has moved it. */
const JUMP_MPS = 100;

/** What a look says of a player beside its drift. */
export const CAME = { STAYED: 0, FROM_SQUARE: 1, NEW: 2 } as const;

/**
 * Notes where a player stands now.
 * @param xs, x place of its x in an array (metres), and the same for y
 * @param vs, v place of its velocity (m/s, vx then vy): what a drift begins with
 * @param tick of this look @param ticksPerS ticks in a second
 * @returns one of CAME: whether it came into its square since the look before, and from where
 */
export function noteDrift(
  drifts: Drifts,
  slot: number,
  generation: number,
  xs: Float64Array,
  x: number,
  y: number,
  vs: Float32Array,
  v: number,
  tick: number,
  ticksPerS: number,
): number {
  const { f64, f32, u32, i32 } = drifts;
  const at = drifts.at(slot);
  const [xAt, yAt] = [(at + DRIFT.x) >> 3, (at + DRIFT.y) >> 3];
  const vAt = (at + DRIFT.vx) >> 2;
  const s = (at + DRIFT.speed2) >> 2;
  const passedS = (tick - i32[(at + DRIFT.tick) >> 2]) / ticksPerS;
  const isKnown = u32[(at + DRIFT.generation) >> 2] === generation && passedS > 0 && passedS <= GONE_S;
  let came: number = CAME.NEW;
  if (isKnown) {
    let wayX = xs[x] - f64[xAt];
    if (wayX >= HALF_WIDTH) wayX -= WIDTH;
    else if (wayX < -HALF_WIDTH) wayX += WIDTH;
    const wayY = xs[y] - f64[yAt];
    const most = JUMP_MPS * passedS;
    const jumped = wayX * wayX + wayY * wayY > most * most;
    const w = jumped ? 1 : (2 * passedS) / (WINDOW_S + passedS);
    const vx = jumped ? vs[v] : wayX / passedS;
    const vy = jumped ? vs[v + 1] : wayY / passedS;
    f32[vAt] += (vx - f32[vAt]) * w;
    f32[vAt + 1] += (vy - f32[vAt + 1]) * w;
    f32[s] += (vx * vx + vy * vy - f32[s]) * w;
    const same =
      columnAt(xs, x, DEEPEST) === columnAt(f64, xAt, DEEPEST) &&
      rowAt(xs, y, DEEPEST) === rowAt(f64, yAt, DEEPEST);
    came = same ? CAME.STAYED : CAME.FROM_SQUARE;
  } else {
    f32[vAt] = vs[v];
    f32[vAt + 1] = vs[v + 1];
    f32[s] = 2 * (vs[v] * vs[v] + vs[v + 1] * vs[v + 1]); // one look is half believed
    u32[(at + DRIFT.generation) >> 2] = generation;
  }
  f64[xAt] = xs[x];
  f64[yAt] = xs[y];
  i32[(at + DRIFT.tick) >> 2] = tick;
  return came;
}

/** Scratch of `squareAhead`. */
const ahead = new Float64Array(2);

/**
 * The square of the deepest level (row × columns + column) into which a slot's drift carries it in so many seconds. The
 * drift counts by its steadiness, |mean velocity|² ÷ mean speed²: a stroller's mean is noise, a traveller's is the way.
 */
export function squareAhead(drifts: Drifts, slot: number, seconds: number): number {
  const { f64, f32 } = drifts;
  const at = drifts.at(slot);
  const v = (at + DRIFT.vx) >> 2;
  const squared = f32[v] * f32[v] + f32[v + 1] * f32[v + 1];
  const speed2 = f32[(at + DRIFT.speed2) >> 2];
  const steady = speed2 > 0 ? Math.min(1, squared / speed2) * seconds : 0;
  let x = f64[(at + DRIFT.x) >> 3] + f32[v] * steady;
  if (x >= HALF_WIDTH) x -= WIDTH;
  else if (x < -HALF_WIDTH) x += WIDTH;
  ahead[0] = x;
  ahead[1] = Math.min(
    Math.max(f64[(at + DRIFT.y) >> 3] + f32[v + 1] * steady, -QUARTER_WIDTH),
    QUARTER_WIDTH,
  );
  return rowAt(ahead, 1, DEEPEST) * COLUMNS + columnAt(ahead, 0, DEEPEST);
}
