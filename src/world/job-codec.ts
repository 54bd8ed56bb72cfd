/**
 * Bytes of a job on its way to the pool and of its result on the way back (rings `jobs` and `results`).
 *
 *     0            8        10     11    12       16
 *     | entity f64 | name u16 | ok u8 | – | json u32 | name, UTF-8 | value, JSON in UTF-8 |
 *
 * Jobs and results have one shape: `value` is the input of a job or its result; `ok` is 1, or 0 where `value` is
 * the text of an error. Numbers are little-endian; the offset is a multiple of 8. Not for the tick path: allocates.
 */

export const JOB_HEADER_BYTES = 16;
/** Longest name of a job in bytes. */
export const JOB_NAME_BYTES = 64;

export interface JobRecord {
  /** Id of the entity that the job was deferred for. */
  entity: number;
  name: string;
  ok: boolean;
  value: unknown;
}

/** A record ready to be copied into a ring. `undefined` is carried as null. Throws what JSON.stringify throws. */
export function encodeJob(record: JobRecord): Uint8Array {
  const encoder = new TextEncoder();
  const name = encoder.encode(record.name);
  if (name.length > JOB_NAME_BYTES) throw new RangeError(`a job's name has at most ${JOB_NAME_BYTES} bytes`);
  const json = encoder.encode(JSON.stringify(record.value) ?? 'null');
  const bytes = new Uint8Array(JOB_HEADER_BYTES + name.length + json.length);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, record.entity, true);
  view.setUint16(8, name.length, true);
  view.setUint8(10, record.ok ? 1 : 0);
  view.setUint32(12, json.length, true);
  bytes.set(name, JOB_HEADER_BYTES);
  bytes.set(json, JOB_HEADER_BYTES + name.length);
  return bytes;
}

/** Reads the record at `offset`; the bytes are copied first, since a decoder may refuse shared memory. */
export function decodeJob(source: Uint8Array, offset: number): JobRecord {
  const view = new DataView(source.buffer, source.byteOffset + offset, JOB_HEADER_BYTES);
  const nameBytes = view.getUint16(8, true);
  const jsonBytes = view.getUint32(12, true);
  const text = source.slice(offset + JOB_HEADER_BYTES, offset + JOB_HEADER_BYTES + nameBytes + jsonBytes);
  const copy = new Uint8Array(text); // own memory, whatever `slice` gave
  const decoder = new TextDecoder();
  return {
    entity: view.getFloat64(0, true),
    name: decoder.decode(copy.subarray(0, nameBytes)),
    ok: view.getUint8(10) === 1,
    value: JSON.parse(decoder.decode(copy.subarray(nameBytes))) as unknown,
  };
}
