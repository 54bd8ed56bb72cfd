/** Players: what they begin with, what time does to them, and the two things they do with nobody else. */
import { type Entity, OUTCOME } from '../world/facade.js';
import { room } from './bag.js';
import { action, countDown, type GameWorld } from './columns.js';
import { EVENT, HANDS, ITEM, STARTING_BAG } from './constants.js';
import { stride } from './walk.js';

export function spawnPlayer(world: GameWorld, player: Entity): void {
  for (const { item, count } of STARTING_BAG) world.createItems(player, item, count);
}

export function stepPlayer(world: GameWorld, player: Entity): void {
  const { gatherWaitS, forageWaitS, sayWaitS, tradeWaitS } = world.columns;
  countDown(world, gatherWaitS, player);
  countDown(world, forageWaitS, player);
  countDown(world, sayWaitS, player);
  countDown(world, tradeWaitS, player);
  stride(world, player);
}

/** Everyone near by reads it. */
export const say = action({
  kind: 6,
  payload: 'text',
  apply(world, actor, text) {
    if (world.columns.sayWaitS.get(actor) > 0) return OUTCOME.COOLDOWN;
    world.columns.sayWaitS.set(actor, HANDS.sayEveryS);
    world.emit(actor, EVENT.speech, text.bytes, text.length);
    return OUTCOME.APPLIED;
  },
});

/** Somewhere in the grass there is always a berry. */
export const forage = action({
  kind: 7,
  payload: 'none',
  apply(world, actor) {
    if (world.columns.forageWaitS.get(actor) > 0) return OUTCOME.COOLDOWN;
    if (room(world, actor) === 0) return OUTCOME.BAG_FULL;
    world.columns.forageWaitS.set(actor, HANDS.forageEveryS);
    world.createItems(actor, ITEM.berry, 1);
    return OUTCOME.APPLIED;
  },
});
