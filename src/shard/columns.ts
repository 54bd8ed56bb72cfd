/**
 * Component columns over the arena's records: one class a type, so that each call site stays monomorphic. A write goes
 * through the tick's undo copy.
 */
import { HOT } from '../memory/record.js';
import type { Column, ColumnType, Entity } from '../world/facade.js';
import { checkNumber } from './arguments.js';
import type { Core } from './core.js';
import { refuse } from './mistake.js';

const HERE = 'one of this shard, found or made in this very call';

type Values =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** A column at a fixed byte offset of the hot state. `shift` = log2 of the element's bytes. */
class ArenaColumn<A extends Values> implements Column {
  constructor(
    private readonly core: Core,
    private readonly values: A,
    private readonly shift: number,
    private readonly offset: number,
  ) {}

  get(entity: Entity): number {
    if (!this.core.isHere(entity)) refuse('columns.get', 'entity', entity, HERE);
    return this.values[(this.core.arena.hot(entity) + this.offset) >> this.shift]!;
  }

  set(entity: Entity, value: number): void {
    checkNumber('columns.set', 'value', value);
    if (!this.core.writesOn(entity)) this.makeWritable(entity);
    this.values[(this.core.arena.hot(entity) + this.offset) >> this.shift] = value;
  }

  private makeWritable(entity: Entity): void {
    if (!this.core.deeds.isOpen || !this.core.isHere(entity)) refuse('columns.set', 'entity', entity, HERE);
    this.core.writeHot(entity);
  }
}

class F64Column extends ArenaColumn<Float64Array> {}
class F32Column extends ArenaColumn<Float32Array> {}
class I32Column extends ArenaColumn<Int32Array> {}
class U32Column extends ArenaColumn<Uint32Array> {}
class I16Column extends ArenaColumn<Int16Array> {}
class U16Column extends ArenaColumn<Uint16Array> {}
class I8Column extends ArenaColumn<Int8Array> {}
class U8Column extends ArenaColumn<Uint8Array> {}

/** @param offset byte offset inside the 96 component bytes */
export function makeColumn(core: Core, type: ColumnType, offset: number): Column {
  const { arena } = core;
  const at = HOT.components + offset;
  switch (type) {
    case 'f64':
      return new F64Column(core, arena.f64, 3, at);
    case 'f32':
      return new F32Column(core, arena.f32, 2, at);
    case 'i32':
      return new I32Column(core, arena.i32, 2, at);
    case 'u32':
      return new U32Column(core, arena.u32, 2, at);
    case 'i16':
      return new I16Column(core, new Int16Array(arena.sab), 1, at);
    case 'u16':
      return new U16Column(core, arena.u16, 1, at);
    case 'i8':
      return new I8Column(core, new Int8Array(arena.sab), 0, at);
    case 'u8':
      return new U8Column(core, arena.u8, 0, at);
  }
}
