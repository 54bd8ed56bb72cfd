/**
 * Writes CellFrames into its own scratch, front to back, without allocating; about 10 ns a state. Contract: begin, then
 * closes, states, moves, removals, events in this order, then finish; what does not fit is left out and counted, never an
 * overrun. One writer belongs to one thread; the bytes are valid until the next begin.
 *
 *   0 ServerMessage (layout.ts) | 24 vtable of CellFrame | CellFrame | closes | states | moves | removals | vtable of
 *   Event, offsets, then per event: table 32 bytes, payload
 *
 * Of vtable and table there are two layouts: the shorter one has no `taken`, which only key frames of gateways need.
 * Each part starts where its alignment wants it; an empty one is absent. Offsets in FlatBuffers only point forward, so
 * the events are written first and moved up by the size of their offsets at the end.
 */
import { assert } from '../base/assert.js';
import { LIMITS } from '../base/limits.js';
import { TWO_32 } from './bytes.js';
import { BODY_VTABLE, assertLittleEndian, vtable, writeServerMessage, writeVtable } from './layout.js';
import { MOVE_EPOCHS, SERVER } from './protocol.js';

const CLOSES = 0;
const STATES = 1;
const MOVES = 2;
const REMOVALS = 3;
const EVENTS = 4;
const ELEMENT_BYTES = [4, 32, 16, 24, 0] as const;
/** Of each part: its field in the schema, and the place of its offset in the table. */
const SLOT = [5, 6, 10, 7, 8] as const;
const OFFSET_AT = [24, 28, 40, 32, 36] as const;
const SQUARE_AT = 44;
const TAKEN_AT = 48;

/** The bytes before the first part, and where the table begins among them. */
interface Head {
  readonly words: Int32Array;
  readonly table: number;
  readonly parts: number;
}

/** @param table byte of the table, which follows its vtable */
function head(table: number, size: number, fields: readonly number[]): Head {
  const parts = table + size;
  const words = new Int32Array(parts >> 2);
  const view = new DataView(words.buffer);
  writeServerMessage(view, 0, SERVER.CELL_FRAME, table);
  writeVtable(view, BODY_VTABLE, vtable(size, fields));
  words[table >> 2] = table - BODY_VTABLE;
  return { words, table, parts };
}

/** cell_x … previous, then the offsets, square, moves, interval */
const FIELDS = [4, 8, 12, 16, 20, 24, 28, 32, 36, SQUARE_AT, 40, SQUARE_AT + 2] as const;
const SHORT = head(52, 48, FIELDS);
const LONG = head(56, 52, [...FIELDS, TAKEN_AT]);

/** 0 −vtable, 4 → payload, 8 id, 16 source, 24 kind, 26 x, 28 y; then 32 payload */
const EVENT_VTABLE = vtable(30, [8, 16, 24, 26, 28, 4]);
const EVENT_TABLE = 32;

/** Room for one more of anything: the largest event with its share of offsets, and the vtable and padding. */
const ROOM = 16 + 16 + 8 + EVENT_TABLE + 8 + LIMITS.actionPayloadBytes;

export class CellFrameWriter {
  readonly bytes: Uint8Array;
  /** How many were written since begin, and how many of anything did not fit. */
  closes = 0;
  states = 0;
  moves = 0;
  removals = 0;
  events = 0;
  dropped = 0;
  private readonly words: Int32Array;
  private readonly view16: DataView;
  /** Where each part begins, 0 = absent: the length word, of events their vtable. */
  private readonly parts = new Int32Array(5);
  private readonly id = new Float64Array(1);
  private head = SHORT;
  private part = CLOSES;
  private end = SHORT.parts;

  /** @param bytes size of the scratch, a multiple of 8 */
  constructor(bytes: number) {
    assert(bytes >= LONG.parts + ROOM && bytes % 8 === 0, 'I7 the scratch holds a frame');
    assertLittleEndian();
    const buffer = new ArrayBuffer(bytes);
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.view16 = new DataView(buffer);
  }

  /**
   * @param previous tick of the stream's frame before, 0 = key frame; see CellFrame in server.fbs
   * @param taken tick of the states if it is not the frame's, else 0
   */
  begin(
    cellX: number,
    cellY: number,
    publisher: number,
    tick: number,
    previous: number,
    square = 0,
    interval = 0,
    taken = 0,
  ): void {
    const { words } = this;
    const layout = taken === 0 ? SHORT : LONG;
    for (let i = 0; i < layout.words.length; i++) words[i] = layout.words[i];
    const at = (layout.table + 4) >> 2;
    words[at] = cellX;
    words[at + 1] = cellY;
    words[at + 2] = publisher;
    words[at + 3] = tick;
    words[at + 4] = previous;
    words[(layout.table + SQUARE_AT) >> 2] = square | (interval << 16);
    if (taken !== 0) words[(layout.table + TAKEN_AT) >> 2] = taken;
    this.closes = this.states = this.moves = this.removals = this.events = this.dropped = 0;
    this.parts.fill(0);
    this.head = layout;
    this.part = CLOSES;
    this.end = layout.parts;
  }

  /** Whether the next one of anything might be left out. */
  get full(): boolean {
    return this.end + this.events * 4 + ROOM > this.bytes.length;
  }

  /** The stream of this publisher ends. */
  close(publisher: number): void {
    const at = this.place(CLOSES);
    if (at < 0) return;
    this.words[at >> 2] = publisher;
    this.closes++;
  }

  /** @param qx, qy 1/65536 of the cell from its west and south edge @param vx, vy cm/s, int16 */
  state(
    id: number,
    epoch: number,
    qx: number,
    qy: number,
    vx: number,
    vy: number,
    kind: number,
    flags: number,
    pub0: number,
    pub1: number,
  ): void {
    this.id[0] = id;
    this.stateAt(this.id, 0, epoch, qx, qy, vx, vy, kind, flags, pub0, pub1);
  }

  /** The same with the id at a place of an array (why: `columnAt`, geo/tile.ts). */
  stateAt(
    ids: Float64Array,
    idAt: number,
    epoch: number,
    qx: number,
    qy: number,
    vx: number,
    vy: number,
    kind: number,
    flags: number,
    pub0: number,
    pub1: number,
  ): void {
    const id = ids[idAt];
    const at = this.place(STATES) >> 2;
    if (at < 0) return;
    const { words } = this;
    words[at] = id;
    words[at + 1] = id / TWO_32;
    words[at + 2] = epoch;
    words[at + 3] = (qx & 0xffff) | (qy << 16);
    words[at + 4] = (vx & 0xffff) | (vy << 16);
    words[at + 5] = (kind & 0xffff) | (flags << 16);
    words[at + 6] = pub0;
    words[at + 7] = pub1;
    this.states++;
  }

  /** An entity that this stream has shown in full; the rest of its state is as it was. Units as of `state`. */
  move(id: number, epoch: number, qx: number, qy: number, vx: number, vy: number): void {
    this.id[0] = id;
    this.moveAt(this.id, 0, epoch, qx, qy, vx, vy);
  }

  /** The same with the id at a place of an array. */
  moveAt(
    ids: Float64Array,
    idAt: number,
    epoch: number,
    qx: number,
    qy: number,
    vx: number,
    vy: number,
  ): void {
    const id = ids[idAt];
    const at = this.place(MOVES) >> 2;
    if (at < 0) return;
    const { words } = this;
    words[at] = id;
    words[at + 1] = (id / TWO_32) | ((epoch % MOVE_EPOCHS) << 21);
    words[at + 2] = (qx & 0xffff) | (qy << 16);
    words[at + 3] = (vx & 0xffff) | (vy << 16);
    this.moves++;
  }

  /** @param toX, toY cell that it went to, or GONE */
  removal(id: number, epoch: number, toX: number, toY: number): void {
    const at = this.place(REMOVALS) >> 2;
    if (at < 0) return;
    const { words } = this;
    words[at] = id;
    words[at + 1] = id / TWO_32;
    words[at + 2] = epoch;
    words[at + 3] = toX;
    words[at + 4] = toY;
    words[at + 5] = 0;
    this.removals++;
  }

  /** @param length bytes of `from` at `offset`, at most actionPayloadBytes */
  event(
    id: number,
    source: number,
    kind: number,
    qx: number,
    qy: number,
    from: Uint8Array,
    offset: number,
    length: number,
  ): void {
    assert(length >= 0 && length <= LIMITS.actionPayloadBytes, 'I7 the payload of an event is bounded');
    if (this.full) {
      this.dropped++;
      return;
    }
    if (this.part !== EVENTS) this.open(EVENTS);
    const { words, bytes, end } = this;
    const at = end >> 2;
    words[at] = 0; // leads to the vtable, known at the end
    words[at + 1] = EVENT_TABLE - 4;
    words[at + 2] = id;
    words[at + 3] = id / TWO_32;
    words[at + 4] = source;
    words[at + 5] = source / TWO_32;
    words[at + 6] = (kind & 0xffff) | (qx << 16);
    words[at + 7] = qy & 0xffff;
    words[at + 8] = length;
    const payload = end + EVENT_TABLE + 4;
    for (let i = 0; i < length; i++) bytes[payload + i] = from[offset + i];
    const next = end + eventBytes(length);
    for (let i = payload + length; i < next; i++) bytes[i] = 0;
    this.end = next;
    this.events++;
  }

  /** @returns length of the message in `bytes` */
  finish(): number {
    const { parts } = this;
    if (this.events > 0) this.placeEvents();
    this.refer(CLOSES, parts[CLOSES], this.closes);
    this.refer(STATES, parts[STATES], this.states);
    this.refer(MOVES, parts[MOVES], this.moves);
    this.refer(REMOVALS, parts[REMOVALS], this.removals);
    this.refer(EVENTS, this.events === 0 ? 0 : parts[EVENTS] + 16, this.events);
    return this.end;
  }

  /** The first bytes of the scratch: the message. Allocates the view, not the bytes. */
  view(bytes: number): Uint8Array {
    return this.bytes.subarray(0, bytes);
  }

  /** Room for one element of a part, or −1 when it is left out. */
  private place(part: number): number {
    if (this.full) {
      this.dropped++;
      return -1;
    }
    if (this.part !== part || this.parts[part] === 0) this.open(part);
    const at = this.end;
    this.end = at + ELEMENT_BYTES[part];
    return at;
  }

  /** Begins a part: leaves its length word, or for events their vtable, so that what follows is aligned. */
  private open(part: number): void {
    assert(part >= this.part, 'closes, states, moves, removals, events: in this order');
    this.part = part;
    const { words } = this;
    if (part === EVENTS) {
      if ((this.end & 7) !== 0) words[this.end >> 2] = 0;
      const at = (this.end + 7) & ~7;
      writeVtable(this.view16, at, EVENT_VTABLE);
      this.parts[part] = at;
      this.end = at + 16;
      return;
    }
    let at = this.end;
    if (part !== CLOSES && (at & 7) === 0) {
      words[at >> 2] = 0;
      at += 4;
    }
    this.parts[part] = at;
    this.end = at + 4;
  }

  /** Vtable entry, offset and length word of a part; the entry of an absent one is 0. */
  private refer(part: number, at: number, count: number): void {
    this.view16.setUint16(BODY_VTABLE + 4 + SLOT[part] * 2, at === 0 ? 0 : OFFSET_AT[part], true);
    const field = this.head.table + OFFSET_AT[part];
    this.words[field >> 2] = at === 0 ? 0 : at - field;
    if (at !== 0) this.words[at >> 2] = count;
  }

  /** Moves the events up behind their offsets and makes both ends meet. */
  private placeEvents(): void {
    const { words, bytes } = this;
    const vtableAt = this.parts[EVENTS];
    const from = vtableAt + 16;
    const room = (4 + this.events * 4 + 7) & ~7;
    bytes.copyWithin(from + room, from, this.end);
    words[(from + room - 4) >> 2] = 0;
    let at = from + room;
    for (let i = 0; i < this.events; i++) {
      const entry = from + 4 + i * 4;
      words[entry >> 2] = at - entry;
      words[at >> 2] = at - vtableAt;
      at += eventBytes(words[(at + EVENT_TABLE) >> 2]);
    }
    this.end += room;
  }
}

/** Table, length word and payload, rounded up so that the next table is aligned. */
function eventBytes(payload: number): number {
  return (EVENT_TABLE + 4 + payload + 7) & ~7;
}
