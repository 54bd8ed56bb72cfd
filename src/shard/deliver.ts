/**
 * What a message does at its target: items are received (kind 0) or the game's handler runs. Called by the target's
 * owner only, inside a tick, for a message of another shard or directly for one of the same shard.
 */
import { ERRORS } from '../base/errors.js';
import { COLD } from '../memory/record.js';
import type { World } from '../world/facade.js';
import { FLAG } from '../memory/player.js';
import type { Core } from './core.js';
import type { Letter } from './letter.js';

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
  return core.game.module.mayReceive?.(facade, target, itemKind, count, from) ?? 0;
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
    core.game.module.received?.(facade, target, m.itemKind, m.itemCount, m.source, m.args[0]!);
    return 0;
  }
  if (core.isFrozen(core.id(target))) return ERRORS.QUARANTINED.number;
  const definition = core.game.message(m.kind);
  if (definition === undefined) return ERRORS.UNKNOWN_ACTION.number;
  return definition.receive(facade, target, m);
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
  if (core.isFrozen(core.id(source))) return;
  core.game.module.returned?.(facade, source, itemKind, count, target, answer);
}
