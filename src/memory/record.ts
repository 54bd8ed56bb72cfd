/**
 * The record of an entity: byte offsets of every field, and the owner word. Pure numbers and bit arithmetic; who may
 * read and write what is said in arena.ts.
 *
 * ```
 *  owner word (Int32, Atomics only)
 *   31   29 28      21 20      13 12          0
 *  ┌───────┬──────────┬──────────┬─────────────┐
 *  │ state │  owner   │  target  │ epoch, low  │   owner, target: thread numbers; 127 = nobody
 *  └───────┴──────────┴──────────┴─────────────┘   a zeroed word is FREE, epoch 0
 *
 *  slot header 64 B (never undone)        hot state 192 B                    cold state 960 B
 *  ┌────────────────────────────┐         ┌───────────────────────────┐      ┌─────────────────────────┐
 *  │  0 generation    4 epoch   │         │  0 x          8 y         │      │   0 outcomes u16[64]    │
 *  │  8 id                      │         │ 16 z  heading  vx  vy     │      │ 128 items    u32[16]    │
 *  │ 16 undo tags, hot, cold    │         │ 32 lastTick kind flags …  │      │ 192 outbox   8 × 64 B   │
 *  │ 32 created, freed tags     │         │ 48 sessionId  inbox …     │      │ 704 answers  8 × 32 B   │
 *  │ 48 handover stamp, ticks   │         │ 96 components 96 B        │      └─────────────────────────┘
 *  └────────────────────────────┘         └───────────────────────────┘
 * ```
 * No field but those of the slot header holds a slot, a thread number or an offset: a record can move to another
 * process by copying hot and cold.
 */

/** States of an owner word. */
export const OWNER = {
  /** In nobody's hands; any thread may take it by CAS. */
  FREE: 0,
  /** Held by a thread that fills it; not yet an entity. RESERVED(127) is a retired slot, for ever. */
  RESERVED: 1,
  /** Simulated by shard `owner`. */
  OWNED: 2,
  /** Handed over by `owner`, not yet accepted by `target`. */
  TRANSIT: 3,
  /** An offline account's entity: in the world's memory, simulated by nobody. */
  PARKED: 4,
} as const;

/** Thread number of nobody. */
export const NOBODY = 127;
/** Gateway g is thread GATEWAY_THREAD + g; shard s is thread s. */
export const GATEWAY_THREAD = 64;
/** Mask of the epoch bits that stand in an owner word. */
export const EPOCH_MASK = 0x1fff;

/** @param epoch full epoch; its low 13 bits are kept */
export function packOwner(state: number, owner: number, target: number, epoch: number): number {
  return (state << 29) | ((owner & 0xff) << 21) | ((target & 0xff) << 13) | (epoch & EPOCH_MASK);
}
/** The state stands in the word from this bit on. */
export const STATE_SHIFT = 29;
export function ownerState(word: number): number {
  return word >>> STATE_SHIFT;
}
export function ownerOf(word: number): number {
  return (word >>> 21) & 0xff;
}
export function targetOf(word: number): number {
  return (word >>> 13) & 0xff;
}
/** Low 13 bits of the owner epoch. */
export function epochOf(word: number): number {
  return word & EPOCH_MASK;
}

export const HEADER_BYTES = 64;
export const HOT_BYTES = 192;
export const COLD_BYTES = 960;

/** Byte offsets in the slot header. Tags are pairs (incarnation i32, tick i32); incarnation 0 = no tag. */
export const HEADER = {
  generation: 0, // u32: life of the slot
  epoch: 4, // u32: full owner epoch
  id: 8, // f64: entity id; 0 = none
  hotUndoIncarnation: 16,
  hotUndoTick: 20,
  coldUndoIncarnation: 24,
  coldUndoTick: 28,
  createdIncarnation: 32,
  createdTick: 36,
  freedIncarnation: 40,
  freedTick: 44,
  /**
   * f64: clock ms at the end of the source's tick; 0 = from no shard (a login, or from disk); −k = from no shard, and
   * what it has under way stands in its owner's books once that one has committed k (shard/ledger.ts).
   */
  handoverStamp: 48,
  handoverTick: 56, // i32
  birthTick: 60, // i32: tick of its creation; with HOT.stepCount it shows missed and doubled steps
} as const;

/** Byte offsets in the hot state. */
export const HOT = {
  x: 0, // f64 m
  y: 8, // f64 m
  z: 16, // f32 m
  heading: 20, // f32 rad
  vx: 24, // f32 m/s
  vy: 28, // f32 m/s
  lastTick: 32, // i32
  kind: 36, // u16
  flags: 38, // u16
  stayUntilTick: 40, // i32
  tile: 44, // i32: base tile index at the last commit
  sessionId: 48, // f64
  inboxHead: 56, // i32: position of the next entry to drain
  lastActionId: 60, // u32
  appliedCount: 64, // u32
  origin: 64, // u32, of what is no player: the natural content that it comes from (nature.ts), 0 = none
  rejectedCount: 68, // u32
  appliedHash: 72, // u32: FNV-1a over the decided actions
  rateTokens: 76, // f32
  outboxCount: 80, // i32
  answerCount: 84, // i32
  messageCounter: 88, // u32
  stepCount: 92, // i32: steps done since birth, frozen ones counted
  components: 96, // 96 B of the game's columns
} as const;

/** Byte offsets in the cold state. */
export const COLD = {
  outcomes: 0, // u16[64]: outcome of action id at id & 63
  items: 128, // u32[16]
  outbox: 192, // 8 × OUTBOX_BYTES
  answers: 704, // 8 × ANSWER_BYTES
} as const;

export const OUTBOX_BYTES = 64;
/** Byte offsets in an outbox place. */
export const OUTBOX = {
  target: 0, // f64 id
  counter: 8, // u32
  kind: 12, // u16
  state: 14, // u8: 0 empty, 1 waiting, 2 sent, 3 answered
  itemKind: 15, // u8: 255 = none
  itemCount: 16, // u32
  sentTick: 20, // i32
  answer: 24, // u16
  args: 32, // f64[4]
} as const;

export const ANSWER_BYTES = 32;
/** Byte offsets in a place of remembered answers. */
export const ANSWER = {
  source: 0, // f64 id
  counter: 8, // u32
  answer: 12, // u16
  used: 14, // u8
  arg: 16, // f64
} as const;
