import type { HelloFields } from '../wire/client-message.js';
import type { Connection } from './connection.js';

/** The rooms of the house that a connection walks through; injected, so that none of them imports another. */
export interface Rooms {
  greet(connection: Connection, hello: HelloFields): void;
  /** The account's entity went to rest while the connection was entering: look for it once more. */
  enterAgain(connection: Connection): void;
  /** Watch the cells around the connection's position, as is due; key frames for those that are new. */
  look(connection: Connection): void;
  /** Stop watching everything. */
  lookAway(connection: Connection): void;
  /** The socket is gone: the same without touching it. */
  forget(connection: Connection): void;
  /** The same at intervals, for whom no self updates come. */
  revisit(connection: Connection, now: number): void;
  /** A key frame of one square, if the connection watches it. */
  show(connection: Connection, column: number, row: number, square: number): void;
}
