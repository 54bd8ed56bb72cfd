/**
 * What the store promises to the rest of the node. Types only.
 *
 * The store is one thread (worker.ts) or, in tests and simulation, one object in the same thread (core.ts). It takes what
 * the shards push (memory/store-ring.ts), asks for cuts (memory/cut-block.ts), keeps what is durable, loads what rests
 * and unloads what may rest. It never places an entity: what it loads is PARKED in the arena with its id in the id table,
 * exactly as if it had been parked there, and whoever wanted it takes it by compare-and-swap.
 *
 * ```
 *            stored[s]: RECORD GONE TILE TOTALS TRANSFER MARK      loads[s]: base tile
 *   shard ────────────────────────────────────────────────▶ store ◀──────────────────── shard
 *     ▲                                                       │ PARKED records, ids; then arrivals[100][s]: LOADED tile
 *     └───────────────────────────────────────────────────────┘
 *   main thread ──── StorePort: accounts, loadEntity, leases, snapshot ────▶ store
 * ```
 * Unload: PARKED → RESERVED(100) by compare-and-swap on exactly the word under which a durable RECORD was pushed
 * (epoch and all), id out of the table, slot freed. Where the tile is awake again by then it is loaded anew.
 */

import type { Load } from './residence.js';

/** What the data holds at a start; told before any shard runs. */
export interface StoreFacts {
  /** Tick of the newest durable cut, 0 = a new world. The clock of the world goes on behind it. */
  readonly durableTick: number;
  /** Highest lease of entity ids that may have been used; the first new one is the next. */
  readonly idLease: number;
  /** Highest incarnation that may have been used. */
  readonly incarnation: number;
  /** Secret of session tokens, 32 bytes; made with the world, so that sessions resume after a restart. */
  readonly secret: Uint8Array;
  /** Entities that rest in the store. */
  readonly entities: number;
  /**
   * Items created and consumed before this process, by the game's item kinds. Shards count from 0 in each process, the
   * store adds these to what they report.
   */
  readonly itemsCreated: readonly number[];
  readonly itemsConsumed: readonly number[];
  /** Pairs of base tile and tick in which its natural content was made for ever, one after the other. */
  readonly generated: Int32Array;
  /** Of natural content made again and again, what has a life of its own (memory/nature.ts). */
  readonly touched: Float64Array;
  /** Ids of entities without an account that rest in the store: guests who were online at the last cut. */
  readonly guests: Float64Array;
}

/** A game's names, by which its data is kept (world/game.ts has them as columns, items, kinds). */
export interface GameNames {
  readonly name: string;
  readonly kinds: readonly string[];
  readonly items: readonly string[];
  readonly columns: readonly { readonly name: string; readonly type: string; readonly offset: number }[];
}

/** What the world's data must agree with. */
export interface WorldIdentity {
  readonly seed: number;
  readonly baseLevel: number;
  readonly game: GameNames;
}

/** The store's state for status and metrics. */
export interface StoreStatus {
  readonly engine: 'memory' | 'lmdb';
  readonly state: 'running' | 'failing';
  /** What the disk said last, while failing. */
  readonly trouble: string | null;
  readonly durableTick: number;
  /** Entities in the store that are not in the arena. */
  readonly resting: number;
  /** Bytes and records that are not durable yet, in this thread's memory. */
  readonly pendingBytes: number;
  readonly pendingRecords: number;
  readonly cuts: number;
  readonly cutMs: { readonly last: number; readonly max: number };
  readonly recordsWritten: number;
  readonly bytesWritten: number;
  readonly loads: number;
  readonly unloads: number;
  /** Loads refused by checksum or verifier since the start; and of which entities, the newest. */
  readonly corrupt: number;
  readonly refused: readonly Refused[];
  readonly failures: number;
}

/** An entity whose stored record is damaged. */
export interface Refused {
  readonly entity: number;
  readonly reason: string;
  /** Whether somebody has sent it something, and waits for its answer until it is mended. */
  readonly hasMail: boolean;
}

/**
 * What the main thread asks of the store. Leases and incarnations are answered once they are durable; accounts and loads at
 * once, with the newest that is known: they become durable with the entities that they are about (bindings.ts).
 */
export interface StorePort {
  readonly facts: StoreFacts;
  /** Entity id of a player, 0 = none yet. */
  findAccount(playerId: string): Promise<number>;
  /** Compare-and-swap of the entity bound to a player; 0 takes back what never came in. @returns the entity bound now */
  bindAccount(playerId: string, expected: number, entity: number): Promise<number>;
  /** Brings an entity into the arena, PARKED. `here`: it is there (in any state) now */
  loadEntity(id: number): Promise<Load>;
  /** Notes the highest lease of ids, or incarnation, that may be used from now on. */
  recordLease(bound: number): Promise<void>;
  recordIncarnation(bound: number): Promise<void>;
  /** A consistent copy of the world at the newest durable cut, verified; one after the other. */
  snapshot(wish: SnapshotWish): Promise<SnapshotInfo>;
  /** The journal of an entity, newest last. */
  status(): StoreStatus;
  /** Waits for a cut that holds everything pushed so far, then closes the data. @returns whether all of it is durable */
  close(): Promise<boolean>;
}

export interface SnapshotWish {
  /** null = `auto-TICK`. */
  readonly name: string | null;
  /** How many of those that nobody named stay, this one included. */
  readonly keep: number;
}

export interface SnapshotInfo {
  readonly name: string;
  readonly tick: number;
  readonly entities: number;
  readonly bytes: number;
  /** Accounts and entities in it that have lost each other (verify.ts). */
  readonly orphans: number;
}
