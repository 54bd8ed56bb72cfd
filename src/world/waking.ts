/** Which base tiles a player keeps awake: those that its view, far rings and a cell more on each side, touches. Pure. */
import { LIMITS } from '../base/limits.js';
import { CELL_COLUMNS, CELL_ROWS, cellColumn, cellRow } from '../geo/cell.js';
import { tileColumns } from '../geo/tile.js';
import { clampY, wrapX } from '../geo/world.js';
import type { Directory } from '../memory/directory.js';

const BASE_COLUMNS = tileColumns(LIMITS.baseTileLevel);
const CELL_SHIFT = LIMITS.cellLevel - LIMITS.baseTileLevel;
/** Cells around a player's own whose tiles are kept awake; fewer than a tile has, so the corners meet them all. */
export const TOUCH_CELLS: number = (LIMITS.mostFarCells + 1) / 2;

/** How many of the tiles around a place, world metres, nobody has: whoever appears there wakes them. */
export function sleepingAround(directory: Directory, x: number, y: number): number {
  const column = cellColumn(wrapX(x));
  const row = cellRow(clampY(y));
  const tiles = new Set<number>();
  for (const south of [-TOUCH_CELLS, TOUCH_CELLS])
    for (const east of [-TOUCH_CELLS, TOUCH_CELLS]) {
      const r = Math.min(Math.max(row + south, 0), CELL_ROWS - 1) >> CELL_SHIFT;
      const c = ((column + east) & (CELL_COLUMNS - 1)) >> CELL_SHIFT;
      tiles.add(r * BASE_COLUMNS + c);
    }
  let sleeping = 0;
  for (const tile of tiles) if (directory.lookup(tile) < 0) sleeping++;
  return sleeping;
}
