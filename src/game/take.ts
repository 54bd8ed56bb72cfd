/**
 * Taking from a node (gather) or a pile (pick). The owner of what is taken from decides, so two players who reach for
 * one berry are served one after the other wherever they stand; across a border the wish travels as a message, and the
 * items come back through `give`.
 */
import { type Entity, OUTCOME } from '../world/facade.js';
import { room } from './bag.js';
import { action, type GameWorld, message } from './columns.js';
import { HANDS, KIND } from './constants.js';
import { reach } from './reach.js';

/** One item out of a node. */
export const gather = action({
  kind: 2,
  payload: { target: 'id' },
  apply(world, actor, { target }) {
    if (world.columns.gatherWaitS.get(actor) > 0) return OUTCOME.COOLDOWN;
    const outcome = askFor(world, actor, target, KIND.node, 1);
    if (outcome === OUTCOME.APPLIED) world.columns.gatherWaitS.set(actor, HANDS.gatherEveryS);
    return outcome;
  },
});

/** As much of a pile as fits into the bag. */
export const pick = action({
  kind: 4,
  payload: { target: 'id' },
  apply: (world, actor, { target }) => askFor(world, actor, target, KIND.pile, HANDS.bagItems),
});

/** args: where the taker stands (x, y), how many it wants. */
export const take = message({
  kind: 1,
  receive(world, target, { source, args }) {
    // The taker saw the target where it was a tick ago; neither nodes nor piles walk, so this is the same place.
    if (world.distance(target, args[0], args[1]) > HANDS.reachM) return OUTCOME.OUT_OF_REACH;
    return handOut(world, target, source, args[2]);
  },
});

/** Across a border APPLIED means "asked for": what comes of it shows in the bag. */
function askFor(world: GameWorld, actor: Entity, targetId: number, kind: number, most: number): number {
  const wanted = Math.min(most, room(world, actor));
  if (wanted === 0) return OUTCOME.BAG_FULL;
  const refused = reach(world, actor, targetId, kind, HANDS.reachM);
  if (refused !== OUTCOME.APPLIED) return refused;
  const target = world.find(targetId);
  if (target >= 0) return handOut(world, target, world.id(actor), wanted);
  return world.send(actor, targetId, take.kind, world.x(actor), world.y(actor), wanted);
}

/** A node or a pile gives up to `wanted` of what it holds. */
function handOut(world: GameWorld, holder: Entity, takerId: number, wanted: number): number {
  const kind = world.kind(holder);
  if (kind !== KIND.node && kind !== KIND.pile) return OUTCOME.NOT_ALLOWED;
  const product = world.columns.product.get(holder);
  const count = Math.min(wanted, world.items(holder, product));
  if (count < 1) return OUTCOME.NOT_ENOUGH;
  const outcome = world.give(holder, takerId, product, count);
  if (outcome === OUTCOME.APPLIED) showAmount(world, holder);
  return outcome;
}

/** Shows viewers how much a node or a pile holds (of more than 65 535, that many). */
export function showAmount(world: GameWorld, holder: Entity): void {
  const { amount, product } = world.columns;
  const count = Math.min(0xffff, world.items(holder, product.get(holder)));
  if (amount.get(holder) !== count) amount.set(holder, count);
}
