/**
 * Where a game's components lie inside the 96 component bytes of a record. Pure.
 *
 * ```
 * 0        4        8                                   96
 * ├─ pub0 ─┼─ pub1 ─┼─ private columns ─────────────────┤
 * ```
 * Public columns share the first 8 bytes, which are shown to every viewer as they are; private ones never begin below.
 * Within each part larger types come first, so that each lies on a multiple of its size and nothing is lost to padding.
 */
import { assert } from '../base/assert.js';
import { LIMITS } from '../base/limits.js';
import type { ColumnType } from './facade.js';

export const COLUMN_BYTES: Readonly<Record<ColumnType, number>> = Object.freeze({
  f64: 8,
  f32: 4,
  i32: 4,
  u32: 4,
  i16: 2,
  u16: 2,
  i8: 1,
  u8: 1,
});

/** A component as its game declares it. */
export interface ColumnDeclaration {
  readonly name: string;
  readonly type: ColumnType;
  readonly public: boolean;
}

export interface ColumnLayout extends ColumnDeclaration {
  /** Bytes from the beginning of the component bytes; in a public one, from the beginning of pub0. */
  readonly offset: number;
}

/** Most bytes of private columns. */
export const PRIVATE_BYTES: number = LIMITS.componentBytes - LIMITS.publicBytes;

/** Bytes that columns take. */
export function columnBytes(columns: readonly ColumnDeclaration[]): number {
  return columns.reduce((sum, column) => sum + COLUMN_BYTES[column.type], 0);
}

/** Lays out columns that are known to fit, in the order of declaration. */
export function layoutColumns(columns: readonly ColumnDeclaration[]): ColumnLayout[] {
  const shown = columns.filter((column) => column.public);
  const hidden = columns.filter((column) => !column.public);
  assert(
    columnBytes(shown) <= LIMITS.publicBytes && columnBytes(hidden) <= PRIVATE_BYTES,
    'I7: components fit a record',
  );
  const offsets = new Map([...pack(shown, 0), ...pack(hidden, LIMITS.publicBytes)]);
  return columns.map((column) => ({ ...column, offset: offsets.get(column.name)! }));
}

function pack(columns: readonly ColumnDeclaration[], begin: number): [string, number][] {
  let offset = begin;
  // Array.sort is stable: equal sizes keep their order, and one declaration always gets one layout.
  return [...columns]
    .sort((a, b) => COLUMN_BYTES[b.type] - COLUMN_BYTES[a.type])
    .map((column) => {
      const at = offset;
      offset += COLUMN_BYTES[column.type];
      return [column.name, at];
    });
}
