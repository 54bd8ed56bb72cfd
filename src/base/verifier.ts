/**
 * The verifier of untrusted FlatBuffers, driven by the schema. Contract: `verify` never throws, never reads outside the
 * bytes, allocates nothing, and its work is bounded by the length of the message and `maxTables`; what it accepts can
 * be read by generated or hand-written readers of that schema without any further check of bounds.
 *
 * What it holds of an accepted message: root, tables, vtables, fields, vectors, strings lie inside and where their
 * alignment (relative to the first byte) wants them; strings end with a zero byte; unions have a known type and a value
 * or neither; required fields are there. Unknown fields of a newer schema are passed over: nobody reads them.
 *
 * The schema is compiled into one flat Int32Array, interpreted: measured faster than a closure for each field, since
 * those calls become megamorphic. A table: number of fields, then four words a field:
 *
 *   | vtable entry | kind, + REQUIRED | size, or place of table or union | alignment − 1 |
 *
 * A union: number of tags, then the place of the table of each (−1 = no such tag).
 */
import { FAULT } from './fault.js';
import type { FieldShape, Schema } from './schema-shape.js';

const KIND = { inline: 0, vector: 1, string: 2, strings: 3, table: 4, tables: 5, union: 6 } as const;
const REQUIRED = 8;
const FIELD_WORDS = 4;

export interface VerifierOptions {
  /** longest message, bytes */
  maxBytes: number;
  /** most tables in a message; shared ones count each time that they are reached */
  maxTables: number;
  /** deepest nesting of tables; the root is 1 */
  maxDepth: number;
  /** For tests of the tests only: compiles a verifier without this check, which their harness has to find. */
  hole?: 'fields' | 'vectors' | 'unions';
}

export class Verifier {
  private readonly program: Int32Array;
  private readonly root: number;
  private readonly maxBytes: number;
  private readonly maxTables: number;
  private readonly maxDepth: number;
  private tables = 0;

  constructor(schema: Schema, options: VerifierOptions) {
    const { words, root } = compile(schema, options.hole);
    this.program = Int32Array.from(words);
    this.root = root;
    this.maxBytes = options.maxBytes;
    this.maxTables = options.maxTables;
    this.maxDepth = options.maxDepth;
  }

  /** @returns a number of FAULT, 0 = fine */
  verify(bytes: Uint8Array): number {
    const n = bytes.length;
    if (n < 8) return FAULT.TOO_SHORT;
    if (n > this.maxBytes) return FAULT.TOO_LONG;
    this.tables = 0;
    return this.table(bytes, n, offset(bytes, n, 0), this.root, 1);
  }

  /** @param at byte of the table, −1 = its offset leads nowhere; @param place of its description */
  private table(b: Uint8Array, n: number, at: number, place: number, depth: number): number {
    if (at < 0) return FAULT.TABLE_BOUNDS;
    if ((at & 3) !== 0) return FAULT.ALIGNMENT;
    if (depth > this.maxDepth) return FAULT.DEPTH;
    if (++this.tables > this.maxTables) return FAULT.TABLES;
    const vtable = at - i32(b, at);
    if (vtable < 0 || vtable > n - 4) return FAULT.VTABLE_BOUNDS;
    if ((vtable & 1) !== 0) return FAULT.ALIGNMENT;
    const entries = u16(b, vtable);
    if (entries < 4 || (entries & 1) !== 0 || vtable + entries > n) return FAULT.VTABLE_BOUNDS;
    const size = u16(b, vtable + 2);
    if (size < 4 || at + size > n) return FAULT.TABLE_BOUNDS;
    const program = this.program;
    const end = place + 1 + program[place] * FIELD_WORDS;
    for (let field = place + 1; field < end; field += FIELD_WORDS) {
      const entry = program[field];
      const kind = program[field + 1];
      const inside = entry < entries ? u16(b, vtable + entry) : 0;
      if ((kind & 7) === KIND.union) {
        const tagInside = entry - 2 < entries ? u16(b, vtable + entry - 2) : 0;
        const fault = this.union(b, n, at, size, tagInside, inside, field, depth);
        if (fault !== 0) return fault;
        continue;
      }
      if (inside === 0) {
        if (kind >= REQUIRED) return FAULT.REQUIRED;
        continue;
      }
      const bytes = (kind & 7) === KIND.inline ? program[field + 2] : 4;
      const mask = (kind & 7) === KIND.inline ? program[field + 3] : 3;
      if (inside < 4 || inside + bytes > size) return FAULT.FIELD_BOUNDS;
      if (((at + inside) & mask) !== 0) return FAULT.ALIGNMENT;
      if ((kind & 7) === KIND.inline) continue;
      const fault = this.reference(b, n, offset(b, n, at + inside), field, depth);
      if (fault !== 0) return fault;
    }
    return FAULT.OK;
  }

  /** What a field of another kind than inline points to. @param at −1 = nowhere */
  private reference(b: Uint8Array, n: number, at: number, field: number, depth: number): number {
    const program = this.program;
    switch (program[field + 1] & 7) {
      case KIND.vector:
        return vector(b, n, at, program[field + 2], program[field + 3]);
      case KIND.string:
        return string(b, n, at);
      case KIND.table:
        return this.table(b, n, at, program[field + 2], depth + 1);
      default:
        return this.offsets(b, n, at, field, depth);
    }
  }

  /** A vector of strings or tables. */
  private offsets(b: Uint8Array, n: number, at: number, field: number, depth: number): number {
    const fault = vector(b, n, at, 4, 3);
    if (fault !== 0) return fault;
    const strings = (this.program[field + 1] & 7) === KIND.strings;
    const place = this.program[field + 2];
    const end = at + 4 + i32(b, at) * 4;
    for (let entry = at + 4; entry < end; entry += 4) {
      const target = offset(b, n, entry);
      const bad = strings ? string(b, n, target) : this.table(b, n, target, place, depth + 1);
      if (bad !== 0) return bad;
    }
    return FAULT.OK;
  }

  private union(
    b: Uint8Array,
    n: number,
    at: number,
    size: number,
    tagInside: number,
    inside: number,
    field: number,
    depth: number,
  ): number {
    const program = this.program;
    if (tagInside !== 0 && (tagInside < 4 || tagInside >= size)) return FAULT.FIELD_BOUNDS;
    const tag = tagInside === 0 ? 0 : b[at + tagInside];
    if (tag === 0 && inside === 0) return program[field + 1] >= REQUIRED ? FAULT.REQUIRED : FAULT.OK;
    if (tag === 0 || inside === 0) return FAULT.UNION_VALUE;
    const members = program[field + 2];
    const place = tag < program[members] ? program[members + 1 + tag] : -1;
    if (place === -1) return FAULT.UNION_TAG;
    if (place === -2) return FAULT.OK; // only in a verifier with a hole
    if (inside < 4 || inside + 4 > size) return FAULT.FIELD_BOUNDS;
    if (((at + inside) & 3) !== 0) return FAULT.ALIGNMENT;
    return this.table(b, n, offset(b, n, at + inside), place, depth + 1);
  }
}

function u16(b: Uint8Array, at: number): number {
  return b[at] | (b[at + 1] << 8);
}

function i32(b: Uint8Array, at: number): number {
  return b[at] | (b[at + 1] << 8) | (b[at + 2] << 16) | (b[at + 3] << 24);
}

/**
 * Follows the offset at `at` (its four bytes are inside). Offsets are unsigned; one of 2³¹ or more leads out of any
 * message and reads as negative here. @returns a place with at least four bytes, or −1
 */
function offset(b: Uint8Array, n: number, at: number): number {
  const by = i32(b, at);
  return by < 4 || by > n - 4 - at ? -1 : at + by;
}

function vector(b: Uint8Array, n: number, at: number, size: number, mask: number): number {
  if (at < 0) return FAULT.VECTOR_BOUNDS;
  if ((at & 3) !== 0) return FAULT.ALIGNMENT;
  const count = i32(b, at);
  // the product of two int32 is exact in a float64
  if (count < 0 || count * size > n - at - 4) return FAULT.VECTOR_BOUNDS;
  return count > 0 && ((at + 4) & mask) !== 0 ? FAULT.ALIGNMENT : FAULT.OK;
}

function string(b: Uint8Array, n: number, at: number): number {
  if (at < 0) return FAULT.VECTOR_BOUNDS;
  if ((at & 3) !== 0) return FAULT.ALIGNMENT;
  const length = i32(b, at);
  if (length < 0 || length >= n - at - 4) return FAULT.VECTOR_BOUNDS;
  return b[at + 4 + length] === 0 ? FAULT.OK : FAULT.STRING_END;
}

/** Lays the tables out one after another, then the unions. */
function compile(schema: Schema, hole?: VerifierOptions['hole']): { words: number[]; root: number } {
  const places = new Map<string, number>();
  let end = 0;
  for (const [name, fields] of Object.entries(schema.tables)) {
    places.set(name, end);
    end += 1 + fields.length * FIELD_WORDS;
  }
  const words: number[] = [];
  const unions: number[] = [];
  const placeOf = (name: string): number => {
    const place = places.get(name);
    if (place === undefined) throw new Error(`the schema has no table ${name}`);
    return place;
  };
  const third = (field: FieldShape): number => {
    if (field.kind === 'inline') return hole === 'fields' ? -0x10000 : field.size;
    if (field.kind === 'vector') return hole === 'vectors' ? 0 : field.size;
    if (field.kind === 'table' || field.kind === 'tables') return placeOf(field.table);
    if (field.kind !== 'union') return 0;
    const place = end + unions.length;
    unions.push(field.members.length);
    for (const member of field.members)
      unions.push(member === '' ? -1 : hole === 'unions' ? -2 : placeOf(member));
    return place;
  };
  for (const fields of Object.values(schema.tables)) {
    words.push(fields.length);
    for (const field of fields) {
      const mask = 'align' in field ? field.align - 1 : 0;
      words.push(4 + field.slot * 2, KIND[field.kind] + (field.required ? REQUIRED : 0), third(field), mask);
    }
  }
  return { words: [...words, ...unions], root: placeOf(schema.root) };
}
