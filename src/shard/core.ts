/**
 * What one shard knows: the shared structures it works on, the entities it owns, and the notes of the running tick.
 * Created once per shard start; everything here is local to the thread and can be rebuilt from shared memory.
 *
 * The modules of this folder are the steps of a tick over one `Core`, in the order of the data's way:
 * arrivals → messages → actions → step → commit → view → handovers → frames.
 */
import type { Clock } from '../base/clock.js';
import { assert } from '../base/assert.js';
import { LIMITS } from '../base/limits.js';
import { columnAt, rowAt, tileColumns } from '../geo/tile.js';
import type { Arena } from '../memory/arena.js';
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import { IdLease } from '../memory/ids.js';
import { HEADER, HOT, OWNER, ownerOf, ownerState } from '../memory/record.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { dilation } from '../memory/service.js';
import { SlotCache, settleFreed } from '../memory/slots.js';
import { beginCold, beginHot } from '../memory/undo.js';
import type { CompiledGame } from '../world/game.js';
import { FULL_SPEED } from '../world/dilation.js';
import { epochFromWord } from '../world/handover.js';
import { Asking } from './asking.js';
import { Cut } from './cut.js';
import { EntityList } from './entity-list.js';
import { unmake } from './spawn.js';
import { CrossingTraces } from './traces.js';
import { Deeds } from './deeds.js';
import { Faults } from './faults.js';
import { Frozen } from './frozen.js';
import { Ledger } from './ledger.js';
import { NatureKeeper } from './nature.js';
import { Notes } from './notes.js';
import type { CoreOptions } from './options.js';

/** One heartbeat for 16 units: each may be game code that takes its time. */
const BEAT_MASK = 15;

const SQUARE_COLUMNS = tileColumns(LIMITS.deepestTileLevel);

/** No slot at all, and no number that a search answers with. */
const NO_SLOT = 0x3fffffff;

/** Sleep of an entity: none, since the last view, or of one that the last view shows as it is (view.ts). */
const SLEEP = { AWAKE: 0, ASLEEP: 1, STILL: 2 } as const;

export class Core {
  readonly arena: Arena;
  readonly owned: EntityList;
  /** Players among the owned, whose inboxes are drained. */
  readonly players: EntityList;
  readonly slots: SlotCache;
  readonly cut: Cut;
  readonly asking: Asking;
  readonly ledger: Ledger;
  /** What the running call of game code has done so far. */
  readonly deeds: Deeds;
  readonly faults: Faults;
  /** Entities whose step is left out because it throws. */
  readonly stuck: Frozen;
  readonly nature: NatureKeeper;
  /** Whose step is running: what it writes to itself touches nobody. −1 = none. */
  stepping = -1;
  /** By slot: 1 = changed since the store was told of it. */
  private readonly dirty: Uint8Array;
  readonly traces: CrossingTraces;
  readonly dt: number;
  /** An owner drains at most these of a player in a tick: what the bucket is refilled with, where ticks are long. */
  readonly actionsPerTick: number;
  private readonly lease: IdLease;
  /** Of the quarantine those without an action. */
  private readonly frozen: ReadonlySet<number>;
  readonly hasFrozen: boolean;
  tick = 0;
  /** Slot that was made writable last, in this tick or deed: what follows for it costs one compare. */
  private writable = NO_SLOT;
  /** Whether any leaf of the world is slowed, as the running tick saw it: otherwise nobody asks for a factor. */
  isSlowed = false;
  /** By slot, local, one of SLEEP: while it is not awake its steps change nothing until something is written to it. */
  private readonly asleep: Uint8Array;
  /** By slot, local: last tick in which a slowed or sleeping entity was passed by here. Its record is not touched then. */
  readonly passed: Int32Array;
  /**
   * Entities that game code may still create in this tick: the rest of the arena is kept for players who log in. And
   * natural content among them: what players lay down and begin must find room beside it.
   */
  roomForGame = 0;
  roomForNature = 0;
  /** What the running tick has done so far: counted with its commit, so that a tick done again is not counted twice. */
  readonly tallies = { applied: 0, rejected: 0, dilated: 0, frozen: 0 };
  /** Slots created, to be freed, whose inbox moved, that stand in a foreign tile, with mail; all of this tick. */
  readonly created: Notes;
  readonly freed: Notes;
  /** Entities of this tick that nobody else can find yet. */
  readonly createdById = new Map<number, number>();
  readonly drained: Notes;
  readonly foreign: Notes;
  readonly senders: Notes;
  /** Slots to be answered READY / LOG after the commit; kept over ticks while a gateway's ring is full. */
  readonly ready: Notes;
  readonly logs: Notes;
  /** In transit to here from ticks that this shard has still to run; their entries may be lost with a dead one. */
  readonly early: { slot: number; generation: number; epoch: number; tick: number }[] = [];
  /** Items created and consumed by this shard number since the planet started, per kind (commit publishes a copy). */
  readonly itemsCreated = new Float64Array(LIMITS.itemKinds);
  readonly itemsConsumed = new Float64Array(LIMITS.itemKinds);
  /** Their numbers, and those of what is undone, in `deeds`. */
  readonly itemsCreatedList: number;
  readonly itemsConsumedList: number;
  readonly wasCreated: number;
  readonly wasFreed: number;

  constructor(
    readonly world: SharedWorld,
    readonly game: CompiledGame,
    readonly clock: Clock,
    readonly options: CoreOptions,
  ) {
    this.arena = world.arena;
    const n = this.arena.capacity;
    this.owned = new EntityList(n);
    this.players = new EntityList(n);
    this.slots = new SlotCache(this.arena, options.shard);
    this.cut = new Cut(this);
    this.asking = new Asking(this);
    const forget = () => void (this.writable = NO_SLOT);
    this.deeds = new Deeds(this.arena, forget, (slot) => this.wake(slot));
    const transfers = world.transfers[options.shard]!;
    this.ledger = new Ledger(this.arena, transfers, this.block, world.bags.u32, this.deeds);
    this.stuck = new Frozen(this);
    this.faults = new Faults(this);
    this.itemsCreatedList = this.deeds.track(this.itemsCreated);
    this.itemsConsumedList = this.deeds.track(this.itemsConsumed);
    this.wasCreated = this.deeds.onUndo((slot) => unmake(this, slot));
    this.wasFreed = this.deeds.onUndo((slot) => {
      this.freed.count--;
      settleFreed(this.arena, slot, this.options.incarnation, this.tick - 1);
    });
    this.nature = new NatureKeeper(this);
    this.dirty = world.cut.dirty;
    this.traces = new CrossingTraces(this);
    this.lease = new IdLease(world.ids);
    this.frozen = new Set(options.quarantine.filter((q) => q.action === 0).map((q) => q.entity));
    this.hasFrozen = this.frozen.size > 0;
    this.dt = world.clock.tickMs / 1000;
    this.actionsPerTick = Math.max(LIMITS.actionsPerTick, Math.ceil(LIMITS.actionsPerS * this.dt));
    this.created = new Notes(n);
    this.freed = new Notes(n);
    this.drained = new Notes(n);
    this.foreign = new Notes(n);
    this.senders = new Notes(n);
    this.ready = new Notes(n * 2);
    this.logs = new Notes(n * 2);
    this.passed = new Int32Array(n);
    this.asleep = new Uint8Array(n);
  }

  /** Units of work since the last heartbeat. */
  private units = 0;

  /**
   * A unit of the tick's work is done: an entity stepped, an entry taken, a record told. Every few of them the heart
   * beats: a tick that is long because there is much to do is slow, not hung, and no entity is to blame for it.
   */
  progress(): void {
    if ((++this.units & BEAT_MASK) === 0) this.block.beat();
  }

  /** A tick begins: nothing is writable yet. */
  begin(tick: number): void {
    this.tick = tick;
    this.writable = NO_SLOT;
    this.factorSquare = -1;
  }

  /** An id that was never used before and never will be again. */
  nextId(): number {
    return this.lease.next();
  }

  get shard(): number {
    return this.options.shard;
  }

  get block() {
    return this.world.shardBlocks[this.options.shard]!;
  }

  /** Asserts I1 and makes the hot state of a slot writable in this tick; returns its byte offset. */
  writeHot(slot: number): number {
    if (!this.writesOn(slot)) this.makeWritable(slot);
    return this.arena.hot(slot);
  }

  /** The hot state is going to be written. @returns whether it was made writable just now; else `writeHot` has to */
  writesOn(slot: number): boolean {
    this.dirty[slot] = 1; // before the write: a death in between tells the store once more
    return slot === this.writable;
  }

  private makeWritable(slot: number): void {
    this.asleep[slot] = SLEEP.AWAKE;
    if (!this.owned.has(slot)) {
      this.checkNew(slot);
      return void (this.deeds.isOpen && this.deeds.saveHot(slot, false));
    }
    this.writeClock(slot); // first: a deed that is undone puts back that it was untouched
    if (slot !== this.stepping && this.isNatural(slot)) this.nature.touch(slot);
  }

  /** The same for the cold state. What natural content is given or told by its own step touches it, too. */
  writeCold(slot: number): number {
    if (this.isNatural(slot) && this.owned.has(slot)) this.touch(slot);
    return this.writeUntouched(slot);
  }

  /** From here on the store is told of it. */
  touch(slot: number): void {
    if (!this.isNatural(slot)) return;
    this.writeClock(slot);
    this.nature.touch(slot);
    this.dirty[slot] = 1;
  }

  /** Of whatever is not to be touched by it: what is removed. */
  writeUntouched(slot: number): number {
    this.dirty[slot] = 1;
    this.asleep[slot] = SLEEP.AWAKE;
    let isFresh = false;
    if (this.owned.has(slot)) isFresh = beginCold(this.arena, slot, this.options.incarnation, this.tick);
    else this.checkNew(slot);
    if (this.deeds.isOpen) this.deeds.saveCold(slot, isFresh);
    return this.arena.cold(slot);
  }

  /**
   * The same for what follows from the number of the tick alone: the store need not hear of it.
   * @returns whether it is the first write in this tick
   */
  writeClock(slot: number): boolean {
    assert(this.owned.has(slot), 'I1: only the owner writes an entity');
    const isFresh = beginHot(this.arena, slot, this.options.incarnation, this.tick);
    if (this.deeds.isOpen) this.deeds.saveHot(slot, isFresh);
    this.writable = slot;
    return isFresh;
  }

  /** The steps of an owned entity are left out from now on, until it is written to or `wake` is called. */
  sleep(slot: number): void {
    this.writeClock(slot);
    this.arena.u16[(this.arena.hot(slot) + HOT.flags) >> 1]! |= FLAG.ASLEEP;
    this.asleep[slot] = SLEEP.ASLEEP;
    this.writable = NO_SLOT; // so that the next write, be it in this tick, is seen
  }
  isAsleep(slot: number): boolean {
    return this.asleep[slot] !== SLEEP.AWAKE;
  }
  wake(slot: number): void {
    this.asleep[slot] = SLEEP.AWAKE;
  }
  /** Whether a slot sleeps and nothing of it has changed since `noteStill`. */
  isStill(slot: number): boolean {
    return this.asleep[slot] === SLEEP.STILL;
  }
  /** Whether the view shows a slot as it is. */
  noteStill(slot: number, isShown: boolean): void {
    if (this.isAsleep(slot)) this.asleep[slot] = isShown ? SLEEP.STILL : SLEEP.ASLEEP;
  }

  /** A record created in this tick needs no undo copy: without the commit its slot is free again. */
  private checkNew(slot: number): void {
    assert(this.isNew(slot), 'I1: only the owner writes an entity');
  }

  private isNew(slot: number): boolean {
    return this.isTagged(this.arena.header(slot), HEADER.createdTick, HEADER.createdIncarnation);
  }

  private isTagged(header: number, tick: number, incarnation: number): boolean {
    const { i32 } = this.arena;
    if (i32[(header + tick) >> 2] !== this.tick) return false;
    return i32[(header + incarnation) >> 2] === this.options.incarnation;
  }

  /** Whether something is the slot of an entity that this shard owns, or has made in this tick. */
  isHere(slot: number): boolean {
    if (slot === this.writable || this.owned.has(slot)) return true;
    return Number.isInteger(slot) && slot >= 0 && slot < this.arena.capacity && this.isNew(slot);
  }

  id(slot: number): number {
    return this.arena.f64[(this.arena.header(slot) + HEADER.id) >> 3]!;
  }

  /** Where the id stands in the arena's Float64Array. */
  idAt(slot: number): number {
    return (this.arena.header(slot) + HEADER.id) >> 3;
  }

  kind(slot: number): number {
    return this.arena.u16[(this.arena.hot(slot) + HOT.kind) >> 1]!;
  }

  flags(slot: number): number {
    return this.arena.u16[(this.arena.hot(slot) + HOT.flags) >> 1]!;
  }

  /** Whether an entity is natural content that nobody has touched. */
  isNatural(slot: number): boolean {
    return (this.flags(slot) & FLAG.NATURAL) !== 0;
  }

  /** Brings the header's full epoch up to the owner word (see world/handover.ts). */
  setEpochFromWord(slot: number, word: number): void {
    const at = (this.arena.header(slot) + HEADER.epoch) >> 2;
    this.arena.u32[at] = epochFromWord(this.arena.u32[at]!, word);
  }

  epoch(slot: number): number {
    return this.arena.u32[(this.arena.header(slot) + HEADER.epoch) >> 2]!;
  }

  /** Tick in which an entity was last given away or went to rest, 0 = in none of this process. */
  givenTick(slot: number): number {
    return this.arena.i32[(this.arena.header(slot) + HEADER.handoverTick) >> 2]!;
  }

  /** Told of every slot that comes here: nothing was said or shown of it yet. */
  onAdopt: (slot: number, isHandedOver: boolean) => void = () => {};
  /** Told before a slot is offered to another shard. `withTile`: because the layout has changed. */
  onLeave: (slot: number, withTile: boolean) => void = () => {};
  /** Told before a slot leaves everyone's sight; its record is still its own. */
  onGone: (slot: number) => void = () => {};

  /** Square whose factor was asked for last in this tick; most who come one after the other stand in one. */
  private factorSquare = -1;
  private factor = FULL_SPEED;

  /** Percent of time that the leaf gets in which an entity of this shard stands. */
  factorOf(slot: number): number {
    if (!this.isSlowed) return FULL_SPEED;
    const hot = this.arena.hot(slot);
    const { f64 } = this.arena;
    const column = columnAt(f64, (hot + HOT.x) >> 3, LIMITS.deepestTileLevel);
    const row = rowAt(f64, (hot + HOT.y) >> 3, LIMITS.deepestTileLevel);
    const square = row * SQUARE_COLUMNS + column;
    if (square !== this.factorSquare) {
      this.factorSquare = square;
      this.factor = dilation(this.world.directory.service(column, row));
    }
    return this.factor;
  }

  /** Newest tick in which an entity of this shard was stepped or passed by. */
  seenTick(slot: number): number {
    return Math.max(this.arena.i32[(this.arena.hot(slot) + HOT.lastTick) >> 2]!, this.passed[slot]!);
  }

  /** Takes an owned slot into the local lists. @param isHandedOver by a shard, with all that it noted of it */
  adopt(slot: number, isHandedOver = false): void {
    this.onAdopt(slot, isHandedOver);
    this.passed[slot] = 0;
    this.asleep[slot] = SLEEP.AWAKE;
    this.stuck.forget(slot);
    this.owned.add(slot);
    if (this.kind(slot) === PLAYER_KIND) this.players.add(slot);
  }

  /** Lets a slot go from the local lists. */
  letGo(slot: number): void {
    this.owned.remove(slot);
    this.stuck.forget(slot);
    this.writable = NO_SLOT;
    if (this.players.has(slot)) this.players.remove(slot);
  }

  /** Whether game code is kept away from an entity (or, for −1 − tile, from a tile's content): it killed a shard twice. */
  isFrozen(id: number): boolean {
    return this.hasFrozen && this.frozen.has(id);
  }

  /** Slot of an entity that this shard owns, or −1. */
  find(id: number): number {
    const slot = this.world.ids.lookup(id);
    if (slot < 0) {
      const created = this.createdById.get(id) ?? -1;
      return created < 0 || this.isFreed(created) ? -1 : created;
    }
    if (!this.owned.has(slot)) return -1;
    const word = Atomics.load(this.arena.owner, slot);
    if (ownerState(word) !== OWNER.OWNED || ownerOf(word) !== this.shard) return -1;
    return this.isFreed(slot) ? -1 : slot;
  }

  /** Whether the slot was freed in this tick (the commit takes it away). */
  isFreed(slot: number): boolean {
    return this.isTagged(this.arena.header(slot), HEADER.freedTick, HEADER.freedIncarnation);
  }
}
