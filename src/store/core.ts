/**
 * The store without its thread: everything that it does, driven by `poll`, with clock and engine injected. worker.ts runs
 * it in a thread; tests and simulation run it in theirs. Nothing here blocks but the engine's own commit.
 */
import type { Clock } from '../base/clock.js';
import { LIMITS } from '../base/limits.js';
import type { Log } from '../base/log.js';
import { STORE_STATE } from '../memory/cut-block.js';
import { isQuiet } from '../memory/pace.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { ABSENT, ENTITY_REQUEST, FOUND, LOADED, STORE_THREAD } from '../memory/store-ring.js';
import { Bindings, type BindingsFault } from './bindings.js';
import { type Book, metaWrite } from './book.js';
import { Codec } from './codec.js';
import { Cuts } from './cuts.js';
import type { Engine, Key, Write } from './engine.js';
import { Intake, type IntakeFault } from './intake.js';
import type { Pending } from './pending.js';
import { type Load, Residence } from './residence.js';
import type { Refused, StoreStatus } from './types.js';

export interface StoreParts {
  readonly world: SharedWorld;
  readonly engine: Engine;
  /** What `openBook` read from this engine. */
  readonly book: Book;
  readonly clock: Clock;
  readonly log: Log;
  /** For tests of the tests only: a store with this fault, which their model has to find. */
  readonly fault?: IntakeFault | BindingsFault | 'answers-for-what-came-later';
}

/** A tile on its way into the arena. */
interface TileLoad {
  tile: number;
  /** Shards that wait to be told. */
  shards: Set<number>;
  /** Ids still to be loaded; null = not looked up yet. */
  ids: number[] | null;
}

interface Note {
  readonly writes: readonly Write[];
  /** Called when exactly these writes are durable. */
  readonly done: () => void;
}

/** Lines of the journal kept for an entity, about. */
const JOURNAL_LINES = 512;
const JOURNAL_TRIM_EVERY = 64;
/** Ids loaded in one poll, so that a full tile does not hold up the next cut. */
const LOADS_A_POLL = 500;
/** Who wants something rings, or sends a message; visitors go back to rest no sooner than so. */
const IDLE_MS = 200;
/** While every shard rests. */
const QUIET_IDLE_MS = 1000;
const REFUSED_KEPT = 32;

export class StoreCore {
  readonly cuts: Cuts;
  readonly residence: Residence;
  private readonly engine: Engine;
  private readonly tiles = new Map<number, TileLoad>();
  private entities: { id: number; shard: number }[] = [];
  private readonly bindings: Bindings;
  /** Writes that do not wait for a cut, and who waits for them: not begun, and in the engine's hands (null = none). */
  private small: Note[] = [];
  private writingSmall: readonly Note[] | null = null;
  private smallBegunAt = 0;
  private smallRetryAt = 0;
  private readonly refused = new Map<number, Refused>();
  private readonly complained = new Set<string>();
  private readonly linesSince = new Map<number, number>();

  constructor(private readonly parts: StoreParts) {
    const { world, engine, book, clock, log } = parts;
    this.engine = engine;
    const codec = new Codec(book.names);
    this.residence = new Residence(
      world,
      codec,
      (id) => this.read(id),
      (id, reason) => this.refuse(id, reason, false),
      clock,
    );
    const { active, rests } = this.residence;
    const fault = parts.fault === 'runs-past-the-mark' ? parts.fault : undefined;
    const intake = new Intake(world, codec, active, rests, fault);
    const onDurable = (cut: Pending) => this.settle(cut);
    this.bindings = new Bindings(
      engine,
      (playerId, reason) => this.complain(`account ${playerId}`, { playerId, reason }),
      parts.fault as BindingsFault | undefined,
    );
    this.cuts = new Cuts(world, engine, clock, log, book, intake, active, this.bindings, onDurable);
    // The clock of a world that was begun before goes on from there.
    world.cut.durableTick = book.durableTick;
    world.cut.state = STORE_STATE.RUNNING;
  }

  /** For people: told once in the log, and shown until the end of the process. */
  private refuse(entity: number, reason: string, hasMail: boolean): void {
    const known = this.refused.get(entity);
    if (known === undefined)
      this.parts.log.error({ entity, reason, hasMail }, 'a stored entity is refused: restore a snapshot');
    this.refused.delete(entity); // the newest is the last
    this.refused.set(entity, { entity, reason, hasMail: hasMail || known?.hasMail === true });
    if (this.refused.size > REFUSED_KEPT) this.refused.delete(this.refused.keys().next().value!);
  }

  /** The same of what is no entity: a tile's list, an account, a journal. Told once each, counted. */
  private complain(what: string, facts: object): void {
    this.residence.corrupt++;
    if (this.complained.size >= REFUSED_KEPT || this.complained.has(what)) return;
    this.complained.add(what);
    this.parts.log.error(facts, `${what} cannot be read from the data: restore a snapshot`);
  }

  /** What stands in the engine under a first part of its keys; what cannot be read is told of, and left alone. */
  private listed(table: 'places' | 'journal', first: number): Key[] {
    const keys: Key[] = [];
    try {
      for (const [key] of this.engine.entries(table, first)) keys.push(key);
    } catch (error) {
      const what = table === 'places' ? `the list of tile ${first}` : `the journal of entity ${first}`;
      this.complain(what, { reason: (error as Error).message });
    }
    return keys;
  }

  /** Newest bytes of an entity: what is not durable yet hides what is. */
  read(id: number): Uint8Array | null | undefined {
    if (this.parts.fault === 'reads-the-file-first')
      return this.engine.get('entities', id) ?? this.cuts.newest(id);
    const newest = this.cuts.newest(id);
    return newest === undefined ? this.engine.get('entities', id) : newest;
  }

  /** Does what is due. @returns ms until it should be called again though no bell rang */
  poll(): number {
    const wait = this.cuts.poll();
    this.writeSmall();
    this.takeRequests();
    this.loadTiles();
    this.loadEntities();
    this.residence.sendBack(this.parts.clock.now());
    const idleMs = isQuiet(this.parts.world) ? QUIET_IDLE_MS : IDLE_MS;
    return Math.min(wait, this.tiles.size + this.entities.length > 0 ? 1 : idleMs);
  }

  // ---- what the main thread asks ----

  /** @returns the entity of a player, 0 = none; the newest that was bound, durable or not */
  findAccount(playerId: string): number {
    return this.bindings.find(playerId);
  }

  /** See Bindings.bind: durable with the entity's first record. @returns the entity bound now */
  bindAccount(playerId: string, expected: number, entity: number): number {
    return this.bindings.bind(playerId, expected, entity);
  }

  /** Notes facts outside of any cut, in one transaction with others that wait. @param done when they are durable */
  note(writes: readonly Write[], done: () => void): void {
    this.small.push({ writes, done });
    this.writeSmall();
  }

  recordLease(bound: number, done: () => void): void {
    this.note([metaWrite('idLease', [bound])], done);
  }
  recordIncarnation(bound: number, done: () => void): void {
    this.note([metaWrite('incarnation', [bound])], done);
  }

  /** Brings an entity into the arena; nobody comes for it: it goes back to rest. */
  loadEntity(id: number): Load {
    return this.residence.visit(id, this.parts.clock.now());
  }

  /**
   * Waits until everything that was pushed so far is durable. The shards may have ended: then what is in their rings is.
   * @param pause awaited between two looks
   */
  async finish(pause: () => Promise<unknown>): Promise<void> {
    const { figures } = this.cuts;
    // The cut that is under way may be of a tick that is too early; the one after it is not.
    for (const wanted = figures.cuts + 2; figures.cuts < wanted; await pause()) {
      this.cuts.hurry();
      this.poll();
      if (this.cuts.hasFailed) return; // the disk fails: what can be kept is kept
    }
    while ((this.small.length > 0 || this.writingSmall !== null) && !this.cuts.hasFailed) {
      this.writeSmall();
      await pause();
    }
    this.residence.close();
  }

  status(): StoreStatus {
    const { cuts, residence, engine } = this;
    const { figures } = cuts;
    const stored = [...residence.active.values()].filter((place) => place !== -2).length;
    return {
      engine: engine.kind,
      state: cuts.trouble === null ? 'running' : 'failing',
      trouble: cuts.trouble,
      durableTick: this.parts.world.cut.durableTick,
      resting: Math.max(0, engine.count('entities') - stored),
      pendingBytes: cuts.bytes,
      pendingRecords: cuts.pending.entities.size + (cuts.writing?.entities.size ?? 0),
      cuts: figures.cuts,
      cutMs: { last: figures.lastMs, max: figures.maxMs },
      recordsWritten: figures.records,
      bytesWritten: figures.bytes,
      loads: residence.loads,
      unloads: residence.unloads,
      corrupt: residence.corrupt,
      refused: [...this.refused.values()],
      failures: figures.failures,
    };
  }

  // ---- loading tiles ----

  private takeRequests(): void {
    const { loads } = this.parts.world;
    for (let shard = 0; shard < loads.length; shard++) {
      const ring = loads[shard];
      for (let at = ring.peek(); at >= 0; at = ring.peek()) {
        const tile = ring.i32[at >> 2];
        const id = ring.i32[(at >> 2) + 3] * 4294967296 + ring.u32[(at >> 2) + 2];
        ring.advance();
        if (tile === ENTITY_REQUEST) this.entities.push({ id, shard });
        else this.wantTile(tile).shards.add(shard);
      }
    }
  }

  private wantTile(tile: number): TileLoad {
    let load = this.tiles.get(tile);
    if (load === undefined) this.tiles.set(tile, (load = { tile, shards: new Set(), ids: null }));
    return load;
  }

  private loadTiles(): void {
    let room = LOADS_A_POLL;
    for (const load of this.tiles.values()) {
      load.ids ??= this.listed('places', load.tile).map((key) => (key as number[])[1]);
      while (load.ids.length > 0 && room-- > 0) {
        if (this.residence.load(load.ids[load.ids.length - 1]) === 'no-room') return;
        load.ids.pop();
      }
      if (room <= 0) return;
      for (const shard of load.shards) if (this.tell(shard, LOADED, load.tile, 0)) load.shards.delete(shard);
      if (load.shards.size === 0) this.tiles.delete(load.tile);
    }
  }

  /** Single entities, for a shard's mail. */
  private loadEntities(): void {
    if (this.entities.length === 0) return;
    const now = this.parts.clock.now();
    this.entities = this.entities.filter(({ id, shard }) => {
      const load = this.residence.visit(id, now);
      if (load === 'no-room') return true;
      // Of what is refused nobody knows whether it holds an answer: who asks has to wait until it is mended (I2).
      if (load === 'refused') {
        this.refuse(id, this.refused.get(id)?.reason ?? '', true);
        return false;
      }
      return !this.tell(shard, load === 'here' ? FOUND : ABSENT, id | 0, Math.floor(id / 4294967296));
    });
  }

  private tell(shard: number, what: number, low: number, high: number): boolean {
    const { arrivals, shardBlocks } = this.parts.world;
    const ring = arrivals[STORE_THREAD]![shard];
    const at = ring.offer();
    if (at < 0) return false;
    ring.i32[at >> 2] = what;
    ring.i32[(at >> 2) + 1] = low;
    ring.i32[(at >> 2) + 2] = high;
    ring.i32[(at >> 2) + 3] = 0; // of no tick: at once
    ring.commit();
    shardBlocks[shard].ring();
    return true;
  }

  // ---- what has become durable ----

  private settle(cut: Pending): void {
    const { residence } = this;
    const { directory } = this.parts.world;
    for (const [id, version] of cut.entities) {
      if (version.value === null) {
        residence.forget(id);
        this.dropJournal(id);
        continue;
      }
      residence.active.set(id, version.tile);
      if (version.parkedSlot < 0) continue;
      if (!residence.unload(id, version.parkedSlot, version.epoch)) continue;
      // It woke while its entity was on the way out: whoever has it now has looked for it in vain.
      const shard = version.tile < 0 ? -1 : directory.lookup(version.tile);
      if (shard >= 0) this.wantTile(version.tile).shards.add(shard);
    }
    for (const { from, to } of cut.journal) for (const id of new Set([from, to])) this.trimJournal(id);
  }

  /** An entity's journal ends with it; what it gave to others stands in theirs. */
  private dropJournal(id: number): void {
    this.linesSince.delete(id);
    const writes = this.listed('journal', id).map((key): Write => ({ table: 'journal', key, value: null }));
    if (writes.length > 0) this.note(writes, () => {});
  }

  private trimJournal(id: number): void {
    const since = (this.linesSince.get(id) ?? 0) + 1;
    this.linesSince.set(id, since % JOURNAL_TRIM_EVERY);
    if (since < JOURNAL_TRIM_EVERY) return;
    this.linesSince.delete(id);
    const keys = this.listed('journal', id);
    const old = keys.slice(0, Math.max(0, keys.length - JOURNAL_LINES));
    if (old.length > 0)
      this.note(
        old.map((key) => ({ table: 'journal', key, value: null })),
        () => {},
      );
  }

  private writeSmall(): void {
    const now = this.parts.clock.now();
    if (this.writingSmall !== null) this.cuts.watch(now - this.smallBegunAt);
    if (this.small.length === 0 || this.writingSmall !== null || now < this.smallRetryAt) return;
    // While a cut is on its way to the disk the engine takes nothing else.
    if (this.cuts.isWriting) return;
    // A list of its own: what is noted from here on waits for the next transaction, and its `done` with it.
    const group = this.small;
    if (this.parts.fault !== 'answers-for-what-came-later') this.small = [];
    this.writingSmall = group;
    this.smallBegunAt = now;
    this.engine.commit(
      group.flatMap(({ writes }) => writes),
      (trouble) => this.endSmall(group, trouble),
    );
  }

  private endSmall(group: readonly Note[], trouble: Error | null): void {
    this.writingSmall = null;
    if (this.parts.fault === 'answers-for-what-came-later') this.small = [];
    if (trouble !== null) {
      this.small = [...group, ...this.small]; // in their order
      this.smallRetryAt = this.parts.clock.now() + LIMITS.storeRetryMs;
      this.cuts.alarm(trouble);
      return;
    }
    for (const { done } of group) done();
  }
}
