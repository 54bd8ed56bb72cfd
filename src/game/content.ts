/** Natural content of a tile: groves of resource nodes, creatures that live around them. */
import type { Random, TileArea } from '../world/facade.js';
import type { GameWorld } from './columns.js';
import { CONTENT, CREATURE, KIND, NODE } from './constants.js';
import { showAmount } from './take.js';

/** The first grove stands in the middle of the tile; the creatures are spread over the groves. A full world gets less. */
export function populate(world: GameWorld, tile: TileArea, random: Random): void {
  for (let grove = 0; grove < CONTENT.groves; grove++) {
    const x = grove === 0 ? (tile.west + tile.east) / 2 : within(tile.west, tile.east, random);
    const y = grove === 0 ? (tile.south + tile.north) / 2 : within(tile.south, tile.north, random);
    const product = NODE.products[random.int(NODE.products.length)]!;
    for (let i = 0; i < CONTENT.nodesPerGrove; i++)
      addNode(world, around(x, random), around(y, random), product);
    for (let i = grove; i < CONTENT.creatures; i += CONTENT.groves)
      addCreature(world, around(x, random), around(y, random), random);
  }
}

/** Between two edges, but not close to either. */
function within(low: number, high: number, random: Random): number {
  return low + CONTENT.edgeM + random.next() * (high - low - 2 * CONTENT.edgeM);
}

function around(middle: number, random: Random): number {
  return middle + (2 * random.next() - 1) * CONTENT.groveRadiusM;
}

function addNode(world: GameWorld, x: number, y: number, product: number): void {
  const node = world.spawn(KIND.node, x, y);
  if (node < 0) return;
  world.columns.product.set(node, product);
  world.createItems(node, product, NODE.stock);
  showAmount(world, node);
}

function addCreature(world: GameWorld, x: number, y: number, random: Random): void {
  const creature = world.spawn(KIND.creature, x, y);
  if (creature < 0) return;
  world.columns.homeX.set(creature, x);
  world.columns.homeY.set(creature, y);
  // Each looks around at its own time, so that the work is spread over the ticks.
  world.columns.lookWaitS.set(creature, random.next() * CREATURE.lookEveryS);
}
