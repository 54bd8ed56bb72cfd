/**
 * The game's `setup`: once in each thread of a shard, before it has anything. A world must not stand still for it: where it
 * throws, or has hung twice, the shard runs without, the fault is told like any other of the game, and whatever needs what
 * was not set up fails by itself, action by action. Whether a server begins so is for who starts it to decide.
 */
import type { World } from '../world/facade.js';
import type { Core } from './core.js';
import { checkDone } from './mistake.js';

/** What faults of it are told as. */
export const SETUP = 'setup';
/** Stands for it where an entity's id would stand; of no entity and no tile. */
export const SETUP_IN_HAND = -(2 ** 48);

/** Not undone: it can write to nothing yet. Its fault is told at once, before anybody hears that the shard runs. */
export function setUp(core: Core, world: World): void {
  const { module } = core.game;
  if (module.setup === undefined) return;
  const { block, faults } = core;
  block.takeInHand(SETUP_IN_HAND, 0);
  try {
    if (core.isFrozen(SETUP_IN_HAND))
      throw new Error('it has hung, or ended its thread, twice: it is left out');
    checkDone(SETUP, module.setup(world));
  } catch (error) {
    faults.note(error, SETUP, 0);
    faults.tell();
  }
  block.takeInHand(0, 0);
}
