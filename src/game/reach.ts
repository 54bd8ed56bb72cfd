/** Who is within reach, on either side of a border. */
import { type Entity, OUTCOME } from '../world/facade.js';
import type { GameWorld } from './columns.js';

/**
 * Whether `actor` can touch an entity of this kind. One of this shard is asked where it is now, any other where it was
 * after the last tick.
 * @returns APPLIED, OUT_OF_REACH (also for one that does not exist), or NOT_ALLOWED for another kind
 */
export function reach(
  world: GameWorld,
  actor: Entity,
  targetId: number,
  kind: number,
  metres: number,
): number {
  const target = world.find(targetId);
  if (target >= 0) {
    if (world.distance(actor, world.x(target), world.y(target)) > metres) return OUTCOME.OUT_OF_REACH;
    return world.kind(target) === kind ? OUTCOME.APPLIED : OUTCOME.NOT_ALLOWED;
  }
  const near = world.near(world.x(actor), world.y(actor), metres);
  for (let i = 0; i < near.count; i++) {
    if (near.id(i) === targetId) return near.kind(i) === kind ? OUTCOME.APPLIED : OUTCOME.NOT_ALLOWED;
  }
  return OUTCOME.OUT_OF_REACH;
}
