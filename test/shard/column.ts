/** Reads a component of any entity from its record, whoever owns it: what game code may not do. */
import type { Arena } from '../../src/memory/arena.js';
import { HOT } from '../../src/memory/record.js';
import type { CompiledGame } from '../../src/world/game.js';

const READ = {
  f64: 'getFloat64',
  f32: 'getFloat32',
  i32: 'getInt32',
  u32: 'getUint32',
  i16: 'getInt16',
  u16: 'getUint16',
  i8: 'getInt8',
  u8: 'getUint8',
} as const;

export function readColumn(arena: Arena, game: CompiledGame, name: string, slot: number): number {
  const column = game.columns.find((one) => one.name === name);
  if (column === undefined) throw new Error(`the game has no component ${name}`);
  return new DataView(arena.sab)[READ[column.type]](arena.hot(slot) + HOT.components + column.offset, true);
}
