/**
 * The world of the peers: the players of the field, walking as in BlueMarble's bench game (bench/fanout/game.ts), so
 * that everybody moves in every frame. Groups of neighbours are fixed, which spares a peer all search for who is near.
 */
import { seededRandom } from '../../src/base/random.js';
import { WALK_MPS, WALK_S } from '../fanout/dialect.js';
import { type Field, placeOf } from '../fanout/field.js';

/** Metres around its beginning in which a walker stays. */
const ROOM_M = 50;

export interface Walker {
  readonly homeX: number;
  readonly homeY: number;
  x: number;
  y: number;
  vx: number;
  vy: number;
  leftS: number;
}

const random = seededRandom(7);

export function walkerOf(field: Field, index: number): Walker {
  const { x, y } = placeOf(field, index);
  return { homeX: x, homeY: y, x, y, vx: 0, vy: 0, leftS: 0 };
}

export function walk(walker: Walker, heading: number, speed = WALK_MPS, seconds = WALK_S): void {
  walker.vx = Math.sin(heading) * speed;
  walker.vy = Math.cos(heading) * speed;
  walker.leftS = seconds;
}

export function step(walker: Walker, dt: number): void {
  const east = walker.x - walker.homeX; // dx-ok: a peer's plane does not wrap
  const north = walker.y - walker.homeY;
  if (Math.abs(east) > ROOM_M || Math.abs(north) > ROOM_M) walk(walker, Math.atan2(-east, -north));
  else if (walker.leftS <= 0) walk(walker, random.next() * 2 * Math.PI);
  walker.x += walker.vx * dt;
  walker.y += walker.vy * dt;
  walker.leftS -= dt;
}
