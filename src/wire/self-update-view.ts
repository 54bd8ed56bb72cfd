/**
 * A SelfUpdate read in place, out of verified bytes: one reused object. Allocates nothing; valid while the bytes are.
 */
import { f32, f64, fieldAt, follow, i32, u32 } from './bytes.js';

const NOTHING = new Uint8Array(0);

/** Units as in server.fbs. */
export class SelfUpdateView {
  tick = 0;
  epoch = 0;
  x = 0;
  y = 0;
  vx = 0;
  vy = 0;
  applied = 0;
  durable = 0;
  dilation = 1;
  outcomeCount = 0;
  /** false: the bag is unchanged since the last one that told it */
  hasItems = false;
  itemCount = 0;
  private bytes: Uint8Array = NOTHING;
  private outcomes = 0;
  private items = 0;

  /** @param at byte of the SelfUpdate table in verified bytes */
  open(bytes: Uint8Array, at: number): this {
    this.bytes = bytes;
    this.tick = number(bytes, at, 4);
    this.epoch = number(bytes, at, 6);
    this.x = double(bytes, at, 8);
    this.y = double(bytes, at, 10);
    this.vx = float(bytes, at, 12, 0);
    this.vy = float(bytes, at, 14, 0);
    this.applied = number(bytes, at, 16);
    this.durable = number(bytes, at, 18);
    this.dilation = float(bytes, at, 22, 1);
    const outcomes = fieldAt(bytes, at, 20);
    const items = fieldAt(bytes, at, 24);
    this.outcomes = outcomes === 0 ? 0 : follow(bytes, outcomes) + 4;
    this.items = items === 0 ? 0 : follow(bytes, items) + 4;
    this.outcomeCount = outcomes === 0 ? 0 : i32(bytes, this.outcomes - 4);
    this.hasItems = items !== 0;
    this.itemCount = items === 0 ? 0 : i32(bytes, this.items - 4);
    return this;
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

function number(bytes: Uint8Array, table: number, entry: number): number {
  const at = fieldAt(bytes, table, entry);
  return at === 0 ? 0 : u32(bytes, at);
}

function float(bytes: Uint8Array, table: number, entry: number, absent: number): number {
  const at = fieldAt(bytes, table, entry);
  return at === 0 ? absent : f32(bytes, at);
}

function double(bytes: Uint8Array, table: number, entry: number): number {
  const at = fieldAt(bytes, table, entry);
  return at === 0 ? 0 : f64(bytes, at);
}
