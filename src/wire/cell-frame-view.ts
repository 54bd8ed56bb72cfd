/**
 * A CellFrame read in place, out of verified bytes: one reused object, an accessor for each field by index. Allocates
 * nothing; valid while the bytes are. Indices are the caller's to keep in range. (Where the engine does not inline an
 * accessor, it boxes numbers from 2^31 on; ids are far below that for a long time.)
 */
import { fieldAt, follow, i16, i32, u16, u32, u64 } from './bytes.js';

const STATE_BYTES = 32;
const MOVE_BYTES = 16;
const REMOVAL_BYTES = 24;
/** Of the upper half of EntityMove.id. */
const ID_BITS = 21;
const NOTHING = new Uint8Array(0);

export class CellFrameView {
  cellX = 0;
  cellY = 0;
  publisher = 0;
  tick = 0;
  /** 0: a key frame */
  previous = 0;
  /** Square of the cell. */
  square = 0;
  /** Of publisher 0: ticks from one frame with states to the next. */
  interval = 0;
  /** Tick of the states. */
  taken = 0;
  closeCount = 0;
  stateCount = 0;
  moveCount = 0;
  removalCount = 0;
  eventCount = 0;
  /** The message, for the payloads of events. */
  bytes: Uint8Array = NOTHING;
  /** First byte of the first element of each vector. */
  private closes = 0;
  private states = 0;
  private moves = 0;
  private removals = 0;
  private events = 0;

  /** @param at byte of the CellFrame table in verified bytes */
  open(bytes: Uint8Array, at: number): this {
    this.bytes = bytes;
    this.cellX = this.number(at, 4);
    this.cellY = this.number(at, 6);
    this.publisher = this.number(at, 8);
    this.tick = this.number(at, 10);
    this.previous = this.number(at, 12);
    this.closes = this.vector(at, 14);
    this.states = this.vector(at, 16);
    this.removals = this.vector(at, 18);
    this.events = this.vector(at, 20);
    const square = fieldAt(bytes, at, 22);
    this.square = square === 0 ? 0 : bytes[square];
    this.moves = this.vector(at, 24);
    this.interval = this.short(at, 26);
    this.taken = this.number(at, 28) || this.tick;
    this.moveCount = this.count(this.moves);
    this.closeCount = this.count(this.closes);
    this.stateCount = this.count(this.states);
    this.removalCount = this.count(this.removals);
    this.eventCount = this.count(this.events);
    return this;
  }

  /** Publisher whose stream of this cell ends. */
  close(i: number): number {
    return u32(this.bytes, this.closes + i * 4);
  }

  id(i: number): number {
    return u64(this.bytes, this.states + i * STATE_BYTES);
  }
  epoch(i: number): number {
    return u32(this.bytes, this.states + i * STATE_BYTES + 8);
  }
  /** 1/65536 of the cell from its west edge */
  x(i: number): number {
    return u16(this.bytes, this.states + i * STATE_BYTES + 12);
  }
  /** 1/65536 of the cell from its south edge */
  y(i: number): number {
    return u16(this.bytes, this.states + i * STATE_BYTES + 14);
  }
  /** cm/s */
  vx(i: number): number {
    return i16(this.bytes, this.states + i * STATE_BYTES + 16);
  }
  /** cm/s */
  vy(i: number): number {
    return i16(this.bytes, this.states + i * STATE_BYTES + 18);
  }
  kind(i: number): number {
    return u16(this.bytes, this.states + i * STATE_BYTES + 20);
  }
  flags(i: number): number {
    return u16(this.bytes, this.states + i * STATE_BYTES + 22);
  }
  pub0(i: number): number {
    return u32(this.bytes, this.states + i * STATE_BYTES + 24);
  }
  pub1(i: number): number {
    return u32(this.bytes, this.states + i * STATE_BYTES + 28);
  }

  moveId(i: number): number {
    const at = this.moves + i * MOVE_BYTES;
    return (u32(this.bytes, at + 4) % 2 ** ID_BITS) * 2 ** 32 + u32(this.bytes, at);
  }
  /** The lower 11 bits of the owner epoch. */
  moveEpoch(i: number): number {
    return u32(this.bytes, this.moves + i * MOVE_BYTES + 4) >>> ID_BITS;
  }
  moveX(i: number): number {
    return u16(this.bytes, this.moves + i * MOVE_BYTES + 8);
  }
  moveY(i: number): number {
    return u16(this.bytes, this.moves + i * MOVE_BYTES + 10);
  }
  moveVx(i: number): number {
    return i16(this.bytes, this.moves + i * MOVE_BYTES + 12);
  }
  moveVy(i: number): number {
    return i16(this.bytes, this.moves + i * MOVE_BYTES + 14);
  }

  removalId(i: number): number {
    return u64(this.bytes, this.removals + i * REMOVAL_BYTES);
  }
  removalEpoch(i: number): number {
    return u32(this.bytes, this.removals + i * REMOVAL_BYTES + 8);
  }
  /** Column of the cell that it went to, or GONE. */
  removalX(i: number): number {
    return u32(this.bytes, this.removals + i * REMOVAL_BYTES + 12);
  }
  removalY(i: number): number {
    return u32(this.bytes, this.removals + i * REMOVAL_BYTES + 16);
  }

  eventId(i: number): number {
    const at = fieldAt(this.bytes, this.event(i), 4);
    return at === 0 ? 0 : u64(this.bytes, at);
  }
  eventSource(i: number): number {
    const at = fieldAt(this.bytes, this.event(i), 6);
    return at === 0 ? 0 : u64(this.bytes, at);
  }
  eventKind(i: number): number {
    return this.short(this.event(i), 8);
  }
  eventX(i: number): number {
    return this.short(this.event(i), 10);
  }
  eventY(i: number): number {
    return this.short(this.event(i), 12);
  }
  /** First byte of the payload in `bytes`; 0 when there is none. */
  eventPayload(i: number): number {
    return this.vector(this.event(i), 14);
  }
  eventPayloadLength(i: number): number {
    return this.count(this.eventPayload(i));
  }

  private event(i: number): number {
    return follow(this.bytes, this.events + i * 4);
  }
  private number(table: number, entry: number): number {
    const at = fieldAt(this.bytes, table, entry);
    return at === 0 ? 0 : u32(this.bytes, at);
  }
  private short(table: number, entry: number): number {
    const at = fieldAt(this.bytes, table, entry);
    return at === 0 ? 0 : u16(this.bytes, at);
  }
  private vector(table: number, entry: number): number {
    const at = fieldAt(this.bytes, table, entry);
    return at === 0 ? 0 : follow(this.bytes, at) + 4;
  }
  private count(elements: number): number {
    return elements === 0 ? 0 : i32(this.bytes, elements - 4);
  }
}
