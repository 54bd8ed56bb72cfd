/**
 * Where the clients of the fan-out bench stand, the same for the server, the floor and the load generator. Pure.
 *
 * - `spread`: evenly over one square, as wide as it must be for each client to have the wanted neighbours in its view of
 *   3 × 3 cells. Every client gets a frame of each cell around it, and walks over cell borders.
 * - `cell`: groups of neighbours + 1, each within one cell, eight cells apart: one large frame for each client.
 * - `border`: as `spread`, over the corner of four base tiles: with four shards everybody near a border hears two or more.
 */
import { LIMITS } from '../../src/base/limits.js';
import { hash2, seededRandom } from '../../src/base/random.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { cellNumber, cellSize } from '../../src/geo/cell.js';
import { lonLatToXY } from '../../src/geo/world.js';

export const LAYOUTS = ['spread', 'cell', 'border'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** Squares of `side` metres, their middles at x + i · pitch, y + j · pitch; clients stay inside them. */
export interface Field {
  readonly layout: Layout;
  readonly clients: number;
  readonly neighbours: number;
  readonly x: number;
  readonly y: number;
  readonly side: number;
  readonly pitch: number;
  /** How fast everybody walks; as fast as one may if left out. */
  readonly speedMps?: number;
}

/** Cells from one group to the next; views are three wide. */
const PITCH_CELLS = 8;
/** Share of a cell's side that a group fills: nobody steps over its border by accident. */
const GROUP_SHARE = 0.75;
const VIEW = LIMITS.viewCells;

/** The field in the middle of a base tile in Germany. @param neighbours wanted in each view */
export function makeField(layout: Layout, clients: number, neighbours: number): Field {
  const place = lonLatToXY(10.2, 50.1);
  const tile = boundsOf(tileAt(place.x, place.y, LIMITS.baseTileLevel));
  const cell = cellSize();
  const isGroups = layout === 'cell';
  const side = isGroups ? GROUP_SHARE * cell : spreadSide(clients, neighbours) * cell;
  const pitch = isGroups ? PITCH_CELLS * cell : 0;
  if (layout === 'border') return { layout, clients, neighbours, x: tile.west, y: tile.south, side, pitch };
  // Middle of a cell near the middle of the tile. Both cuts are inside one tile, far from the antimeridian.
  const middle = (from: number, to: number) => from + (Math.floor((to - from) / 2 / cell) + 0.5) * cell; // dx-ok: one tile
  const x = middle(tile.west, tile.east);
  return { layout, clients, neighbours, x, y: middle(tile.south, tile.north), side, pitch };
}

/** Side of the square in cells: grown until no more than the wanted neighbours are in the average view. */
function spreadSide(clients: number, neighbours: number): number {
  let side = 1;
  while (clients * shareInView(side) > neighbours + 1 && side < 1000) side += 0.01;
  return side;
}

/** Share of an evenly filled square of `side` cells that the average view in it shows; the square's edge cuts views. */
function shareInView(side: number): number {
  // Along one axis the view reaches between 1 and 2 cells each way, 1.5 on average; the edge takes a part of it.
  const reach = Math.min(side, VIEW / 2);
  const seen = 2 * reach - (reach * reach) / side;
  return (Math.min(seen, side) / side) ** 2;
}

/** Where client `index` appears, world metres. */
export function placeOf(field: Field, index: number): { x: number; y: number } {
  const random = seededRandom(hash2(0xfa00, index));
  const x = (random.next() - 0.5) * field.side;
  const y = (random.next() - 0.5) * field.side;
  if (field.pitch === 0) return { x: field.x + x, y: field.y + y };
  const groups = Math.ceil(field.clients / (field.neighbours + 1));
  const columns = Math.ceil(Math.sqrt(groups));
  const group = Math.floor(index / (field.neighbours + 1));
  const column = (group % columns) - (columns >> 1);
  const row = Math.floor(group / columns) - (columns >> 1);
  return { x: field.x + column * field.pitch + x, y: field.y + row * field.pitch + y };
}

/** Cell in which client `index` appears. */
export function cellOfClient(field: Field, index: number): number {
  const { x, y } = placeOf(field, index);
  return cellNumber(x, y);
}
