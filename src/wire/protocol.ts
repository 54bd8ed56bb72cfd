/**
 * Numbers of the protocol that the schemas state in words: version, message types, markers, limits of strings.
 * A test holds the types against the generated unions.
 */

/** Spoken in Hello and Welcome; a change that old clients cannot ignore raises it. */
export const PROTOCOL_VERSION = 2;

/** ClientMessage.body_type */
export const CLIENT = {
  NONE: 0,
  HELLO: 1,
  ACTION: 2,
  PING: 3,
  KEY_REQUEST: 4,
  LOG_REQUEST: 5,
  GOODBYE: 6,
} as const;

/** ServerMessage.body_type */
export const SERVER = {
  NONE: 0,
  WELCOME: 1,
  CELL_FRAME: 2,
  SELF_UPDATE: 3,
  LOG_REPLY: 4,
  PONG: 5,
  CLOSING: 6,
} as const;

/** Removal.to_x and to_y of an entity that left the world. */
export const GONE = 0xffffffff;

/** EntityState.flags: a player without a connection at the moment. */
export const FLAG_OFFLINE = 1;

/** PublicColumn.type is an index. */
export const COLUMN_TYPES = ['f64', 'f32', 'i32', 'u32', 'i16', 'u16', 'i8', 'u8'] as const;
export type WireColumnType = (typeof COLUMN_TYPES)[number];

/** Action.kind: 1 … this; what lies above is the server's own. */
export const LARGEST_ACTION_KIND = 0xfeff;

/** Limits of what a client may send beyond those of base/limits. */
export const CLIENT_LIMITS = Object.freeze({
  clientNameBytes: 64,
  resumeTokenBytes: 128,
  keyRequestCells: 64,
});

/** Ids are whole numbers below this, so that a float64 holds them. */
export const ID_LIMIT = 2 ** 53;

/** CellFrame.publisher of a frame that begins a subscription: see server.fbs. */
export const NO_PUBLISHER = 0;
/** CellFrame.previous of such a frame that only tells another interval. */
export const ONLY_INTERVAL = 1;
/** EntityMove.id: bits of the id, and how many of the owner epoch stand above them. */
export const MOVE_EPOCHS = 2 ** 11;
