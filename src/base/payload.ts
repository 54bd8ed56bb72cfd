/**
 * Payloads of actions: bytes ↔ numbers, on both sides of the wire. Pure; decoding allocates nothing and never throws.
 *
 * A payload is nothing, a text (1…176 bytes of valid UTF-8), or a FlatBuffers struct: little-endian fields in their
 * declared order, each aligned to its size, the whole rounded up to the largest alignment
 * (https://flatbuffers.dev/internals/, "Structs"). Padding bytes are not looked at.
 */
import { assert } from './assert.js';
import { ERRORS } from './errors.js';
import { LIMITS } from './limits.js';

/** `id` is an entity id: a ulong below 2^53. */
export const FIELD_BYTES = Object.freeze({ f32: 4, f64: 8, u8: 1, u16: 2, u32: 4, i32: 4, id: 8 });
export type FieldType = keyof typeof FIELD_BYTES;
export type PayloadShape = 'none' | 'text' | Readonly<Record<string, FieldType>>;

/** Field of a struct with its byte offset. */
export interface FieldLayout {
  readonly name: string;
  readonly type: FieldType;
  readonly offset: number;
}

export interface StructLayout {
  readonly fields: readonly FieldLayout[];
  readonly bytes: number;
}

/** Where FlatBuffers puts the fields of a struct. */
export function structLayout(shape: Readonly<Record<string, FieldType>>): StructLayout {
  const fields: FieldLayout[] = [];
  let end = 0;
  let alignment = 1;
  for (const [name, type] of Object.entries(shape)) {
    const size = FIELD_BYTES[type];
    const offset = roundUp(end, size);
    fields.push({ name, type, offset });
    end = offset + size;
    alignment = Math.max(alignment, size);
  }
  return { fields, bytes: roundUp(end, alignment) };
}

function roundUp(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple;
}

const OK = 0;
const BAD: number = ERRORS.BAD_PAYLOAD.number;
/** Ids are below 2^53, so their upper word is below 2^21. */
const ID_HIGH_LIMIT = 2 ** 21;

/**
 * Decodes the payloads of one action into `payload`, the same object each time: a struct's fields as numbers, or
 * `bytes` and `length` of a text. The bytes are copied first: what was checked is what is used, whoever shares them.
 */
export class PayloadDecoder {
  readonly payload: object;
  private readonly layout: StructLayout;
  private readonly values: Float64Array;
  private readonly bytes = new Uint8Array(LIMITS.actionPayloadBytes);
  private readonly view = new DataView(this.bytes.buffer);
  private readonly text: { readonly bytes: Uint8Array; length: number } | null;

  constructor(readonly shape: PayloadShape) {
    this.layout = typeof shape === 'string' ? { fields: [], bytes: 0 } : structLayout(shape);
    assert(this.layout.bytes <= this.bytes.length, 'I7: a payload fits an inbox place');
    this.values = new Float64Array(this.layout.fields.length);
    this.text = shape === 'text' ? { bytes: this.bytes, length: 0 } : null;
    this.payload = this.text ?? fieldsOver(this.layout, this.values);
  }

  /** @returns 0, or BAD_PAYLOAD: wrong length, a float that is not finite, an id ≥ 2^53, empty or invalid UTF-8 */
  decode(source: Uint8Array, offset: number, length: number): number {
    const { bytes, layout, text } = this;
    if (text === null ? length !== layout.bytes : length < 1 || length > bytes.length) return BAD;
    for (let i = 0; i < length; i++) bytes[i] = source[offset + i]!;
    if (text !== null) {
      text.length = length;
      return isUtf8(bytes, length) ? OK : BAD;
    }
    for (let i = 0; i < layout.fields.length; i++) {
      const value = readField(this.view, layout.fields[i]!.offset, layout.fields[i]!.type);
      if (Number.isNaN(value)) return BAD;
      this.values[i] = value;
    }
    return OK;
  }
}

/** An object whose fields read from `values`: no boxed numbers, one hidden class for ever. */
function fieldsOver(layout: StructLayout, values: Float64Array): object {
  const payload = {};
  layout.fields.forEach((field, i) => {
    Object.defineProperty(payload, field.name, { get: () => values[i], enumerable: true });
  });
  return Object.freeze(payload);
}

/** The number at `at`, or NaN for one that is not allowed. */
function readField(view: DataView, at: number, type: FieldType): number {
  switch (type) {
    case 'f32':
      return finite(view.getFloat32(at, true));
    case 'f64':
      return finite(view.getFloat64(at, true));
    case 'u8':
      return view.getUint8(at);
    case 'u16':
      return view.getUint16(at, true);
    case 'u32':
      return view.getUint32(at, true);
    case 'i32':
      return view.getInt32(at, true);
    case 'id': {
      const high = view.getUint32(at + 4, true);
      return high < ID_HIGH_LIMIT ? high * 2 ** 32 + view.getUint32(at, true) : NaN;
    }
  }
}

function finite(value: number): number {
  return value - value === 0 ? value : NaN;
}

/**
 * Whether the first `length` bytes are well-formed UTF-8 (The Unicode Standard, table 3-7): no overlong forms,
 * no surrogates, nothing above U+10FFFF, nothing cut off.
 */
export function isUtf8(bytes: Uint8Array, length: number): boolean {
  let i = 0;
  while (i < length) {
    const lead = bytes[i++]!;
    if (lead < 0x80) continue;
    const more = lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1;
    if (more < 0 || i + more > length) return false;
    // The first continuation byte has a narrower range after four of the lead bytes.
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (bytes[i]! < low || bytes[i]! > high) return false;
    for (let j = 1; j < more; j++) if ((bytes[i + j]! & 0xc0) !== 0x80) return false;
    i += more;
  }
  return true;
}

/**
 * The bytes of a payload, for the sender.
 * @param values a text for 'text', every field for a struct, nothing for 'none'
 * @throws AssertionError when a value does not fit its field
 */
export function encodePayload(
  shape: PayloadShape,
  values?: string | Readonly<Record<string, number>>,
): Uint8Array {
  if (shape === 'none') return new Uint8Array(0);
  if (shape === 'text') {
    assert(typeof values === 'string', 'payload: a text is a string');
    const text = new TextEncoder().encode(values);
    assert(text.length >= 1 && text.length <= LIMITS.actionPayloadBytes, 'payload: a text has 1…176 bytes');
    return text;
  }
  assert(typeof values === 'object', 'payload: a struct is given as an object');
  const layout = structLayout(shape);
  const bytes = new Uint8Array(layout.bytes);
  const view = new DataView(bytes.buffer);
  for (const { name, type, offset } of layout.fields) writeField(view, offset, type, values[name], name);
  return bytes;
}

const INTEGER_RANGE = {
  u8: [0, 0xff],
  u16: [0, 0xffff],
  u32: [0, 0xffffffff],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  id: [0, 2 ** 53 - 1],
};

function writeField(
  view: DataView,
  at: number,
  type: FieldType,
  value: number | undefined,
  name: string,
): void {
  assert(
    typeof value === 'number' && Number.isFinite(type === 'f32' ? Math.fround(value) : value),
    `payload: field ${name} is a finite number`,
  );
  if (type === 'f32') return view.setFloat32(at, value, true);
  if (type === 'f64') return view.setFloat64(at, value, true);
  const [low, high] = INTEGER_RANGE[type] as [number, number];
  assert(
    Number.isInteger(value) && value >= low && value <= high,
    `payload: field ${name} is an integer of ${type}`,
  );
  if (type === 'u8') view.setUint8(at, value);
  else if (type === 'u16') view.setUint16(at, value, true);
  else if (type === 'u32') view.setUint32(at, value, true);
  else if (type === 'i32') view.setInt32(at, value, true);
  else {
    view.setUint32(at, value % 2 ** 32, true);
    view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  }
}
