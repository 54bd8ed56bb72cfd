/** What lies and grows on the ground: resource nodes and piles of dropped items. */
import type { Entity } from '../world/facade.js';
import { countDown, type GameWorld } from './columns.js';
import { NODE } from './constants.js';
import { showAmount } from './take.js';

/** Grows back what was taken, one item at a time. */
export function stepNode(world: GameWorld, node: Entity): void {
  const { regrowS, product } = world.columns;
  showAmount(world, node); // what a taker refused came back into the bag
  if (world.items(node, product.get(node)) >= NODE.stock) return world.sleep(node); // until somebody takes from it
  if (regrowS.get(node) === 0) {
    regrowS.set(node, NODE.regrowS);
  } else if (countDown(world, regrowS, node)) {
    world.createItems(node, product.get(node), 1);
    showAmount(world, node);
  }
}

/** Goes when it is empty and nothing of it is on the way, or when its time is over. */
export function stepPile(world: GameWorld, pile: Entity): void {
  const product = world.columns.product.get(pile);
  showAmount(world, pile);
  const held = world.items(pile, product);
  if (countDown(world, world.columns.lifeS, pile) && held > 0) world.consumeItems(pile, product, held);
  if (world.items(pile, product) === 0) world.despawn(pile);
}
