/** Letting go of items: dropping them on the ground, giving them to somebody near. */
import { type Entity, OUTCOME } from '../world/facade.js';
import { canPart } from './bag.js';
import { action, type GameWorld } from './columns.js';
import { HANDS, KIND, PILE, REJECTION } from './constants.js';
import { reach } from './reach.js';
import { showAmount } from './take.js';

/** Adds to the pile that the player dropped last if that is of the same kind and in reach, else begins a new one. */
export const drop = action({
  kind: 3,
  payload: { item: 'u16', count: 'u16' },
  apply(world, actor, { item, count }) {
    const refused = canPart(world, actor, item, count);
    if (refused !== OUTCOME.APPLIED) return refused;
    let pile = lastPile(world, actor, item);
    if (pile < 0) {
      pile = newPile(world, actor, item);
      if (pile < 0) return REJECTION.NO_ROOM;
      world.columns.firstId.set(actor, world.id(pile));
    }
    const outcome = world.give(actor, world.id(pile), item, count);
    showAmount(world, pile);
    return outcome;
  },
});

/** To a player within reach. Across a border it is on its way, and comes back if it is refused there. */
export const give = action({
  kind: 5,
  payload: { target: 'id', item: 'u16', count: 'u16' },
  apply(world, actor, { target, item, count }) {
    if (target === world.id(actor)) return OUTCOME.NOT_ALLOWED;
    let refused = canPart(world, actor, item, count);
    if (refused === OUTCOME.APPLIED) refused = reach(world, actor, target, KIND.player, HANDS.reachM);
    return refused === OUTCOME.APPLIED ? world.give(actor, target, item, count) : refused;
  },
});

function lastPile(world: GameWorld, actor: Entity, item: number): Entity | -1 {
  const pile = world.find(world.columns.firstId.get(actor));
  if (pile < 0 || world.columns.product.get(pile) !== item) return -1;
  return world.distance(actor, world.x(pile), world.y(pile)) <= HANDS.reachM ? pile : -1;
}

/** An empty pile for one kind of item where somebody stands; −1: the world is full. */
export function newPile(world: GameWorld, where: Entity, item: number): Entity | -1 {
  const pile = world.spawn(KIND.pile, world.x(where), world.y(where));
  if (pile < 0) return -1;
  world.columns.product.set(pile, item);
  world.columns.lifeS.set(pile, PILE.lifeS);
  return pile;
}
