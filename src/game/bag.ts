/** Bags: what fits into them, and what can be parted with. */
import { type Entity, OUTCOME } from '../world/facade.js';
import type { GameWorld } from './columns.js';
import { HANDS, ITEM } from './constants.js';

export const ITEM_KINDS = Object.keys(ITEM).length;

/** How many more items, of whatever kind, a player can carry. */
export function room(world: GameWorld, player: Entity): number {
  let carried = 0;
  for (let item = 0; item < ITEM_KINDS; item++) carried += world.items(player, item);
  return Math.max(0, HANDS.bagItems - carried);
}

/** Whether a client's (item, count) is something that `holder` can part with. */
export function canPart(world: GameWorld, holder: Entity, item: number, count: number): number {
  if (item >= ITEM_KINDS || count < 1) return OUTCOME.NOT_ALLOWED;
  return world.items(holder, item) < count ? OUTCOME.NOT_ENOUGH : OUTCOME.APPLIED;
}
