/**
 * Facts about players that gateways write and shards read in records and frame rings: flags of a record, kinds of ring
 * records. Constants only.
 */

/** Kind 0 is the player in every game. */
export const PLAYER_KIND = 0;

/** Bits of a record's flags (HOT.flags). */
export const FLAG = {
  /** The game has not yet seen this player (`spawnPlayer` is due). */
  NEW: 1,
  /** Belongs to an account: parked when its player leaves, not removed. */
  ACCOUNT: 2,
  /** Carried by no session: neither shown nor stepped. */
  OFFLINE: 4,
  /** Comes out of rest: its clock starts anew at the next step, without counting as frozen. */
  RESTED: 8,
  /** Its owner leaves out its steps until something is written to it: its record may lag behind without having missed any. */
  ASLEEP: 16,
  /** Natural content that nobody has touched: stored nowhere, made again from (seed, tile). HOT.origin says which. */
  NATURAL: 32,
} as const;

/**
 * Types of records in a frame ring, the first of the seven words; the others are a … f:
 *
 * | type  | a    | b                | c          | d       | e           | f  | body                                   |
 * |-------|------|------------------|------------|---------|-------------|----|----------------------------------------|
 * | FRAME | cellX| cellY            | tick       | previous| incarnation |part| ServerMessage(CellFrame)               |
 * | SELF  | slot | connection epoch | tick       | applied | owner epoch |    | f64 x, y, then the message             |
 * | READY | slot | connection epoch | tick       | applied | durable     | ok | f64 x, y, entity, session, then message|
 * | LOG   | slot | connection epoch |            |         |             |    | ServerMessage(LogReply)                |
 * | GONE  | slot | connection epoch | close code |         |             |    |                                        |
 * | TURN  |      |                  | tick       |         | incarnation |    | all frames of the tick stand before it |
 *
 * part: square and class of the stream (`partOfKey` in geo/square.ts); 0 = the whole cell at the frame rate.
 */
export const RECORD = { FRAME: 1, SELF: 2, READY: 3, LOG: 4, GONE: 5, TURN: 6 } as const;
/** Bytes of the doubles before the message of a SELF and of a READY. */
export const SELF_HEAD_BYTES = 16;
export const READY_HEAD_BYTES = 32;
