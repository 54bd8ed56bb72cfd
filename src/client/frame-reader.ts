/**
 * Reads cell frames and self updates out of verified bytes without allocating: one reader per client, what it holds is
 * valid until the next message. Only the head of a frame is read at once; a light client never looks further.
 */
import { f32, f64, fieldAt, follow, i16, i32, u16, u32, u64 } from '../wire/bytes.js';

/** vtable entries of CellFrame and SelfUpdate, 4 + 2 × the number of the field; sizes of their structs. */
const FRAME = {
  cellX: 4,
  cellY: 6,
  publisher: 8,
  tick: 10,
  previous: 12,
  closes: 14,
  states: 16,
  removals: 18,
  events: 20,
};
const EVENT = { id: 4, source: 6, kind: 8, x: 10, y: 12, payload: 14 };
const SELF = {
  tick: 4,
  epoch: 6,
  x: 8,
  y: 10,
  vx: 12,
  vy: 14,
  applied: 16,
  durable: 18,
  outcomes: 20,
  dilation: 22,
  items: 24,
};
const STATE_BYTES = 32;
const REMOVAL_BYTES = 24;
const OUTCOME_BYTES = 8;

function uint(b: Uint8Array, table: number, entry: number): number {
  const at = fieldAt(b, table, entry);
  return at === 0 ? 0 : u32(b, at);
}

function ushort(b: Uint8Array, table: number, entry: number): number {
  const at = fieldAt(b, table, entry);
  return at === 0 ? 0 : u16(b, at);
}

/** Place of a vector's length word, 0 = absent. */
function vector(b: Uint8Array, table: number, entry: number): number {
  const at = fieldAt(b, table, entry);
  return at === 0 ? 0 : follow(b, at);
}

/** What a frame's states, removals and events are told to. Positions are in 1/65536 of the cell's side. */
export interface FrameSink {
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
  ): void;
  /** `toX` = 0xFFFFFFFF: gone. */
  removal(id: number, epoch: number, toX: number, toY: number): void;
  /** `payload` is a part of the message. */
  event(id: number, source: number, kind: number, qx: number, qy: number, payload: Uint8Array): void;
}

const NOTHING = new Uint8Array(0);

export class FrameReader {
  cellX = 0;
  cellY = 0;
  publisher = 0;
  tick = 0;
  previous = 0;
  private bytes: Uint8Array = NOTHING;
  private table = 0;

  open(bytes: Uint8Array, table: number): void {
    this.bytes = bytes;
    this.table = table;
    this.cellX = uint(bytes, table, FRAME.cellX);
    this.cellY = uint(bytes, table, FRAME.cellY);
    this.publisher = uint(bytes, table, FRAME.publisher);
    this.tick = uint(bytes, table, FRAME.tick);
    this.previous = uint(bytes, table, FRAME.previous);
  }

  get closeCount(): number {
    const at = vector(this.bytes, this.table, FRAME.closes);
    return at === 0 ? 0 : i32(this.bytes, at);
  }

  /** Publisher whose stream of this cell ends. */
  closed(i: number): number {
    return u32(this.bytes, vector(this.bytes, this.table, FRAME.closes) + 4 + i * 4);
  }

  get stateCount(): number {
    const at = vector(this.bytes, this.table, FRAME.states);
    return at === 0 ? 0 : i32(this.bytes, at);
  }

  /** Place of an entity's state among the first `limit`, searched from `hint` on; −1 = not there. */
  find(id: number, hint: number, limit: number): number {
    const { bytes } = this;
    const at = vector(bytes, this.table, FRAME.states);
    if (at === 0) return -1;
    const n = Math.min(i32(bytes, at), limit);
    const low = id >>> 0;
    for (let i = 0; i < n; i++) {
      const place = (i + hint) % n;
      const state = at + 4 + place * STATE_BYTES;
      if (u32(bytes, state) === low && u64(bytes, state) === id) return place;
    }
    return -1;
  }

  /** Everything in the frame, in its order. */
  read(sink: FrameSink): void {
    this.readStates(sink);
    this.readRemovals(sink);
    this.readEvents(sink);
  }

  readStates(sink: Pick<FrameSink, 'state'>): void {
    const b = this.bytes;
    const at = vector(b, this.table, FRAME.states);
    if (at === 0) return;
    const end = at + 4 + i32(b, at) * STATE_BYTES;
    for (let s = at + 4; s < end; s += STATE_BYTES) {
      sink.state(
        u64(b, s),
        u32(b, s + 8),
        u16(b, s + 12),
        u16(b, s + 14),
        i16(b, s + 16),
        i16(b, s + 18),
        u16(b, s + 20),
        u16(b, s + 22),
        u32(b, s + 24),
        u32(b, s + 28),
      );
    }
  }

  private readRemovals(sink: FrameSink): void {
    const b = this.bytes;
    const at = vector(b, this.table, FRAME.removals);
    if (at === 0) return;
    const end = at + 4 + i32(b, at) * REMOVAL_BYTES;
    for (let r = at + 4; r < end; r += REMOVAL_BYTES)
      sink.removal(u64(b, r), u32(b, r + 8), u32(b, r + 12), u32(b, r + 16));
  }

  private readEvents(sink: FrameSink): void {
    const b = this.bytes;
    const at = vector(b, this.table, FRAME.events);
    if (at === 0) return;
    const end = at + 4 + i32(b, at) * 4;
    for (let e = at + 4; e < end; e += 4) {
      const table = follow(b, e);
      const id = fieldAt(b, table, EVENT.id);
      const source = fieldAt(b, table, EVENT.source);
      const payload = vector(b, table, EVENT.payload);
      sink.event(
        id === 0 ? 0 : u64(b, id),
        source === 0 ? 0 : u64(b, source),
        ushort(b, table, EVENT.kind),
        ushort(b, table, EVENT.x),
        ushort(b, table, EVENT.y),
        payload === 0 ? NOTHING : b.subarray(payload + 4, payload + 4 + i32(b, payload)),
      );
    }
  }
}

const MAX_OUTCOMES = 64;
const MAX_ITEMS = 16;

export class SelfReader {
  tick = 0;
  epoch = 0;
  x = 0;
  y = 0;
  vx = 0;
  vy = 0;
  applied = 0;
  durable = 0;
  dilation = 1;
  /** Pairs (action id, code). */
  readonly outcomes = new Uint32Array(2 * MAX_OUTCOMES);
  outcomeCount = 0;
  /** −1 = unchanged since the last one. */
  itemCount = -1;
  readonly items = new Uint32Array(MAX_ITEMS);

  open(b: Uint8Array, table: number): void {
    this.tick = uint(b, table, SELF.tick);
    this.epoch = uint(b, table, SELF.epoch);
    this.x = float64(b, table, SELF.x);
    this.y = float64(b, table, SELF.y);
    this.vx = float32(b, table, SELF.vx, 0);
    this.vy = float32(b, table, SELF.vy, 0);
    this.applied = uint(b, table, SELF.applied);
    this.durable = uint(b, table, SELF.durable);
    this.dilation = float32(b, table, SELF.dilation, 1);
    const outcomes = vector(b, table, SELF.outcomes);
    this.outcomeCount = outcomes === 0 ? 0 : Math.min(i32(b, outcomes), MAX_OUTCOMES);
    for (let i = 0; i < this.outcomeCount; i++) {
      this.outcomes[2 * i] = u32(b, outcomes + 4 + i * OUTCOME_BYTES);
      this.outcomes[2 * i + 1] = u32(b, outcomes + 8 + i * OUTCOME_BYTES);
    }
    const items = vector(b, table, SELF.items);
    this.itemCount = items === 0 ? -1 : Math.min(i32(b, items), MAX_ITEMS);
    for (let i = 0; i < this.itemCount; i++) this.items[i] = u32(b, items + 4 + i * 4);
  }
}

function float32(b: Uint8Array, table: number, entry: number, absent: number): number {
  const at = fieldAt(b, table, entry);
  return at === 0 ? absent : f32(b, at);
}

function float64(b: Uint8Array, table: number, entry: number): number {
  const at = fieldAt(b, table, entry);
  return at === 0 ? 0 : f64(b, at);
}
