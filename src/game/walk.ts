/**
 * Walking. A client says where to, how fast and how long; where it then is, the server alone decides, step by step.
 * However many walks arrive in a tick, one step covers at most `maxSpeedMps · dt`: there is no budget to cheat.
 */
import { type Entity, OUTCOME } from '../world/facade.js';
import { action, type GameWorld } from './columns.js';
import { REJECTION, WALK } from './constants.js';

/** Less than this is no time: what is left of 10 s after 200 steps of 0.05 s. */
const NO_TIME_S = 1e-9;
/** A step that fell short by more was stopped by a wall. */
const BLOCKED_M = 1e-6;

/** heading: 0 = east, π/2 = north. A walk replaces the one before; speed 0 stands still. */
export const walk = action({
  kind: 1,
  payload: { heading: 'f32', speed: 'f32', seconds: 'f32' },
  apply(world, actor, { heading, speed, seconds }) {
    if (speed < 0 || speed > WALK.maxSpeedMps) return REJECTION.TOO_FAST;
    if (seconds < 0 || seconds > WALK.maxS) return REJECTION.TOO_LONG;
    startWalk(world, actor, heading, speed, seconds);
    return OUTCOME.APPLIED;
  },
});

/** Sets a stride; the following steps make it. */
export function startWalk(
  world: GameWorld,
  walker: Entity,
  heading: number,
  speedMps: number,
  seconds: number,
): void {
  const moves = seconds > 0 ? speedMps : 0;
  world.setHeading(walker, heading);
  world.setVelocity(walker, Math.cos(heading) * moves, Math.sin(heading) * moves);
  world.columns.walkSpeedMps.set(walker, moves);
  world.columns.walkLeftS.set(walker, seconds);
}

/** One step of the present stride; the last one may be shorter than a tick. */
export function stride(world: GameWorld, walker: Entity): void {
  const { walkLeftS, walkSpeedMps } = world.columns;
  const left = walkLeftS.get(walker);
  if (left <= 0) return;
  const seconds = Math.min(left, world.dt);
  const metres = walkSpeedMps.get(walker) * seconds;
  if (metres > 0) advance(world, walker, metres);
  if (left - seconds > NO_TIME_S) {
    walkLeftS.set(walker, left - seconds);
  } else {
    walkLeftS.set(walker, 0);
    world.setVelocity(walker, 0, 0);
  }
}

function advance(world: GameWorld, walker: Entity, metres: number): void {
  const heading = world.heading(walker);
  const north = Math.sin(heading) * metres;
  const y = world.y(walker);
  world.move(walker, Math.cos(heading) * metres, north);
  const blocked = Math.abs(world.y(walker) - y - north) > BLOCKED_M;
  if (blocked && world.vy(walker) !== 0) world.setVelocity(walker, world.vx(walker), 0);
}
