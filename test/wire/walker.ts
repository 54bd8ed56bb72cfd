/**
 * An independent reader that trusts nothing: walks a whole message by its schema with a DataView of exactly the
 * message's bytes, so that any step outside throws RangeError. Shares no code with the verifier or the readers.
 */
import type { FieldShape, Schema } from '../../src/base/schema-shape.js';

class Walk {
  /** bytes of content seen */
  read = 0;
  constructor(
    private readonly schema: Schema,
    private readonly view: DataView,
  ) {}

  table(name: string, at: number): void {
    const vtable = at - this.view.getInt32(at, true);
    const entries = this.view.getUint16(vtable, true);
    for (const field of this.schema.tables[name]) {
      const place = this.entry(at, vtable, entries, field.slot);
      if (place === 0) continue;
      if (field.kind !== 'union') {
        this.field(field, place);
        continue;
      }
      const tag = this.entry(at, vtable, entries, field.slot - 1);
      this.table(field.members[this.view.getUint8(tag)], this.indirect(place));
    }
  }

  private entry(at: number, vtable: number, entries: number, slot: number): number {
    const entry = 4 + slot * 2;
    if (entry + 2 > entries) return 0;
    const inside = this.view.getUint16(vtable + entry, true);
    return inside === 0 ? 0 : at + inside;
  }

  private indirect(at: number): number {
    return at + this.view.getUint32(at, true);
  }

  private field(field: Exclude<FieldShape, { kind: 'union' }>, at: number): void {
    switch (field.kind) {
      case 'inline':
        return this.bytes(at, field.size);
      case 'vector': {
        const start = this.indirect(at);
        return this.bytes(start + 4, this.view.getUint32(start, true) * field.size);
      }
      case 'string':
        return this.string(this.indirect(at));
      case 'table':
        return this.table(field.table, this.indirect(at));
      default: {
        const start = this.indirect(at);
        const count = this.view.getUint32(start, true);
        for (let i = 0; i < count; i++) {
          const target = this.indirect(start + 4 + i * 4);
          if (field.kind === 'tables') this.table(field.table, target);
          else this.string(target);
        }
      }
    }
  }

  private string(at: number): void {
    const length = this.view.getUint32(at, true);
    this.bytes(at + 4, length);
    if (this.view.getUint8(at + 4 + length) !== 0) throw new RangeError('a string without an end');
  }

  /** Touches the last byte and counts the rest. */
  private bytes(at: number, length: number): void {
    if (length > 0) this.view.getUint8(at + length - 1);
    this.view.getUint8(at - 1);
    this.read += length;
  }
}

/** @returns bytes of content @throws RangeError (or TypeError for a tag without a table) where it leaves the message */
export function walk(schema: Schema, bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const walker = new Walk(schema, view);
  walker.table(schema.root, view.getUint32(0, true));
  return walker.read;
}
