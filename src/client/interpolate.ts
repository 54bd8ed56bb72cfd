/**
 * Where to draw an entity: between its two newest states, a little beyond the newest one by its velocity, and never
 * further. Pure.
 */
import { dx, wrapX } from '../geo/world.js';
import type { Entity } from './entity.js';
import type { ServerTime } from './server-time.js';

/** Without news an entity is drawn on along its velocity for this time, seconds; in slow squares until the next news. */
const AHEAD_S = 0.25;
const LONGEST_AHEAD_S = 2;

export interface Position {
  x: number;
  y: number;
}

/** Writes the position at `now` (the client's clock, ms) to `out` and returns it. */
export function positionAt(entity: Entity, time: ServerTime, now: number, out: Position): Position {
  const tick = time.drawnTick(now);
  const ahead = tick - entity.tick;
  if (!(ahead < 0)) {
    const longest = Math.min(LONGEST_AHEAD_S, AHEAD_S + entity.slowTicks * time.secondsPerTick);
    const seconds = Math.min(ahead > 0 ? ahead * time.secondsPerTick : 0, longest);
    out.x = wrapX(entity.x + entity.vx * seconds);
    out.y = entity.y + entity.vy * seconds;
    return out;
  }
  // Who had stood still says nothing for a while: it left its place one frame before the newest state, not long ago.
  const from = Math.max(entity.beforeTick, entity.tick - 2 * time.frameTicks);
  const share = entity.tick > from ? Math.max(0, 1 + ahead / (entity.tick - from)) : 1;
  out.x = wrapX(entity.beforeX + dx(entity.beforeX, entity.x) * share);
  out.y = entity.beforeY + (entity.y - entity.beforeY) * share;
  return out;
}
