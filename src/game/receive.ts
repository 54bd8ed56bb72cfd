/** Who takes what is given. */
import { type Entity, OUTCOME } from '../world/facade.js';
import { room } from './bag.js';
import type { GameWorld } from './columns.js';
import { KIND } from './constants.js';
import { mayPutIn } from './trade.js';

/** Players take what fits while they play, piles more of the same, trades what their parties offer, nobody else anything. */
export function mayReceive(
  world: GameWorld,
  target: Entity,
  item: number,
  count: number,
  fromId: number,
): number {
  switch (world.kind(target)) {
    case KIND.player:
      if (!world.online(target)) return OUTCOME.TARGET_OFFLINE;
      return room(world, target) < count ? OUTCOME.BAG_FULL : OUTCOME.APPLIED;
    case KIND.pile:
      return item === world.columns.product.get(target) ? OUTCOME.APPLIED : OUTCOME.NOT_ALLOWED;
    case KIND.trade:
      return mayPutIn(world, target, count, fromId);
    default:
      return OUTCOME.NOT_ALLOWED;
  }
}
