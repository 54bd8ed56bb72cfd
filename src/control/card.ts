/** What Welcome tells every client of the world and its game: plain data for the gateways, which know no rules. */
import { LIMITS } from '../base/limits.js';
import { farIntervals } from '../gateway/far.js';
import type { WorldCard } from '../gateway/replies.js';
import { lonLatToXY } from '../geo/world.js';
import { COLUMN_TYPES, PROTOCOL_VERSION } from '../wire/protocol.js';
import type { CompiledGame } from '../world/game.js';

/** Where players appear who ask for no place: Berlin. */
export const SPAWN = lonLatToXY(13.405, 52.52);

/** @param rates in Hz @param farCells side of the whole view */
export function worldCard(
  game: CompiledGame,
  rates: { tickRate: number; frameRate: number },
  farCells: number = LIMITS.farCells,
): WorldCard {
  const named = (list: readonly { name: string; kind: number }[]) =>
    list.map(({ name, kind }) => ({ name, kind }));
  return {
    protocol: PROTOCOL_VERSION,
    window: LIMITS.windowActions,
    ...rates,
    viewCells: LIMITS.viewCells,
    farCells,
    farIntervals: farIntervals(farCells, rates.tickRate / rates.frameRate),
    cellLevel: LIMITS.cellLevel,
    tileLevel: LIMITS.baseTileLevel,
    game: {
      name: game.name,
      actions: named(game.actions),
      events: named(game.events),
      kinds: game.kinds,
      items: game.items,
      columns: game.publicColumns.map(({ name, type, offset }) => ({
        name,
        type: COLUMN_TYPES.indexOf(type),
        offset,
      })),
    },
  };
}
