/**
 * A SelfUpdate read in place, out of verified bytes: one reused object. Allocates nothing; valid while the bytes are.
 */
import { fieldAt, follow, i32, u32 } from './bytes.js';

const NOTHING = new Uint8Array(0);

/** Words of the copied values: x and y are doubles, vx, vy and dilation floats. */
const X = 0;
const Y = 2;
const TICK = 4;
const EPOCH = 5;
const VX = 6;
const VY = 7;
const APPLIED = 8;
const DURABLE = 9;
const DILATION = 10;
const WORDS = 12;

/**
 * Units as in server.fbs. The values are copied as bits into memory of its own: a function that returned them as
 * numbers would make the engine box each that is no small integer.
 */
export class SelfUpdateView {
  outcomeCount = 0;
  /** false: the bag is unchanged since the last one that told it */
  hasItems = false;
  itemCount = 0;
  private bytes: Uint8Array = NOTHING;
  private outcomes = 0;
  private items = 0;
  private readonly words = new Int32Array(WORDS);
  private readonly unsigned = new Uint32Array(this.words.buffer);
  private readonly floats = new Float32Array(this.words.buffer);
  private readonly doubles = new Float64Array(this.words.buffer);

  get tick(): number {
    return this.unsigned[TICK];
  }
  get epoch(): number {
    return this.unsigned[EPOCH];
  }
  get x(): number {
    return this.doubles[X >> 1];
  }
  get y(): number {
    return this.doubles[Y >> 1];
  }
  get vx(): number {
    return this.floats[VX];
  }
  get vy(): number {
    return this.floats[VY];
  }
  get applied(): number {
    return this.unsigned[APPLIED];
  }
  get durable(): number {
    return this.unsigned[DURABLE];
  }
  get dilation(): number {
    return this.floats[DILATION];
  }

  /** @param at byte of the SelfUpdate table in verified bytes */
  open(bytes: Uint8Array, at: number): this {
    this.bytes = bytes;
    this.words.fill(0);
    this.floats[DILATION] = 1;
    this.copy(at, 4, TICK, 1);
    this.copy(at, 6, EPOCH, 1);
    this.copy(at, 8, X, 2);
    this.copy(at, 10, Y, 2);
    this.copy(at, 12, VX, 1);
    this.copy(at, 14, VY, 1);
    this.copy(at, 16, APPLIED, 1);
    this.copy(at, 18, DURABLE, 1);
    this.copy(at, 22, DILATION, 1);
    const outcomes = fieldAt(bytes, at, 20);
    const items = fieldAt(bytes, at, 24);
    this.outcomes = outcomes === 0 ? 0 : follow(bytes, outcomes) + 4;
    this.items = items === 0 ? 0 : follow(bytes, items) + 4;
    this.outcomeCount = outcomes === 0 ? 0 : i32(bytes, this.outcomes - 4);
    this.hasItems = items !== 0;
    this.itemCount = items === 0 ? 0 : i32(bytes, this.items - 4);
    return this;
  }

  /** A field that is absent keeps its default. */
  private copy(table: number, entry: number, to: number, count: number): void {
    const at = fieldAt(this.bytes, table, entry);
    if (at === 0) return;
    for (let i = 0; i < count; i++) this.words[to + i] = i32(this.bytes, at + i * 4);
  }

  /** Id of a rejected action. */
  outcomeId(i: number): number {
    return u32(this.bytes, this.outcomes + i * 8);
  }
  outcomeCode(i: number): number {
    return u32(this.bytes, this.outcomes + i * 8 + 4);
  }
  /** How many of item kind i. */
  item(i: number): number {
    return u32(this.bytes, this.items + i * 4);
  }
}
