/**
 * Reads a compiled schema (`flatc --binary --schema`, layout: reflection.fbs of FlatBuffers) into the few facts that
 * BlueMarble's verifier needs: of each table its fields with kind, size and alignment, of each struct its offsets.
 */
import { ByteBuffer } from 'flatbuffers';
import type { FieldShape, Schema, StructShape } from '../src/base/schema-shape.js';

/** reflection.fbs, enum BaseType; the array gives the size in bytes of the scalars among them. */
const BASE = { utype: 1, string: 13, vector: 14, object: 15, union: 16 } as const;
const SCALAR_BYTES = [0, 1, 1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8];

/** A table of the compiled schema; `slot` counts its fields from 0 as reflection.fbs lists them. */
class Node {
  constructor(
    private readonly bb: ByteBuffer,
    private readonly at: number,
  ) {}
  private field(slot: number): number {
    const offset = this.bb.__offset(this.at, 4 + slot * 2);
    return offset === 0 ? 0 : this.at + offset;
  }
  has(slot: number): boolean {
    return this.field(slot) !== 0;
  }
  i8(slot: number): number {
    const at = this.field(slot);
    return at === 0 ? 0 : this.bb.readInt8(at);
  }
  u16(slot: number): number {
    const at = this.field(slot);
    return at === 0 ? 0 : this.bb.readUint16(at);
  }
  i32(slot: number, absent = 0): number {
    const at = this.field(slot);
    return at === 0 ? absent : this.bb.readInt32(at);
  }
  text(slot: number): string {
    return String(this.bb.__string(this.field(slot)));
  }
  node(slot: number): Node {
    return new Node(this.bb, this.bb.__indirect(this.field(slot)));
  }
  nodes(slot: number): Node[] {
    const at = this.field(slot);
    if (at === 0) return [];
    const start = this.bb.__vector(at);
    return Array.from(
      { length: this.bb.__vector_len(at) },
      (_, i) => new Node(this.bb, this.bb.__indirect(start + i * 4)),
    );
  }
}

interface Entity {
  name: string;
  isStruct: boolean;
  align: number;
  size: number;
  fields: Node[];
}

interface Source {
  objects: Entity[];
  /** members of each union by its index among the enums, by tag; '' = no member */
  unions: string[][];
}

const bare = (name: string) => name.slice(name.lastIndexOf('.') + 1);

function entity(node: Node): Entity {
  return {
    name: bare(node.text(0)),
    fields: node.nodes(1).sort((a, b) => a.u16(2) - b.u16(2)),
    isStruct: node.i8(2) !== 0,
    align: node.i32(3),
    size: node.i32(4),
  };
}

function members(node: Node, objects: Entity[]): string[] {
  const tags: string[] = [];
  for (const value of node.nodes(1)) {
    const type = value.node(3);
    tags[value.i32(1)] = type.i8(0) === BASE.object ? (objects[type.i32(2)]?.name ?? '') : '';
  }
  return Array.from(tags, (name) => name ?? '');
}

/** @returns undefined for the tag of a union, which goes with its value */
function field(source: Source, node: Node): FieldShape | undefined {
  const name = node.text(0);
  const head = { name, slot: node.u16(2), ...(node.i8(7) !== 0 && { required: true as const }) };
  const type = node.node(1);
  const base = type.i8(0);
  const object = source.objects[type.i32(2, -1)];
  const scalar = SCALAR_BYTES[base];
  if (base === BASE.utype) return undefined;
  if (scalar !== undefined) return { ...head, kind: 'inline', size: scalar, align: scalar };
  if (base === BASE.string) return { ...head, kind: 'string' };
  if (base === BASE.union) return { ...head, kind: 'union', members: source.unions[type.i32(2)] ?? [] };
  if (base === BASE.object && object) {
    return object.isStruct
      ? { ...head, kind: 'inline', size: object.size, align: object.align }
      : { ...head, kind: 'table', table: object.name };
  }
  const element = type.i8(1);
  const bytes = SCALAR_BYTES[element];
  if (base === BASE.vector) {
    if (element === BASE.string) return { ...head, kind: 'strings' };
    if (bytes !== undefined) return { ...head, kind: 'vector', size: bytes, align: bytes };
    if (element === BASE.object && object) {
      return object.isStruct
        ? { ...head, kind: 'vector', size: object.size, align: object.align }
        : { ...head, kind: 'tables', table: object.name };
    }
  }
  throw new Error(`${name}: a type that the verifier does not know (base ${base}, element ${element})`);
}

/** @throws Error when the schema uses a type that the verifier does not know */
export function reflect(bfbs: Uint8Array): { schema: Schema; structs: Record<string, StructShape> } {
  const bb = new ByteBuffer(bfbs);
  const root = new Node(bb, bb.readInt32(0));
  const objects = root.nodes(0).map(entity);
  const source: Source = { objects, unions: root.nodes(1).map((node) => members(node, objects)) };
  const tables: Record<string, FieldShape[]> = {};
  const structs: Record<string, StructShape> = {};
  for (const { name, isStruct, size, align, fields } of objects) {
    if (isStruct) {
      const offsets = Object.fromEntries(fields.map((f) => [f.text(0), f.u16(3)]));
      structs[name] = { size, align, offsets };
    } else tables[name] = fields.map((f) => field(source, f)).filter((f) => f !== undefined);
  }
  // a schema of structs only has no root
  return { schema: { root: root.has(4) ? bare(root.node(4).text(0)) : '', tables }, structs };
}
