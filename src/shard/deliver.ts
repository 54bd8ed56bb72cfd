/**
 * What a message does at its target: items are received (kind 0) or the game's handler runs. Called by the target's
 * owner only, inside a tick, as a part of a deed.
 */
import { ERRORS } from '../base/errors.js';
import { COLD, HOT } from '../memory/record.js';
import type { World } from '../world/facade.js';
import { FLAG } from '../memory/player.js';
import type { Core } from './core.js';
import { inHand } from './in-hand.js';
import type { Letter } from './letter.js';
import { checkAnswer, checkDone } from './mistake.js';

/** Message kind of the core's own transfer of items. */
export const TRANSFER = 0;
const MAX_STACK = 2 ** 31;

/** @returns 0 when the target takes the items, otherwise an outcome code */
export function mayReceive(
  core: Core,
  facade: World,
  target: number,
  itemKind: number,
  count: number,
  from: number,
): number {
  if (core.isFrozen(core.id(target))) return ERRORS.QUARANTINED.number;
  if (core.flags(target) & FLAG.OFFLINE) return ERRORS.TARGET_OFFLINE.number;
  const has = core.arena.u32[(core.arena.cold(target) + COLD.items + itemKind * 4) >> 2]!;
  if (has + count > MAX_STACK) return ERRORS.BAG_FULL.number;
  const { module } = core.game;
  if (module.mayReceive === undefined) return 0;
  return checkAnswer('mayReceive', module.mayReceive(facade, target, itemKind, count, from));
}

/** @returns the answer: 0 = accepted */
export function deliver(core: Core, facade: World, target: number, m: Letter): number {
  if (m.kind === TRANSFER) {
    const refused = mayReceive(core, facade, target, m.itemKind, m.itemCount, m.source);
    if (refused !== 0) return refused;
    const cold = core.writeCold(target);
    core.arena.u32[(cold + COLD.items + m.itemKind * 4) >> 2]! += m.itemCount;
    const from = core.world.ids.lookup(m.source);
    core.ledger.arrive(target, m.itemKind, m.itemCount, m.source, m.counter, from, core.tick);
    const { module } = core.game;
    if (module.received === undefined) return 0;
    checkDone('received', module.received(facade, target, m.itemKind, m.itemCount, m.source, m.args[0]!));
    return 0;
  }
  if (core.isFrozen(core.id(target))) return ERRORS.QUARANTINED.number;
  const definition = core.game.message(m.kind);
  if (definition === undefined) return ERRORS.UNKNOWN_ACTION.number;
  return checkAnswer('receive', definition.receive(facade, target, m));
}

/** Items that a target has refused are back in the giver's bag, whose record may be written; the game is told. */
export function takeBack(
  core: Core,
  facade: World,
  source: number,
  itemKind: number,
  count: number,
  target: number,
  answer: number,
): void {
  core.arena.u32[(core.arena.cold(source) + COLD.items + itemKind * 4) >> 2]! += count;
  core.ledger.comeBack(source, itemKind, count);
  const { module } = core.game;
  if (module.returned === undefined) return;
  inHand(core, core.id(source), 'returned', () =>
    module.returned?.(facade, source, itemKind, count, target, answer),
  );
}

/**
 * A gift within the shard, as a deed of its own: if the target's handlers throw it is refused, and the giver goes on.
 * @returns 0 when the target has the items, otherwise an outcome code
 */
export function handOver(
  core: Core,
  facade: World,
  from: number,
  target: number,
  itemKind: number,
  count: number,
  note: number,
): number {
  const { arena, deeds, game } = core;
  const mark = deeds.open();
  try {
    const refused = mayReceive(core, facade, target, itemKind, count, core.id(from));
    if (refused !== 0) {
      deeds.undo(mark);
      return refused;
    }
    arena.u32[itemAt(core.writeCold(from), itemKind)]! -= count;
    arena.u32[itemAt(core.writeCold(target), itemKind)]! += count;
    core.ledger.direct(from, target, itemKind, count, nextCounter(core, from), core.tick);
    checkDone('received', game.module.received?.(facade, target, itemKind, count, core.id(from), note));
    deeds.keep();
    return 0;
  } catch (error) {
    core.faults.note(error, game.handlersOf(TRANSFER).receive, core.id(target));
    deeds.undo(mark);
    return ERRORS.GAME_FAULT.number;
  }
}

/** Numbers what an entity gives: direct gifts and messages count together, so that (source, counter) names each. */
function nextCounter(core: Core, from: number): number {
  const at = (core.writeHot(from) + HOT.messageCounter) >> 2;
  const counter = (core.arena.u32[at]! + 1) >>> 0;
  core.arena.u32[at] = counter;
  return counter;
}

/** Index of an item count in the arena's Uint32Array. @param cold where the cold state begins */
export function itemAt(cold: number, itemKind: number): number {
  return (cold + COLD.items + itemKind * 4) >> 2;
}
