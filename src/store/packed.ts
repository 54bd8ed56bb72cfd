/**
 * A transaction as one buffer, so that it goes to the writer's thread by transfer and nothing of it is shared or copied
 * there. Pure; both sides are of the same build, so the bytes have no version.
 *
 * ```
 *  0       1             2               6                                   count of the writes first (u32)
 * ┌───────┬─────────────┬───────────────┬─────────────────────────┬───────┐
 * │ table │ key: parts, │ value length, │ key: f64 each,          │ value │   little-endian, not aligned
 * │       │ 255 = text  │ −1 = remove   │ or u16 length and UTF-8 │       │
 * └───────┴─────────────┴───────────────┴─────────────────────────┴───────┘
 * ```
 * A key of one number and a list of one number are not told apart by their count alone: 0 parts is the number.
 */
import { type Key, TABLES, type Write } from './engine.js';

const HEAD = 6;
const TEXT = 255;
const NUMBER = 0;
const TEXTS = new TextDecoder('utf-8', { ignoreBOM: true });

export function packWrites(writes: readonly Write[]): ArrayBuffer {
  const texts = writes.map(({ key }) => (typeof key === 'string' ? new TextEncoder().encode(key) : null));
  let size = 4;
  writes.forEach(({ key, value }, i) => {
    const text = texts[i];
    const keyBytes = text !== null ? 2 + text.length : typeof key === 'object' ? 8 * key.length : 8;
    size += HEAD + keyBytes + (value?.length ?? 0);
  });
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, writes.length, true);
  let at = 4;
  writes.forEach(({ table, key, value }, i) => {
    bytes[at] = TABLES.indexOf(table);
    view.setInt32(at + 2, value === null ? -1 : value.length, true);
    at = packKey(view, at, key, texts[i]);
    if (value === null) return;
    bytes.set(value, at);
    at += value.length;
  });
  return bytes.buffer;
}

/** @returns behind the key */
function packKey(view: DataView, start: number, key: Key, text: Uint8Array | null): number {
  let at = start + HEAD;
  if (text !== null) {
    view.setUint8(start + 1, TEXT);
    view.setUint16(at, text.length, true);
    new Uint8Array(view.buffer).set(text, at + 2);
    return at + 2 + text.length;
  }
  const parts = typeof key === 'object' ? key : [key as number];
  view.setUint8(start + 1, typeof key === 'object' ? parts.length : NUMBER);
  for (const part of parts) {
    view.setFloat64(at, part, true);
    at += 8;
  }
  return at;
}

/** @returns the writes; their values are views of the buffer */
export function unpackWrites(buffer: ArrayBuffer): Write[] {
  const view = new DataView(buffer);
  const writes: Write[] = [];
  let at = 4;
  for (let left = view.getUint32(0, true); left > 0; left--) {
    const table = TABLES[view.getUint8(at)];
    const parts = view.getUint8(at + 1);
    const length = view.getInt32(at + 2, true);
    at += HEAD;
    let key: Key;
    if (parts === TEXT) {
      const bytes = view.getUint16(at, true);
      key = TEXTS.decode(new Uint8Array(buffer, at + 2, bytes));
      at += 2 + bytes;
    } else {
      const first = at;
      key =
        parts === NUMBER
          ? view.getFloat64(at, true)
          : Array.from({ length: parts }, (_, i) => view.getFloat64(first + 8 * i, true));
      at += 8 * Math.max(1, parts);
    }
    writes.push({ table, key, value: length < 0 ? null : new Uint8Array(buffer, at, length) });
    at += Math.max(0, length);
  }
  return writes;
}
