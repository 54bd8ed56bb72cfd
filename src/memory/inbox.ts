/**
 * The inbox of each slot: a ring written by one gateway at a time, the one in its writer word, and read by the slot's
 * owner; a gateway may wait for another one only by asking again at its next turn, the owner never waits.
 *
 * ```
 *  64 B      64 B × n                                 (64 × 192 B) × n
 * ┌────────┬────────────────────────────────────────┬───────────────────────────────┐
 * │ header │ writer tail head presence presenceTick │ place 0 │ place 1 │ … place 63 │
 * └────────┴────────────────────────────────────────┴───────────────────────────────┘
 *   heads apart from places: what is never used costs no memory
 *
 *  writer word   31      30          8 7        1   0         place   0 sessionId f64   8 actionId u32
 *               ┌───┬────────────────┬───────────┬──────┐            12 kind u16       14 length u16
 *               │ 0 │ epoch, 22 bits │  gateway  │ busy │            16 payload, 176 B
 *               └───┴────────────────┴───────────┴──────┘
 *                     gateway 127: nobody, or LEAVING
 * ```
 * Every change of the word is a CAS, but one: the writer that set busy stores its own idle word, since a busy word is
 * changed by nobody else. Order of a write: busy, entry, tail, idle. Tail before entry: the owner reads garbage. Idle
 * before tail: the next gateway reads the old tail and overwrites the entry. Without busy (checking the epoch, then
 * writing): a claim between check and write lets two gateways fill one place.
 * `head` is stored by the owner after its commit only: stored before, a death rolls the record back to entries that a
 * gateway has meanwhile overwritten.
 * Deaths: gateways do not die alone (their death is the process's), so busy words are always released. A dead owner
 * leaves head behind or equal to the record's committed `inboxHead`; its replacement stores it anew.
 */
import { assert } from '../base/assert.js';
import { LIMITS } from '../base/limits.js';
import { LINE, PARAMETERS, checkHeader, isPowerOfTwo, magicOf, writeHeader } from './header.js';
import { type Steps, drive } from './steps.js';

const MAGIC = magicOf('BMin');
const WRITER = 0;
const TAIL = 1;
const HEAD = 2;
const PRESENCE = 3;
const PRESENCE_TICK = 4;
const BUSY = 1;
const PAYLOAD_BYTES = LIMITS.actionPayloadBytes;

/** Bytes of a place. */
export const PLACE_BYTES = 16 + PAYLOAD_BYTES;
/** Byte offsets in a place. */
export const PLACE = { sessionId: 0, actionId: 8, kind: 12, length: 14, payload: 16 } as const;
/** Gateway number in the writer word of an inbox that nobody may write. */
export const LEAVING = 127;
/** Gateway number of one whose client was cut off with its server: nobody writes, any gateway may claim. */
export const AWAY = 126;
/** Highest connection epoch; a claim beyond it is refused, so that no word of an earlier connection comes back (I4). */
export const LAST_CONNECTION_EPOCH = 2 ** 22 - 1;

/** Presence of the session's client. */
export const PRESENCE_STATE = {
  NONE: 0,
  CONNECTED: 1,
  /** Socket gone; the grace time counts from the presence tick. */
  DISCONNECTED: 2,
  /** The client said goodbye. */
  GOODBYE: 3,
} as const;

/** Kinds of entries that are no actions. */
export const CONTROL = {
  /** First kind that is not an action. */
  FIRST: 0xff00,
  /** A new session begins. */
  START: 0xff01,
  /** A session goes on over a new connection. */
  RESUME: 0xff02,
  /** The client asks for its log. */
  LOG: 0xff03,
} as const;

export function packWriter(epoch: number, gateway: number): number {
  return (epoch << 8) | (gateway << 1);
}
/** Connection epoch of a writer word. */
export function writerEpoch(word: number): number {
  return word >>> 8;
}
export function writerGateway(word: number): number {
  return (word >>> 1) & 127;
}
export function writerBusy(word: number): boolean {
  return (word & BUSY) !== 0;
}

/** What a write came to. `taken`: another connection or the owner holds the word now. */
export type WriteResult = 'ok' | 'full' | 'taken';

export class Inboxes {
  readonly capacity: number;
  /** Entries of one inbox. */
  readonly places: number;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  private readonly mask: number;
  private readonly placesStart: number;

  private constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'inboxes');
    this.u32 = new Uint32Array(sab);
    this.f32 = new Float32Array(sab);
    this.f64 = new Float64Array(sab);
    this.u8 = new Uint8Array(sab);
    this.u16 = new Uint16Array(sab);
    this.capacity = this.i32[PARAMETERS];
    this.places = this.i32[PARAMETERS + 1];
    assert(this.i32[PARAMETERS + 2] === PLACE_BYTES, 'inboxes: payload length');
    this.mask = this.places - 1;
    this.placesStart = LINE + this.capacity * LINE;
  }

  /**
   * @param capacity inboxes, one a slot
   * @param places entries of each; power of two
   * @param start first value of tail and head (tests begin near their wrap)
   */
  static create(capacity: number, places: number = LIMITS.inboxPlaces, start = 0): Inboxes {
    assert(isPowerOfTwo(places), 'inboxes: places is a power of two');
    const bytes = LINE + capacity * (LINE + places * PLACE_BYTES);
    assert(capacity > 0 && bytes < 2 ** 31, 'inboxes: offsets are Int32');
    const sab = new SharedArrayBuffer(bytes);
    const i32 = new Int32Array(sab);
    writeHeader(i32, MAGIC, [capacity, places, PLACE_BYTES]);
    for (let slot = 0; slot < capacity; slot++) {
      const at = (LINE + slot * LINE) >> 2;
      i32[at + WRITER] = packWriter(0, LEAVING);
      i32[at + TAIL] = start;
      i32[at + HEAD] = start;
    }
    return new Inboxes(sab);
  }

  /** @throws AssertionError when the buffer does not hold inboxes of this version */
  static from(sab: SharedArrayBuffer): Inboxes {
    return new Inboxes(sab);
  }

  /** Writer word; taken apart by writerEpoch, writerGateway, writerBusy. */
  writer(slot: number): number {
    return Atomics.load(this.i32, this.word(slot) + WRITER);
  }
  /** Position behind the newest entry. */
  tail(slot: number): number {
    return Atomics.load(this.i32, this.word(slot) + TAIL);
  }
  /** Position of the oldest entry whose outcome is not committed, as the writer sees it. */
  head(slot: number): number {
    return Atomics.load(this.i32, this.word(slot) + HEAD);
  }
  /** PRESENCE_STATE of the client. */
  presence(slot: number): number {
    return Atomics.load(this.i32, this.word(slot) + PRESENCE);
  }
  /** Tick in which the presence last changed. */
  presenceTick(slot: number): number {
    return Atomics.load(this.i32, this.word(slot) + PRESENCE_TICK);
  }

  /**
   * Gateway: takes the inbox for a new connection.
   * @param expected the idle word that the caller read and judged (it refuses LEAVING itself, unless it holds the slot)
   * @returns the caller's writer word, never 0; or 0: read `writer` again. Equal to `expected` but for busy: ask again
   *   next turn. Otherwise somebody was faster, or the epochs are used up (LAST_CONNECTION_EPOCH): refuse.
   */
  claim(slot: number, expected: number, gateway: number): number {
    return drive(this.claimSteps(slot, expected, gateway));
  }

  *claimSteps(slot: number, expected: number, gateway: number): Steps<number> {
    if (writerBusy(expected) || writerEpoch(expected) >= LAST_CONNECTION_EPOCH) return 0;
    const mine = packWriter(writerEpoch(expected) + 1, gateway);
    yield;
    return Atomics.compareExchange(this.i32, this.word(slot) + WRITER, expected, mine) === expected
      ? mine
      : 0;
  }

  /**
   * Gateway: appends an entry.
   * @param myWord what `claim` returned
   * @param bytes payload, its first `length` bytes are copied (at most LIMITS.actionPayloadBytes)
   */
  write(
    slot: number,
    myWord: number,
    sessionId: number,
    actionId: number,
    kind: number,
    bytes: Uint8Array,
    length: number,
  ): WriteResult {
    assert(length <= PAYLOAD_BYTES, 'I7: a payload fits in its place'); // before busy is set: it must not stay set
    const at = this.word(slot);
    if (Atomics.compareExchange(this.i32, at + WRITER, myWord, myWord | BUSY) !== myWord) return 'taken';
    const tail = Atomics.load(this.i32, at + TAIL);
    const full = ((tail - Atomics.load(this.i32, at + HEAD)) | 0) >= this.places;
    if (!full) {
      this.fill(this.entry(slot, tail), sessionId, actionId, kind, bytes, length);
      Atomics.store(this.i32, at + TAIL, (tail + 1) | 0);
    }
    Atomics.store(this.i32, at + WRITER, myWord);
    return full ? 'full' : 'ok';
  }

  /** `write` in steps, for models; a test holds the two together. */
  *writeSteps(
    slot: number,
    myWord: number,
    sessionId: number,
    actionId: number,
    kind: number,
    bytes: Uint8Array,
    length: number,
  ): Steps<WriteResult> {
    const at = this.word(slot);
    yield;
    if (Atomics.compareExchange(this.i32, at + WRITER, myWord, myWord | BUSY) !== myWord) return 'taken';
    yield;
    const tail = Atomics.load(this.i32, at + TAIL);
    yield;
    const full = ((tail - Atomics.load(this.i32, at + HEAD)) | 0) >= this.places;
    if (!full) {
      yield;
      this.fill(this.entry(slot, tail), sessionId, actionId, kind, bytes, length);
      yield;
      Atomics.store(this.i32, at + TAIL, (tail + 1) | 0);
    }
    yield;
    Atomics.store(this.i32, at + WRITER, myWord);
    return full ? 'full' : 'ok';
  }

  /**
   * Gateway: tells the owner about the client. Under busy like a write: else the late "disconnected" of an old
   * connection overwrites the "connected" of the new one.
   * @returns false when the word is another connection's
   */
  setPresence(slot: number, myWord: number, presence: number, tick: number): boolean {
    return drive(this.setPresenceSteps(slot, myWord, presence, tick));
  }

  *setPresenceSteps(slot: number, myWord: number, presence: number, tick: number): Steps<boolean> {
    const at = this.word(slot);
    yield;
    if (Atomics.compareExchange(this.i32, at + WRITER, myWord, myWord | BUSY) !== myWord) return false;
    yield;
    // Tick first: the owner that sees the new presence must not count its grace from the old tick.
    Atomics.store(this.i32, at + PRESENCE_TICK, tick);
    yield;
    Atomics.store(this.i32, at + PRESENCE, presence);
    yield;
    Atomics.store(this.i32, at + WRITER, myWord);
    return true;
  }

  /** Byte offset of the entry at a position (PLACE.*); the owner reads those between its head and `tail`. */
  entry(slot: number, position: number): number {
    return this.placesStart + (slot * this.places + (position & this.mask)) * PLACE_BYTES;
  }
  /** Owner: entries from a position (its own head) to the tail. */
  available(slot: number, position: number): number {
    return (this.tail(slot) - position) | 0;
  }
  /** Owner, after its commit: gives the places before `head` back to the writer. */
  publishHead(slot: number, head: number): void {
    Atomics.store(this.i32, this.word(slot) + HEAD, head);
  }

  /**
   * Owner: shuts the inbox, so that no connection can write or claim it any more.
   * @param seen writer word read *before* the presence that the decision rests on; a connection that came between makes
   *   this fail instead of being thrown out
   * @returns false when a gateway is busy or another connection came: decide anew next tick
   */
  leave(slot: number, seen: number = this.writer(slot)): boolean {
    return drive(this.leaveSteps(slot, seen));
  }

  *leaveSteps(slot: number, seen: number): Steps<boolean> {
    if (writerBusy(seen)) return false;
    const left = packWriter(writerEpoch(seen), LEAVING);
    yield;
    return Atomics.compareExchange(this.i32, this.word(slot) + WRITER, seen, left) === seen;
  }

  /**
   * For the thread that holds the slot alone, before it is an entity: empty, written by nobody. The connection epoch
   * goes on, so a gateway that still holds a word of the slot's last life cannot write.
   */
  reset(slot: number): void {
    const at = this.word(slot);
    const word = Atomics.load(this.i32, at + WRITER);
    assert(!writerBusy(word), 'I8: nobody writes the inbox of a free slot');
    Atomics.store(this.i32, at + WRITER, packWriter(writerEpoch(word), LEAVING));
    Atomics.store(this.i32, at + TAIL, 0);
    Atomics.store(this.i32, at + HEAD, 0);
    Atomics.store(this.i32, at + PRESENCE, PRESENCE_STATE.NONE);
    Atomics.store(this.i32, at + PRESENCE_TICK, 0);
  }

  /**
   * The same for a player whose session went on in the store: it may be resumed, and its grace counts from `tick`.
   */
  expect(slot: number, tick: number): void {
    this.reset(slot);
    const at = this.word(slot);
    const word = Atomics.load(this.i32, at + WRITER);
    Atomics.store(this.i32, at + WRITER, packWriter(writerEpoch(word), AWAY));
    Atomics.store(this.i32, at + PRESENCE, PRESENCE_STATE.DISCONNECTED);
    Atomics.store(this.i32, at + PRESENCE_TICK, tick);
  }

  private word(slot: number): number {
    return (LINE + slot * LINE) >> 2;
  }

  private fill(
    entry: number,
    sessionId: number,
    actionId: number,
    kind: number,
    bytes: Uint8Array,
    length: number,
  ): void {
    this.f64[(entry + PLACE.sessionId) >> 3] = sessionId;
    this.u32[(entry + PLACE.actionId) >> 2] = actionId;
    this.u16[(entry + PLACE.kind) >> 1] = kind;
    this.u16[(entry + PLACE.length) >> 1] = length;
    const { u8 } = this;
    for (let i = 0, to = entry + PLACE.payload; i < length; i++) u8[to + i] = bytes[i];
  }
}
