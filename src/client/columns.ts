/** Names for the eight public bytes of an entity: readers of the columns that the game declares public. */
import type { Entity } from './entity.js';
import type { ColumnPlace } from '../wire/welcome.js';

const scratch = new DataView(new ArrayBuffer(8));

/** A function that reads one public column of an entity; undefined when the game has no such column. */
export function columnReader(
  columns: readonly ColumnPlace[],
  name: string,
): ((entity: Entity) => number) | undefined {
  const column = columns.find((c) => c.name === name);
  if (column === undefined) return undefined;
  const { type, offset } = column;
  return (entity) => {
    scratch.setUint32(0, entity.pub0, true);
    scratch.setUint32(4, entity.pub1, true);
    switch (type) {
      case 'f64':
        return scratch.getFloat64(offset, true);
      case 'f32':
        return scratch.getFloat32(offset, true);
      case 'i32':
        return scratch.getInt32(offset, true);
      case 'u32':
        return scratch.getUint32(offset, true);
      case 'i16':
        return scratch.getInt16(offset, true);
      case 'u16':
        return scratch.getUint16(offset, true);
      case 'i8':
        return scratch.getInt8(offset);
      case 'u8':
        return scratch.getUint8(offset);
    }
  };
}
