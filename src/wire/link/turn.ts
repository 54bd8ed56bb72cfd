/**
 * Turns of a link: what one process has to say to another in one turn of its event loop, joined into one write and applied
 * as a whole by the other end. One writer and one reader for each direction; neither blocks.
 *
 * ```
 *  turn    u32 bytes of it all │ u32 number │ u32 newest turn heard │ u32 lateness, ms │ record │ record │ …
 *  record  u32 type « 24 + bytes of the body │ u32 subject │ body, filled up to a multiple of 4
 * ```
 * All numbers are little-endian. What a subject is (a channel, a topic) depends on the type; who owns a type writes and
 * reads its body, in a file of its own in this folder. A turn without records is a sign of life.
 */
import { assert } from '../../base/assert.js';
import { LIMITS } from '../../base/limits.js';
import { assertLittleEndian } from '../layout.js';
import { u32 } from '../bytes.js';

export const TURN_HEAD_BYTES = 16;
const RECORD_HEAD_BYTES = 8;
const FIRST_BYTES = 64 * 1024;
/** Buffers that are kept for the next turns; more are left to the collector. */
const SPARE_BUFFERS = 4;
const TYPE_SHIFT = 24;
/** Longest body of a record. */
export const MOST_BODY_BYTES = 2 ** TYPE_SHIFT - 1;

/** Lays records side by side until the turn is taken. */
export class TurnWriter {
  /** Bytes of the turn in hand; the bodies that `begin` has made room for are written here. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES);
  private words = new Int32Array(this.bytes.buffer);
  private at = TURN_HEAD_BYTES;
  private number = 0;
  private readonly spares: Uint8Array<ArrayBuffer>[] = [];

  constructor() {
    assertLittleEndian();
  }

  get isEmpty(): boolean {
    return this.at === TURN_HEAD_BYTES;
  }
  /** Bytes so far. */
  get length(): number {
    return this.at;
  }
  /** Of the turn that was taken last; 0 = none was. */
  get newest(): number {
    return this.number;
  }

  /** Begins a record. @returns byte of `bytes` at which its body starts, a multiple of 4 */
  begin(type: number, subject: number, bodyBytes: number): number {
    assert(bodyBytes <= MOST_BODY_BYTES, 'I7 a record of a link is bounded');
    const body = this.at + RECORD_HEAD_BYTES;
    const end = body + ((bodyBytes + 3) & ~3);
    if (end > this.bytes.length) this.grow(end);
    const w = this.at >> 2;
    this.words[w] = (type << TYPE_SHIFT) | bodyBytes;
    this.words[w + 1] = subject;
    this.at = end;
    return body;
  }

  /** A record whose body is these bytes. */
  put(type: number, subject: number, body: Uint8Array): void {
    const at = this.begin(type, subject, body.length); // first: it may make room, and `bytes` another buffer
    this.bytes.set(body, at);
  }

  /** Ends the turn. @param heard newest turn of the other end that was applied @param lateMs how late this end is to its turns */
  take(heard: number, lateMs: number): Uint8Array<ArrayBuffer> {
    const { words } = this;
    this.number = (this.number + 1) >>> 0;
    words[0] = this.at;
    words[1] = this.number;
    words[2] = heard;
    words[3] = Math.min(lateMs, 0x7fffffff);
    const turn = this.bytes.subarray(0, this.at);
    this.use(this.spares.pop() ?? new Uint8Array(FIRST_BYTES));
    this.at = TURN_HEAD_BYTES;
    return turn;
  }

  /** A turn that was taken has been written: its memory may be used again. */
  giveBack(turn: Uint8Array<ArrayBuffer>): void {
    const buffer = new Uint8Array(turn.buffer);
    // A turn of an exceptional size is not kept for ever.
    if (this.spares.length < SPARE_BUFFERS && buffer.length <= LIMITS.linkFullBytes / 4)
      this.spares.push(buffer);
  }

  private grow(least: number): void {
    const larger = new Uint8Array(Math.max(least, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.at));
    this.use(larger);
  }

  private use(buffer: Uint8Array<ArrayBuffer>): void {
    this.bytes = buffer;
    this.words = new Int32Array(buffer.buffer, 0, buffer.length >> 2);
  }
}

/** A cursor over the records of one whole turn. Valid, like every body it shows, until the reader is fed again. */
export class TurnView {
  bytes: Uint8Array = new Uint8Array(0);
  number = 0;
  /** Newest turn of ours that the other end has applied. */
  heard = 0;
  /** How late the other end is to its turns, ms. */
  lateMs = 0;
  type = 0;
  subject = 0;
  /** First byte of the body, and bytes of it. */
  at = 0;
  length = 0;
  private end = 0;
  private next_ = 0;

  /** @param from first byte of a whole turn */
  open(bytes: Uint8Array, from: number, end: number): this {
    this.bytes = bytes;
    this.number = u32(bytes, from + 4);
    this.heard = u32(bytes, from + 8);
    this.lateMs = u32(bytes, from + 12);
    this.next_ = from + TURN_HEAD_BYTES;
    this.end = end;
    return this;
  }

  get isEmpty(): boolean {
    return this.next_ >= this.end;
  }

  /** Goes to the next record. @returns false at the end of the turn */
  next(): boolean {
    if (this.next_ >= this.end) return false;
    const { bytes, next_: at } = this;
    this.type = bytes[at + 3];
    this.length = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
    this.subject = u32(bytes, at + 4);
    this.at = at + RECORD_HEAD_BYTES;
    this.next_ = this.at + ((this.length + 3) & ~3);
    return true;
  }

  /** Whether the record behind this one has this type and subject. */
  isFollowedBy(type: number, subject: number): boolean {
    const { bytes, next_: at } = this;
    return at < this.end && bytes[at + 3] === type && u32(bytes, at + 4) === subject;
  }

  /** The body where it lies. */
  body(): Uint8Array {
    return this.bytes.subarray(this.at, this.at + this.length);
  }
}

/** Whether the records of a turn fill it exactly: then reading them stays inside. */
function isWhole(bytes: Uint8Array, from: number, end: number): boolean {
  let at = from + TURN_HEAD_BYTES;
  while (at < end) {
    if (at + RECORD_HEAD_BYTES > end) return false;
    const length = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
    at += RECORD_HEAD_BYTES + ((length + 3) & ~3);
  }
  return at === end;
}

/** Cuts a stream of bytes into turns. What is not whole yet is kept, never more than one turn. */
export class TurnReader {
  private readonly view = new TurnView();
  private kept = new Uint8Array(FIRST_BYTES);
  private length = 0;

  /** @param mostBytes of one turn; a longer one is refused before its bytes are kept */
  constructor(public mostBytes: number) {}

  /**
   * @param apply called for each turn that is whole now; @returns false: take no more
   * @returns bytes taken (all of them, but where `apply` wanted no more); −1: they are no turns, and the stream cannot be
   * understood any more
   */
  feed(chunk: Uint8Array, apply: (turn: TurnView) => boolean): number {
    let at = 0;
    while (at < chunk.length) {
      if (this.length === 0) {
        // Most turns of a quiet link come in one piece: they are applied where they lie.
        const size = chunk.length - at < 4 ? 0 : u32(chunk, at);
        if (size !== 0 && !this.isSound(size)) return -1;
        if (size !== 0 && at + size <= chunk.length) {
          if (!isWhole(chunk, at, at + size)) return -1;
          at += size;
          if (!apply(this.view.open(chunk, at - size, at))) return at;
          continue;
        }
      }
      at += this.keep(chunk, at);
      if (this.length < 4) continue;
      const size = u32(this.kept, 0);
      if (!this.isSound(size)) return -1;
      if (this.length < size) continue;
      this.length = 0;
      if (!isWhole(this.kept, 0, size)) return -1;
      if (!apply(this.view.open(this.kept, 0, size))) return at;
    }
    return at;
  }

  private isSound(size: number): boolean {
    return size >= TURN_HEAD_BYTES && size <= this.mostBytes && (size & 3) === 0;
  }

  /** Keeps what belongs to the turn in hand. @returns bytes taken */
  private keep(chunk: Uint8Array, from: number): number {
    const size = this.length < 4 ? 4 : u32(this.kept, 0);
    const taken = Math.min(size - this.length, chunk.length - from);
    if (size > this.kept.length) {
      const larger = new Uint8Array(size);
      larger.set(this.kept.subarray(0, this.length));
      this.kept = larger;
    }
    this.kept.set(chunk.subarray(from, from + taken), this.length);
    this.length += taken;
    return taken;
  }
}
