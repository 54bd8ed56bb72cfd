/**
 * A letter: one message between entities, as it stands in a ring between two shards (24 words of Int32).
 *
 * ```
 *  0 type  1 counter  2-3 source id  4-5 target id  6 kind  7 item kind  8 item count  9 answer  10-17 four arguments  18 tick
 * ```
 * Floats are carried as two words, so that a ring needs no alignment but its own.
 */
import type { Arena } from '../memory/arena.js';
import { OUTBOX } from '../memory/record.js';
import type { Message } from '../world/facade.js';

export const MAIL = { REQUEST: 1, ANSWER: 2, SETTLE: 3, SETTLED: 4, LOSSY: 5 } as const;

/** Word of the tick in an entry. */
export const TICK = 18;

const pair = new Int32Array(2);
const float = new Float64Array(pair.buffer);

/** A mutable, reused letter. `args` are four numbers of the game's own meaning. */
export class Letter implements Message {
  type = 0;
  counter = 0;
  source = 0;
  target = 0;
  kind = 0;
  /** 255 = carries no items. */
  itemKind = 255;
  itemCount = 0;
  answer = 0;
  /** Tick whose commit sent it: taken in ticks ≥ this one only. */
  tick = 0;
  readonly args = new Float64Array(4);

  write(words: Int32Array, at: number): void {
    words[at] = this.type;
    words[at + 1] = this.counter | 0;
    putFloat(words, at + 2, this.source);
    putFloat(words, at + 4, this.target);
    words[at + 6] = this.kind;
    words[at + 7] = this.itemKind;
    words[at + 8] = this.itemCount | 0;
    words[at + 9] = this.answer;
    for (let i = 0; i < 4; i++) putFloat(words, at + 10 + i * 2, this.args[i]!);
    words[at + TICK] = this.tick;
  }

  read(words: Int32Array, at: number): void {
    this.type = words[at]!;
    this.counter = words[at + 1]! >>> 0;
    this.source = getFloat(words, at + 2);
    this.target = getFloat(words, at + 4);
    this.kind = words[at + 6]!;
    this.itemKind = words[at + 7]!;
    this.itemCount = words[at + 8]! >>> 0;
    this.answer = words[at + 9]!;
    for (let i = 0; i < 4; i++) this.args[i] = getFloat(words, at + 10 + i * 2);
    this.tick = words[at + TICK]!;
  }

  copyFrom(other: Letter): void {
    this.type = other.type;
    this.counter = other.counter;
    this.source = other.source;
    this.target = other.target;
    this.kind = other.kind;
    this.itemKind = other.itemKind;
    this.itemCount = other.itemCount;
    this.answer = other.answer;
    for (let i = 0; i < 4; i++) this.args[i] = other.args[i]!;
  }

  /** Fills everything but `type` and `answer` from an outbox place. */
  fromOutbox(arena: Arena, at: number, source: number): void {
    this.source = source;
    this.target = arena.f64[(at + OUTBOX.target) >> 3]!;
    this.counter = arena.u32[(at + OUTBOX.counter) >> 2]!;
    this.kind = arena.u16[(at + OUTBOX.kind) >> 1]!;
    this.itemKind = arena.u8[at + OUTBOX.itemKind]!;
    this.itemCount = arena.u32[(at + OUTBOX.itemCount) >> 2]!;
    for (let i = 0; i < 4; i++) this.args[i] = arena.f64[((at + OUTBOX.args) >> 3) + i]!;
  }
}

function putFloat(words: Int32Array, at: number, value: number): void {
  float[0] = value;
  words[at] = pair[0]!;
  words[at + 1] = pair[1]!;
}

function getFloat(words: Int32Array, at: number): number {
  pair[0] = words[at]!;
  pair[1] = words[at + 1]!;
  return float[0]!;
}
