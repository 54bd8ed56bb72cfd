/**
 * What a shard tells the store: the records of its store ring (byte-ring.ts; one producer, the shard; one consumer, the
 * store thread). Offsets and writers only; when what is pushed is said in cut-block.ts and src/shard.
 *
 * The first of the seven words is the type; the others are a … f, then the body:
 *
 * | type     | a         | b          | c    | d     | e       | f    | body                                           |
 * |----------|-----------|------------|------|-------|---------|------|------------------------------------------------|
 * | RECORD   | slot      | generation | tick | epoch | parked? |      | id f64, birth tick i32, 0 i32, hot, cold        |
 * | GONE     | origin    |            | tick | epoch |         |      | id f64                                         |
 * | TILE     | base tile |            | tick |       |         |      |                                                |
 * | TOTALS   |           |            | tick |       |         |      | created f64[16], consumed f64[16]              |
 * | MARK     | cut       |            | tick |       |         |      |                                                |
 * | TRANSFER | item kind | count      | tick | how   | counter |      | source id f64, from f64, to f64                |
 *
 * RECORD: what stands committed at the end of tick c under the owner epoch d; with e = 1 the entity is PARKED under
 * exactly that epoch. GONE: the entity ended in tick c; its id never returns; origin: HOT.origin. TILE: the natural
 * content of the tile was made in tick c, and is stored as a whole. TOTALS: what this shard number has created and consumed since the process started. MARK: everything
 * that this shard committed up to tick c stands before it. TRANSFER: a line of the journal of `from` and of `to`
 * (source id, counter) is the transfer's id, `how` a TRANSFER_HOW of the one who writes it.
 *
 * Questions of a shard (`loads`, LOAD_WORDS: base tile, tick, id low, id high): a base tile whose resting entities are
 * wanted in the arena, or ENTITY_REQUEST and an entity's id. The way back: an arrivals entry of thread STORE_THREAD with
 * slot LOADED says that all entities of the base tile in word 1 are in the arena again, PARKED; with slot FOUND that
 * the entity (id low, id high in words 1, 2) is in the arena in any state, with slot ABSENT that it is nowhere.
 */
import { LIMITS } from '../base/limits.js';
import type { Arena } from './arena.js';
import { type ByteRing, RECORD_HEADER_BYTES } from './byte-ring.js';
import { COLD_BYTES, HEADER, HOT_BYTES } from './record.js';

/** Thread number of the store: of its reserved slots, and of its arrivals rings. */
export const STORE_THREAD = 100;
/** Arrivals entry with this slot: the base tile in word 1 is loaded. */
export const LOADED = -2;
/** The same: the entity in words 1 and 2 is in the arena / is neither there nor in the store. */
export const FOUND = -3;
export const ABSENT = -4;
/** Instead of a base tile in a question: an entity is wanted. */
export const ENTITY_REQUEST = -1;

/**
 * Bytes of the ring of one shard: a cut pushes whatever changed since the last one in a single tick, at most every
 * record. A ring that was read begins again at its start, so memory is touched only as far as the largest cut went.
 */
export function storeRingBytes(entities: number): number {
  const needed = 2 ** Math.ceil(Math.log2(entities * (RECORD_HEADER_BYTES + STORED_RECORD_BYTES)));
  return Math.min(LIMITS.storeRingBytes, Math.max(2 ** 16, needed));
}
/** Words of a question: base tile or ENTITY_REQUEST, tick, id low, id high. */
export const LOAD_WORDS = 4;
/** Requests that may wait: a shard repeats those that found no place. */
export const LOAD_PLACES = 1024;

export const STORED = { RECORD: 1, GONE: 2, TILE: 3, TOTALS: 4, MARK: 5, TRANSFER: 6 } as const;

/** Byte offsets in the body of a RECORD. */
export const STORED_RECORD = { id: 0, birthTick: 8, hot: 16, cold: 16 + HOT_BYTES } as const;
export const STORED_RECORD_BYTES = 16 + HOT_BYTES + COLD_BYTES;

/**
 * Shard: pushes the record of a slot that it owns, as it stands now.
 * @param tick newest committed tick @param parked whether it is about to be PARKED under its present epoch
 * @returns false when the ring is full
 */
export function pushRecord(
  ring: ByteRing,
  arena: Arena,
  slot: number,
  tick: number,
  parked: boolean,
): boolean {
  const at = ring.reserve(STORED_RECORD_BYTES);
  if (at < 0) return false;
  const header = arena.header(slot);
  words(
    ring,
    at,
    STORED.RECORD,
    slot,
    arena.i32[(header + HEADER.generation) >> 2],
    tick,
    arena.i32[(header + HEADER.epoch) >> 2],
    parked ? 1 : 0,
  );
  const body = at + RECORD_HEADER_BYTES;
  ring.f64[(body + STORED_RECORD.id) >> 3] = arena.f64[(header + HEADER.id) >> 3];
  ring.i32[(body + STORED_RECORD.birthTick) >> 2] = arena.i32[(header + HEADER.birthTick) >> 2];
  ring.i32[(body + STORED_RECORD.birthTick + 4) >> 2] = 0;
  copyWords(arena.i32, arena.hot(slot) >> 2, ring.i32, (body + STORED_RECORD.hot) >> 2, HOT_BYTES >> 2);
  copyWords(arena.i32, arena.cold(slot) >> 2, ring.i32, (body + STORED_RECORD.cold) >> 2, COLD_BYTES >> 2);
  ring.commit(STORED_RECORD_BYTES);
  return true;
}

/** A loop, since `set` would need a view of its own for each copy: a push allocates nothing. @param count multiple of 4 */
function copyWords(from: Int32Array, at: number, to: Int32Array, start: number, count: number): void {
  for (let i = 0; i < count; i += 4) {
    to[start + i] = from[at + i];
    to[start + i + 1] = from[at + i + 1];
    to[start + i + 2] = from[at + i + 2];
    to[start + i + 3] = from[at + i + 3];
  }
}

/** Shard: an entity ended in this tick. @param origin HOT.origin, 0 for a player @returns false when the ring is full */
export function pushGone(ring: ByteRing, id: number, tick: number, epoch: number, origin = 0): boolean {
  const at = ring.reserve(8);
  if (at < 0) return false;
  words(ring, at, STORED.GONE, origin, 0, tick, epoch, 0);
  ring.f64[(at + RECORD_HEADER_BYTES) >> 3] = id;
  ring.commit(8);
  return true;
}

/** Shard: the natural content of a base tile was made in this tick. @returns false when the ring is full */
export function pushTile(ring: ByteRing, tile: number, tick: number): boolean {
  return pushPlain(ring, STORED.TILE, tile, tick);
}

/** Shard: all that it committed up to this tick stands before. @returns false when the ring is full */
export function pushMark(ring: ByteRing, cut: number, tick: number): boolean {
  return pushPlain(ring, STORED.MARK, cut, tick);
}

/** Shard: item totals since the process started. @returns false when the ring is full */
export function pushTotals(
  ring: ByteRing,
  tick: number,
  created: Float64Array,
  consumed: Float64Array,
): boolean {
  const bytes = 2 * LIMITS.itemKinds * 8;
  const at = ring.reserve(bytes);
  if (at < 0) return false;
  words(ring, at, STORED.TOTALS, 0, 0, tick, 0, 0);
  const body = (at + RECORD_HEADER_BYTES) >> 3;
  ring.f64.set(created, body);
  ring.f64.set(consumed, body + LIMITS.itemKinds);
  ring.commit(bytes);
  return true;
}

/** A line of the journal. */
export interface TransferLine {
  /** The transfer's id: entity that sent it, and its counter. */
  source: number;
  counter: number;
  from: number;
  to: number;
  itemKind: number;
  count: number;
  tick: number;
  how: number;
}

/** Shard: a line of the journal. @returns false when the ring is full */
export function pushTransfer(ring: ByteRing, line: TransferLine): boolean {
  const at = ring.reserve(24);
  if (at < 0) return false;
  words(ring, at, STORED.TRANSFER, line.itemKind, line.count, line.tick, line.how, line.counter);
  const body = (at + RECORD_HEADER_BYTES) >> 3;
  ring.f64[body] = line.source;
  ring.f64[body + 1] = line.from;
  ring.f64[body + 2] = line.to;
  ring.commit(24);
  return true;
}

function pushPlain(ring: ByteRing, type: number, a: number, tick: number): boolean {
  const at = ring.reserve(0);
  if (at < 0) return false;
  words(ring, at, type, a, 0, tick, 0, 0);
  ring.commit(0);
  return true;
}

function words(
  ring: ByteRing,
  at: number,
  type: number,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
): void {
  const word = (at >> 2) + 1;
  ring.i32[word] = type;
  ring.i32[word + 1] = a;
  ring.i32[word + 2] = b;
  ring.i32[word + 3] = c;
  ring.i32[word + 4] = d;
  ring.i32[word + 5] = e;
  ring.i32[word + 6] = 0;
}
