/**
 * The built-in game for the fan-out bench: players never stand still, with or without actions, and stay within their
 * squares of the field; nobody else is there. Everything else, the `walk` action above all, is the game's own.
 */
import game from '../../src/game/game.js';
import { KIND, WALK } from '../../src/game/constants.js';
import type { GameWorld } from '../../src/game/columns.js';
import { startWalk } from '../../src/game/walk.js';
import { dx } from '../../src/geo/world.js';
import type { Entity } from '../../src/world/facade.js';
import type { Field } from './field.js';

/** A `Field` as JSON: the bench hands it to the server's threads through the environment. */
export const FIELD_VARIABLE = 'FANOUT_FIELD';
const field = JSON.parse(process.env[FIELD_VARIABLE] ?? '{}') as Field;
const speed = field.speedMps ?? WALK.maxSpeedMps;

/** Offset from the middle of the nearest square along one axis. */
function offset(metres: number): number {
  return field.pitch === 0 ? metres : metres - Math.round(metres / field.pitch) * field.pitch;
}

function keepWalking(world: GameWorld, player: Entity): void {
  const x = offset(dx(field.x, world.x(player)));
  const y = offset(world.y(player) - field.y);
  const half = field.side / 2;
  if (Math.abs(x) > half || Math.abs(y) > half) {
    // Anywhere on the square rather than its middle, or everybody would meet there.
    const east = (world.random(player) - 0.5) * field.side;
    const north = (world.random(player) - 0.5) * field.side;
    startWalk(world, player, Math.atan2(north - y, dx(x, east)), speed, WALK.maxS);
  } else if (world.columns.walkLeftS.get(player) <= 0) {
    startWalk(world, player, world.random(player) * 2 * Math.PI, speed, WALK.maxS);
  }
}

export default {
  ...game,
  name: 'BlueMarble (bench)',
  populate: undefined,
  step(world: GameWorld, entity: Entity) {
    game.step(world, entity);
    if (world.kind(entity) === KIND.player) keepWalking(world, entity);
  },
};
