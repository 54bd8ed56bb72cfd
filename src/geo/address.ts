/**
 * Names of tiles: the address "z/x/y" (level, column, row), its number, its Morton code, and its relatives. Pure;
 * makes objects, so it is for layouts, planning and people, not for the tick path.
 */
import { assert } from '../base/assert.js';
import { MAX_LEVEL, tileColumns, tileNorth, tileRows, tileSize, tileWest, tileX, tileY } from './tile.js';

/** A tile: level z, column x counted eastwards from the antimeridian, row y counted southwards from the north wall. */
export interface TileAddress {
  readonly z: number;
  readonly x: number;
  readonly y: number;
}

/** Metres; north > south. West and north belong to the tile, east and south to its neighbours. */
export interface TileBounds {
  readonly west: number;
  readonly east: number;
  readonly north: number;
  readonly south: number;
}

/** Whether the address names a tile. */
export function isTile(tile: TileAddress): boolean {
  const { z, x, y } = tile;
  const integers = Number.isInteger(z) && Number.isInteger(x) && Number.isInteger(y);
  return integers && z >= 0 && z <= MAX_LEVEL && x >= 0 && x < tileColumns(z) && y >= 0 && y < tileRows(z);
}

/** "z/x/y" to an address; undefined if the text is anything else or names no tile. */
export function parseTile(text: string): TileAddress | undefined {
  const parts = /^(0|[1-9]\d{0,9})\/(0|[1-9]\d{0,9})\/(0|[1-9]\d{0,9})$/.exec(text);
  if (parts === null) return undefined;
  const tile = { z: Number(parts[1]), x: Number(parts[2]), y: Number(parts[3]) };
  return isTile(tile) ? tile : undefined;
}

export function formatTile(tile: TileAddress): string {
  return `${tile.z}/${tile.x}/${tile.y}`;
}

/** The tile of this level that holds a place (metres, wrapped and between the walls). */
export function tileAt(x: number, y: number, level: number): TileAddress {
  return { z: level, x: tileX(x, level), y: tileY(y, level) };
}

/** row · columns + column, as tileIndex gives for every place inside. */
export function indexOfTile(tile: TileAddress): number {
  return tile.y * tileColumns(tile.z) + tile.x;
}

export function tileOfIndex(index: number, level: number): TileAddress {
  const columns = tileColumns(level);
  return { z: level, x: index % columns, y: Math.floor(index / columns) };
}

export function boundsOf(tile: TileAddress): TileBounds {
  return {
    west: tileWest(tile.x, tile.z),
    east: tileWest(tile.x + 1, tile.z),
    north: tileNorth(tile.y, tile.z),
    south: tileNorth(tile.y + 1, tile.z),
  };
}

/** Middle of a tile, metres. */
export function centreOf(tile: TileAddress): { x: number; y: number } {
  const half = tileSize(tile.z) / 2;
  return { x: tileWest(tile.x, tile.z) + half, y: tileNorth(tile.y, tile.z) - half };
}

/** Whether a place (metres, wrapped and between the walls) is in the tile. */
export function contains(tile: TileAddress, x: number, y: number): boolean {
  return tileX(x, tile.z) === tile.x && tileY(y, tile.z) === tile.y;
}

/** The tile of the level above, or undefined at level 0. */
export function parentOf(tile: TileAddress): TileAddress | undefined {
  return tile.z === 0 ? undefined : { z: tile.z - 1, x: tile.x >> 1, y: tile.y >> 1 };
}

/** The four tiles of the level below: north-west, north-east, south-west, south-east (their quadrants 0…3). */
export function childrenOf(tile: TileAddress): [TileAddress, TileAddress, TileAddress, TileAddress] {
  assert(tile.z < MAX_LEVEL, 'I9 a tile of the deepest level has no children');
  const z = tile.z + 1;
  const x = tile.x * 2;
  const y = tile.y * 2;
  return [
    { z, x, y },
    { z, x: x + 1, y },
    { z, x, y: y + 1 },
    { z, x: x + 1, y: y + 1 },
  ];
}

/** Which child of its parent a tile is: bit 0 east, bit 1 south. */
export function quadrantOf(tile: TileAddress): number {
  return (tile.x & 1) | ((tile.y & 1) << 1);
}

/**
 * The tiles around a tile, each once, from north-west row by row: eight of them, five at a wall, fewer where the
 * world is so coarse that west and east neighbour are the same. Wraps in x; nothing lies beyond the walls.
 */
export function neighboursOf(tile: TileAddress): TileAddress[] {
  const columns = tileColumns(tile.z);
  const found: TileAddress[] = [];
  for (let y = Math.max(0, tile.y - 1); y <= Math.min(tileRows(tile.z) - 1, tile.y + 1); y++) {
    for (let east = -1; east <= 1; east++) {
      const x = (tile.x + east + columns) % columns;
      const known = (x === tile.x && y === tile.y) || found.some((other) => other.x === x && other.y === y);
      if (!known) found.push({ z: tile.z, x, y });
    }
  }
  return found;
}

/** Puts the low 16 bits of a number on the even places of 32. */
function spread(bits: number): number {
  let b = bits & 0xffff;
  b = (b | (b << 8)) & 0x00ff00ff;
  b = (b | (b << 4)) & 0x0f0f0f0f;
  b = (b | (b << 2)) & 0x33333333;
  return (b | (b << 1)) & 0x55555555;
}

/** The inverse of spread. */
function gather(bits: number): number {
  let b = bits & 0x55555555;
  b = (b | (b >>> 1)) & 0x33333333;
  b = (b | (b >>> 2)) & 0x0f0f0f0f;
  b = (b | (b >>> 4)) & 0x00ff00ff;
  return (b | (b >>> 8)) & 0xffff;
}

/**
 * Morton code (Z-order) of a tile within its level: column bits on even, row bits on odd places, below 2^52. Tiles
 * of one subtree are one range: the code of a child is 4 · code of its parent + quadrant.
 * Source: G. M. Morton, 1966, A computer oriented geodetic data base.
 */
export function mortonOf(tile: TileAddress): number {
  const low = (spread(tile.x) | (spread(tile.y) << 1)) >>> 0;
  const high = (spread(tile.x >>> 16) | (spread(tile.y >>> 16) << 1)) >>> 0;
  return high * 4294967296 + low;
}

export function tileOfMorton(code: number, level: number): TileAddress {
  const low = code >>> 0;
  const high = Math.floor(code / 4294967296);
  return {
    z: level,
    x: gather(low) | (gather(high) << 16),
    y: gather(low >>> 1) | (gather(high >>> 1) << 16),
  };
}
