/**
 * What the store needs of a database: named tables of small values, and transactions that are durable or were never
 * there. Types only; map-engine.ts and lmdb-engine.ts are two of the kind.
 *
 * | table    | key                      | value                                            |
 * |----------|--------------------------|--------------------------------------------------|
 * | meta     | name                     | sealed bytes; `world` is framed                  |
 * | entities | id                       | framed Entity (schemas/store.fbs)                |
 * | places   | [base tile, id]          | empty: who rests where, players left out         |
 * | players  | id                       | sealed: 1 = of an account, 0 = a guest's         |
 * | tiles    | base tile                | sealed: tick of its natural content, stored whole |
 * | touched  | origin (HOT.origin)      | sealed nothing: of a tile's natural content this has a life of its own |
 * | accounts | player id                | sealed f64: entity id                            |
 * | journal  | [entity, tick, source …] | sealed line of a transfer                        |
 */

export const TABLES = [
  'meta',
  'entities',
  'places',
  'players',
  'tiles',
  'touched',
  'accounts',
  'journal',
] as const;
export type TableName = (typeof TABLES)[number];
export type Key = number | string | readonly number[];

export interface Write {
  readonly table: TableName;
  readonly key: Key;
  /** null = remove; removing what is not there is nothing. */
  readonly value: Uint8Array | null;
}

export interface Engine {
  readonly kind: 'memory' | 'lmdb';
  /** Ms from one cut to the next at least, where nobody is helped by more of them. */
  readonly leastMs?: number;
  /** @returns bytes that stay valid, or undefined @throws BlueMarbleError DATA_CORRUPT: a damaged page is on the way */
  get(table: TableName, key: Key): Uint8Array | undefined;
  /** Entries in the order of their keys, as they were when the loop began; with `first` those of keys [first, …]. Throws as `get`. */
  entries(table: TableName, first?: number): Iterable<readonly [Key, Uint8Array]>;
  count(table: TableName): number;
  /**
   * One transaction: all of it or nothing. `done` is called when it will survive the process and the machine, or with
   * what the disk said; at once or later, in the order in which the commits were begun.
   */
  commit(writes: readonly Write[], done: (trouble: Error | null) => void): void;
  /** A consistent copy of what is committed now into a folder that does not exist yet, flushed. @returns its bytes */
  copy(folder: string): Promise<number>;
  close(): Promise<void>;
}
