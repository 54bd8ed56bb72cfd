/**
 * The books of one shard about items, kept beside the records and not from them: every change that the shard means to
 * make is booked here, per entity and in sums; records that say something else were changed behind the shard's back,
 * or by a fault of it. The sums are local to the thread and committed with the tick (shard-block.ts, BOOK).
 *
 * - Per entity: what its bag should hold (memory/bag-notes.ts), handed over with it. Each tick compares its share of the
 *   entities, so that every bag is looked at once a second; who goes over a border is before it goes. Who changes hands
 *   with its tile is not looked at then: thousands do in one tick, and tiles stay longer than that second.
 * - Sums by who made the change, so that a handover moves nothing. Of each shard, at every commit:
 *   `held = created − consumed − posted + returned + arrived`; and over all shards never more has arrived or returned
 *   than was posted. `entered` is what was under way when its sender came back from disk.
 *
 * - `natural` are the items of natural content that nobody has touched: created, but told to no store, which is told of
 *   what was created less these.
 *
 * A replacement begins with the committed sums and with what the restored records hold.
 */
import { LIMITS } from '../base/limits.js';
import type { Arena } from '../memory/arena.js';
import { COLD, HEADER, HOT, OUTBOX, OUTBOX_BYTES } from '../memory/record.js';
import { BOOK, BOOK_WORDS, SHARD_COUNTER, type ShardBlock } from '../memory/shard-block.js';
import { HOW, NO_KIND, type TransferRing } from '../memory/transfer-ring.js';
import type { Deeds } from './deeds.js';
import type { EntityList } from './entity-list.js';

const KINDS = LIMITS.itemKinds;
const NO_ITEM = 255;
/** States of an outbox place whose items are on the way (mail.ts). */
const WAITING = 1;
const SENT = 2;
/** Of the bags of one tick: a heartbeat after so many. */
const BEAT_BAGS = 256;

export class Ledger {
  /** BOOK sums, KINDS words each. */
  readonly books = new Float64Array(BOOK_WORDS);
  private readonly created = new Float64Array(KINDS);
  private readonly bookList: number;
  private readonly notedList: number;
  private readonly wasPushed: number;

  constructor(
    private readonly arena: Arena,
    private readonly ring: TransferRing,
    private readonly block: ShardBlock,
    /** By slot: what the bag should hold. */
    private readonly noted: Uint32Array,
    private readonly deeds: Deeds,
  ) {
    this.bookList = deeds.track(this.books);
    this.notedList = deeds.track(noted);
    this.wasPushed = deeds.onUndo(() => ring.takeBack());
  }

  /** Takes an entity's bag as it stands: it comes from no shard that is alive, or is new. */
  adopt(slot: number): void {
    this.enter(slot);
    const items = (this.arena.cold(slot) + COLD.items) >> 2;
    for (let kind = 0; kind < KINDS; kind++) this.noted[slot * KINDS + kind] = this.arena.u32[items + kind]!;
  }

  /**
   * Something that comes from disk or with a login: what its outbox carries was posted by a shard that is no more. The
   * sums of one that dies before its commit are lost: the stamp says from which commit on they stand, and until then
   * whoever adopts it enters it anew.
   */
  private enter(slot: number): void {
    const { arena, block } = this;
    const stamp = (arena.header(slot) + HEADER.handoverStamp) >> 3;
    const since = -arena.f64[stamp]!;
    if (since < 0 || (since > 0 && since <= block.committedTick)) return;
    arena.f64[stamp] = -(block.committedTick + 1);
    if (arena.i32[(arena.hot(slot) + HOT.outboxCount) >> 2] === 0) return;
    for (let p = 0; p < LIMITS.outboxPlaces; p++) {
      const at = arena.cold(slot) + COLD.outbox + p * OUTBOX_BYTES;
      const state = arena.u8[at + OUTBOX.state];
      const kind = arena.u8[at + OUTBOX.itemKind]!;
      if ((state !== WAITING && state !== SENT) || kind === NO_ITEM) continue;
      this.books[BOOK.entered * KINDS + kind]! += arena.u32[(at + OUTBOX.itemCount) >> 2]!;
    }
  }

  /** Items come into being (n > 0) or are consumed (n < 0) in a bag. */
  change(slot: number, kind: number, n: number): void {
    this.noteBag(slot, kind, n);
    this.book(BOOK.held, kind, n);
  }

  private noteBag(slot: number, kind: number, n: number): void {
    this.deeds.note(this.notedList, slot * KINDS + kind);
    this.noted[slot * KINDS + kind]! += n;
  }

  private book(sum: number, kind: number, n: number): void {
    this.deeds.note(this.bookList, sum * KINDS + kind);
    this.books[sum * KINDS + kind]! += n;
  }

  /** A slot's bag becomes one of natural content that nobody has touched (1), or is one no more (−1). */
  natural(slot: number, sign: 1 | -1): void {
    const items = (this.arena.cold(slot) + COLD.items) >> 2;
    for (let kind = 0; kind < KINDS; kind++)
      this.book(BOOK.natural, kind, sign * this.arena.u32[items + kind]!);
  }

  /** What was created less what is natural, as the store is told it. @returns an array that the next call fills again */
  lasting(created: Float64Array): Float64Array {
    for (let kind = 0; kind < KINDS; kind++)
      this.created[kind] = created[kind]! - this.books[BOOK.natural * KINDS + kind]!;
    return this.created;
  }

  /** From bag to bag in one tick; the source's next message counter numbers it. */
  direct(from: number, to: number, kind: number, count: number, counter: number, tick: number): void {
    this.noteBag(from, kind, -count);
    this.noteBag(to, kind, count);
    const id = this.id(from);
    const [a, b] = [this.kind(from), this.kind(to)];
    this.ring.push(id, counter, id, this.id(to), kind, count, tick, HOW.direct, a, b);
    this.deeds.did(this.wasPushed);
  }

  /** Out of the bag, into the outbox. */
  post(from: number, kind: number, count: number): void {
    this.change(from, kind, -count);
    this.book(BOOK.posted, kind, count);
  }

  /** Refused, and back in the bag. */
  comeBack(from: number, kind: number, count: number): void {
    this.change(from, kind, count);
    this.book(BOOK.returned, kind, count);
  }

  /** Accepted by the target of a message. @param sourceSlot −1 = not known here */
  arrive(
    to: number,
    kind: number,
    count: number,
    source: number,
    counter: number,
    sourceSlot: number,
    tick: number,
  ): void {
    this.change(to, kind, count);
    this.book(BOOK.arrived, kind, count);
    // The kind of an entity never changes, so it may be read in a foreign record.
    const fromKind = sourceSlot < 0 ? NO_KIND : this.kind(sourceSlot);
    const target = this.id(to);
    this.ring.push(source, counter, source, target, kind, count, tick, HOW.message, fromKind, this.kind(to));
    this.deeds.did(this.wasPushed);
  }

  /** In the tick, before its commit: looks at a part of the entities. @param round ticks in which it looks at all of them */
  look(owned: EntityList, tick: number, round: number): void {
    let seen = 0;
    for (let i = tick % round; i < owned.count; i += round) {
      this.verify(owned.slots[i]!, tick);
      if (++seen % BEAT_BAGS === 0) this.block.beat();
    }
  }

  /** Compares a bag with the books; a difference is told once, as a line of the journal. */
  verify(slot: number, tick: number): void {
    const items = (this.arena.cold(slot) + COLD.items) >> 2;
    for (let kind = 0; kind < KINDS; kind++) {
      const there = this.arena.u32[items + kind]!;
      const noted = this.noted[slot * KINDS + kind]!;
      if (there === noted) continue;
      this.noted[slot * KINDS + kind] = there;
      this.block.count(SHARD_COUNTER.itemDifferences);
      const count = (there - noted) | 0;
      this.ring.push(0, 0, 0, this.id(slot), kind, count, tick, HOW.difference, NO_KIND, this.kind(slot));
    }
  }

  private id(slot: number): number {
    return this.arena.f64[(this.arena.header(slot) + HEADER.id) >> 3]!;
  }

  private kind(slot: number): number {
    return this.arena.u16[(this.arena.hot(slot) + HOT.kind) >> 1]!;
  }
}
