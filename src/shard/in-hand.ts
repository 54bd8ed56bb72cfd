/** Handlers of the game outside of steps and actions: each a deed of its own, blamed on the entity that it runs for. */
import type { Core } from './core.js';
import { checkDone } from './mistake.js';

/**
 * Not for the tick's fast path: its callers make a function each time.
 * @param id entity, or −1 − tile @param what "jobDone" @param work calls the handler
 * @returns whether it was done; if not, nothing was: it threw, or the entity is quarantined
 */
export function inHand(core: Core, id: number, what: string, work: () => unknown): boolean {
  if (core.isFrozen(id)) return false;
  const { block, deeds } = core;
  block.takeInHand(id, 0);
  const mark = deeds.open();
  let isDone = true;
  try {
    checkDone(what, work());
    deeds.keep();
  } catch (error) {
    core.faults.note(error, what, id);
    deeds.undo(mark);
    isDone = false;
  }
  block.takeInHand(0, 0);
  return isDone;
}
