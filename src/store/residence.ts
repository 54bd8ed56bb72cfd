/**
 * Who of the stored entities is in the arena: loading and unloading, by the store's thread alone.
 *
 * ```
 *            load: slot taken, record filled, id inserted, PARKED
 *   resting ────────────────────────────────────────────────────▶ in the arena
 *      ▲                                                              │ shard parks it, its record is durable
 *      └── slot freed ◀── id removed ◀── PARKED → RESERVED(100) ◀─────┘
 *                                        by CAS on the very word that was pushed
 * ```
 * Order of an unload: the word first, then the id, then the slot. From the CAS on nobody else can take the entity; a
 * tile that wakes meanwhile has its entry in the directory before it asks for the load, so either its request comes after
 * the unload, or the look at the directory after the unload sees it awake, and the entity is loaded again.
 * Death: the store's thread does not die alone (its end is the process's), so no RESERVED(100) is ever left behind.
 */
import { assert } from '../base/assert.js';
import type { Clock } from '../base/clock.js';
import { FLAG } from '../memory/player.js';
import {
  COLD_BYTES,
  EPOCH_MASK,
  HEADER,
  HOT,
  HOT_BYTES,
  NOBODY,
  OWNER,
  epochOf,
  packOwner,
} from '../memory/record.js';
import { PLAYER_KIND } from '../memory/player.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { SlotCache, freeSlot } from '../memory/slots.js';
import { STORED_RECORD as AT, STORE_THREAD } from '../memory/store-ring.js';
import { type Codec, RecordBytes, type Rest } from './codec.js';
import { Resting } from './resting.js';

/** What came of a load. */
export type Load = 'here' | 'absent' | 'refused' | 'no-room';

/** An entity that was loaded for somebody who may not come. */
interface Visitor {
  id: number;
  slot: number;
  epoch: number;
  until: number;
}

/** A loaded entity that nobody takes within this goes back to rest. */
const VISIT_MS = 30_000;

export class Residence {
  /** In the arena: base tile that its place in the engine says, −1 for players, −2 = not in the engine yet. */
  readonly active = new Map<number, number>();
  /** Of those: what the running game has no place for. */
  readonly rests = new Map<number, Rest>();
  loads = 0;
  unloads = 0;
  corrupt = 0;
  private readonly record = new RecordBytes();
  private readonly other = new RecordBytes();
  private readonly resting: Resting;
  private readonly slots: SlotCache;
  private visitors: Visitor[] = [];

  /**
   * @param read newest bytes of an entity: what is not durable yet before what is; null = gone, undefined = never there
   * @param refuse told of bytes that are no entity
   */
  constructor(
    private readonly world: SharedWorld,
    private readonly codec: Codec,
    private readonly read: (id: number) => Uint8Array | null | undefined,
    private readonly refuse: (id: number, why: string) => void,
    private readonly clock: Clock,
  ) {
    this.slots = new SlotCache(world.arena, STORE_THREAD);
    this.resting = new Resting(world, (id) => this.peek(id));
  }

  /** Brings an entity into the arena, PARKED. @param visitUntil clock ms at which it goes again if nobody took it */
  load(id: number, visitUntil = 0): Load {
    if (this.active.has(id) || this.world.ids.lookup(id) >= 0) return 'here';
    const { record } = this;
    const fault = this.fetch(id, record);
    if (fault === 'absent') return 'absent';
    if (fault !== null) {
      this.corrupt++;
      this.refuse(id, fault);
      return 'refused';
    }
    const slot = this.slots.take();
    if (slot < 0) return 'no-room';
    const epoch = this.fill(slot, record);
    const { arena, ids } = this.world;
    assert(ids.insert(id, slot), 'I7: an id has its place while its slot is in use');
    if (record.rest !== null) this.rests.set(id, record.rest);
    this.active.set(id, record.kind === PLAYER_KIND ? -1 : record.tile);
    // Last: from here anybody may take it.
    Atomics.store(arena.owner, slot, packOwner(OWNER.PARKED, NOBODY, NOBODY, epoch));
    if (visitUntil > 0) this.visitors.push({ id, slot, epoch, until: visitUntil });
    this.loads++;
    return 'here';
  }

  /** The stored record of an entity that is not in the arena. */
  private peek(id: number): RecordBytes | null {
    return this.fetch(id, this.other) === null ? this.other : null;
  }

  /** @returns null = the record is filled, 'absent', or why it cannot be read */
  private fetch(id: number, record: RecordBytes): string | null {
    try {
      const bytes = this.read(id);
      if (bytes === undefined || bytes === null) return 'absent';
      return this.codec.decode(bytes, record) ?? (record.id === id ? null : 'it is another entity');
    } catch (error) {
      return (error as Error).message; // a page on the way to it
    }
  }

  visit(id: number, now: number): Load {
    return this.load(id, now + VISIT_MS);
  }

  /** @returns the entity's owner epoch here */
  private fill(slot: number, record: RecordBytes): number {
    const { arena, inboxes, cut } = this.world;
    const word = Atomics.load(arena.owner, slot);
    const header = arena.header(slot);
    const hot = arena.hot(slot);
    // Beyond the stored epoch (I4), and in step with the slot's own words, none of which may come back either.
    const least = (record.epoch + 1) >>> 0;
    const epoch = (least + ((epochOf(word) + 1 - least) & EPOCH_MASK)) >>> 0;
    const hotBytes = record.u8.subarray(AT.hot, AT.hot + HOT_BYTES);
    arena.u8.set(hotBytes, hot);
    arena.u8.set(record.u8.subarray(AT.cold, AT.cold + COLD_BYTES), arena.cold(slot));
    arena.u16[(hot + HOT.flags) >> 1] |= FLAG.RESTED; // its clock starts anew at the next step
    arena.u32[(header + HEADER.epoch) >> 2] = epoch;
    arena.i32[(header + HEADER.birthTick) >> 2] = record.i32[AT.birthTick >> 2];
    arena.f64[(header + HEADER.handoverStamp) >> 3] = 0;
    arena.i32[(header + HEADER.handoverTick) >> 2] = 0; // what comes from the store is of no tick of this process
    const isPlaying = record.kind === PLAYER_KIND && (record.flags & FLAG.OFFLINE) === 0;
    if (isPlaying) inboxes.expect(slot, this.world.clock.tickAt(this.clock.now()));
    else inboxes.reset(slot);
    cut.reset(slot, 0);
    cut.pushed(slot, arena.u32[(hot + HOT.lastActionId) >> 2], 0); // all of it came from the durable store
    // Last of the header: from here a lookup can find the slot.
    arena.f64[(header + HEADER.id) >> 3] = record.id;
    this.resting.count(slot, -1);
    return epoch;
  }

  /**
   * Takes an entity out of the arena whose parked record is durable.
   * @param epoch full owner epoch under which it was pushed
   * @returns false when somebody has taken it since
   */
  unload(id: number, slot: number, epoch: number): boolean {
    const { arena, ids } = this.world;
    const parked = packOwner(OWNER.PARKED, NOBODY, NOBODY, epoch);
    const mine = packOwner(OWNER.RESERVED, STORE_THREAD, NOBODY, epoch);
    if (Atomics.compareExchange(arena.owner, slot, parked, mine) !== parked) return false;
    const header = arena.header(slot);
    const isIt =
      arena.f64[(header + HEADER.id) >> 3] === id && arena.u32[(header + HEADER.epoch) >> 2] === epoch >>> 0;
    if (!isIt) {
      Atomics.store(arena.owner, slot, parked); // another life of the slot, by chance under the same low bits
      return false;
    }
    ids.remove(id, slot);
    this.resting.count(slot, 1);
    freeSlot(arena, slot);
    this.active.delete(id);
    this.rests.delete(id);
    this.unloads++;
    return true;
  }

  /** Sends loaded entities back to rest that nobody took. */
  sendBack(now: number): void {
    if (this.visitors.length === 0 || this.visitors[0].until > now) return;
    this.visitors = this.visitors.filter(({ id, slot, epoch, until }) => {
      if (until > now) return true;
      this.unload(id, slot, epoch);
      return false;
    });
  }

  /** The entity's end is durable. */
  forget(id: number): void {
    this.active.delete(id);
    this.rests.delete(id);
  }

  close(): void {
    this.slots.release();
  }
}
