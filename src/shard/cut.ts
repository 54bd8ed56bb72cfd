/**
 * A shard's part in the durable cut (memory/cut-block.ts): what it changes goes into its store ring, in the tick that
 * the store asks for, and with everything that leaves it in between. Synchronous, allocates nothing, waits for nobody:
 * where the ring has no room the cut is missed and asked for again, and what wants to leave stays for now.
 *
 * Natural content that nobody has touched is told to nobody (nature.ts): it stays dirty, whoever owns it, until it is
 * touched or gone.
 *
 * Without a store (STORE_STATE.OFF) nothing is pushed and everything succeeds. Of a volatile one (cut-block.ts) only what
 * goes to rest is, and what is gone.
 */
import { HEADER, HOT } from '../memory/record.js';
import { STORE_STATE } from '../memory/cut-block.js';
import { freeSlot } from '../memory/slots.js';
import {
  pushGone,
  pushMark,
  pushRecord,
  pushTile,
  pushTotals,
  pushTransfer,
  type TransferLine,
} from '../memory/store-ring.js';
import { HOW, type Transfer } from '../memory/transfer-ring.js';
import type { Core } from './core.js';

export class Cut {
  /** Cut to be taken at the end of the running tick, 0 = none. */
  private due = 0;
  /** Removed and gone from every list, but the store could not be told yet: their slots are still ours. */
  private readonly ended: Int32Array;
  private endedCount = 0;

  constructor(private readonly core: Core) {
    this.ended = new Int32Array(core.arena.capacity);
  }

  get isOn(): boolean {
    return this.block.state !== STORE_STATE.OFF;
  }

  /** First of all, before the clock is read for the first tick. */
  open(): void {
    this.block.open(this.core.shard);
  }

  /**
   * A replacement, before its first tick: the state at `committed` is the state at every tick up to `first` − 1.
   * @param committed what stands @param first tick that will be run next @param hasTold see `take`
   */
  resume(committed: number, first: number, hasTold: boolean): void {
    const cut = this.unanswered();
    if (cut === 0) return;
    const tick = this.block.askedTick;
    if (tick >= first) return;
    if (tick >= committed && hasTold) this.answer(cut, tick);
    else this.miss(cut);
  }

  /** First thing in a tick: whether a cut is to be taken in it. */
  look(): void {
    this.due = 0;
    const cut = this.unanswered();
    if (cut === 0) return;
    const tick = this.block.askedTick;
    if (tick === this.core.tick) this.due = cut;
    else if (tick < this.core.tick) this.miss(cut);
  }

  /**
   * After the commit, and before anything of the tick leaves: everything up to here belongs to the cut.
   * @param hasTold whether all new tiles were told
   */
  take(hasTold: boolean): void {
    this.retry();
    if (this.due === 0) return;
    if (hasTold) this.answer(this.due, this.core.tick);
    else this.miss(this.due);
    this.due = 0;
  }

  /**
   * Before the owner word of a slot changes: its record goes ahead. @param parked it is about to rest
   * @returns false when there is no room: it has to stay for now
   */
  leave(slot: number, parked: boolean): boolean {
    if (!this.isOn || (!parked && (this.block.dirty[slot] === 0 || this.core.isNatural(slot)))) return true;
    // Behind this tick's mark, if it had one.
    if (this.push(slot, this.core.tick, this.core.tick + 1, parked)) return true;
    this.block.countFull(this.core.shard);
    return false;
  }

  /** A removed entity, out of all lists: the store is told, then its slot is freed, now or when there is room. */
  end(slot: number): void {
    if (!this.tryEnd(slot)) {
      this.block.countFull(this.core.shard);
      this.ended[this.endedCount++] = slot;
    }
  }

  /** Natural content of a tile was made in a committed tick. @returns false when there is no room: tell it again */
  tile(tile: number, tick: number): boolean {
    return !this.isOn || pushTile(this.ring, tile, tick);
  }

  /**
   * The last thing in good order. What this number still owns is not dirty: whoever starts it anew may go on. Its totals
   * and journal go with it: no cut waits for a closed shard, and what it made is in others' records by then (I2).
   */
  close(): void {
    this.retry();
    if (!this.isOn || (this.endedCount === 0 && this.pushRest())) this.block.close(this.core.shard);
    this.block.ring();
  }

  private get block() {
    return this.core.world.cut;
  }
  private get ring() {
    return this.core.world.stored[this.core.shard]!;
  }

  /** Whether nothing is left to be told; a cut that was asked for may still have to be answered. */
  get isQuiet(): boolean {
    return this.endedCount === 0;
  }

  /** Tick of a cut that this shard has still to answer, 0 = none. */
  get askedTick(): number {
    return this.unanswered() === 0 ? 0 : this.block.askedTick;
  }

  private unanswered(): number {
    if (!this.isOn) return 0;
    const { block } = this;
    const { shard } = this.core;
    const cut = block.asked;
    return cut > block.marked(shard) && cut > block.missed(shard) ? cut : 0;
  }

  private answer(cut: number, tick: number): void {
    const { core, ring, block } = this;
    ring.rewind();
    const whole =
      this.endedCount === 0 &&
      this.pushAll(tick, tick) &&
      this.pushJournal(tick) &&
      pushTotals(ring, tick, core.ledger.lasting(core.itemsCreated), core.itemsConsumed) &&
      pushMark(ring, cut, tick);
    if (!whole) return this.miss(cut);
    block.mark(core.shard, cut);
    block.ring();
  }

  /** Lines of committed transfers that the store has not heard of; a death in between tells some of them again. */
  private pushJournal(tick: number): boolean {
    this.isJournalHeld = false;
    const journal = this.core.world.transfers[this.core.shard]!;
    journal.told = journal.read(journal.told, tick, this.tellLine);
    return !this.isJournalHeld;
  }

  private isJournalHeld = false;
  private readonly stored: TransferLine = {
    source: 0,
    counter: 0,
    from: 0,
    to: 0,
    itemKind: 0,
    count: 0,
    tick: 0,
    how: 0,
  };
  private readonly tellLine = (line: Transfer): boolean => {
    this.core.progress();
    if (line.how === HOW.difference) return true; // of the audit, no transfer
    const { stored } = this;
    stored.itemKind = line.item;
    stored.source = line.source;
    stored.counter = line.counter;
    stored.from = line.from;
    stored.to = line.to;
    stored.count = line.count;
    stored.tick = line.tick;
    stored.how = line.how;
    this.isJournalHeld = !pushTransfer(this.ring, stored);
    return !this.isJournalHeld;
  };

  private pushRest(): boolean {
    const { core, ring } = this;
    const { tick } = core;
    return (
      this.pushAll(tick, tick + 1) &&
      this.pushJournal(tick) &&
      pushTotals(ring, tick, core.ledger.lasting(core.itemsCreated), core.itemsConsumed)
    );
  }

  private miss(cut: number): void {
    this.block.countFull(this.core.shard);
    this.block.miss(this.core.shard, cut);
    this.block.ring();
  }

  private pushAll(tick: number, cutTick: number): boolean {
    const { owned } = this.core;
    const { dirty } = this.block;
    for (let i = 0; i < owned.count; i++) {
      const slot = owned.slots[i]!;
      // A replacement may have what was given to the dead one in the tick in which it died: its giver pushed it.
      if (dirty[slot] === 0 || this.core.isNatural(slot) || this.core.givenTick(slot) > tick) continue;
      if (!this.push(slot, tick, cutTick, false)) return false;
      this.core.progress();
    }
    return true;
  }

  private push(slot: number, tick: number, cutTick: number, parked: boolean): boolean {
    const { arena } = this.core;
    const isTold = parked || !this.block.isVolatile;
    if (isTold && !pushRecord(this.ring, arena, slot, tick, parked)) return false;
    // After the push: a death in between pushes it once more.
    this.block.pushed(slot, arena.u32[(arena.hot(slot) + HOT.lastActionId) >> 2]!, cutTick);
    return true;
  }

  private tryEnd(slot: number): boolean {
    const { core } = this;
    const { arena } = core;
    const h = arena.header(slot);
    const tick = arena.i32[(h + HEADER.freedTick) >> 2]!;
    const isTold = this.isOn && !core.isNatural(slot);
    if (isTold && !pushGone(this.ring, core.id(slot), tick, core.epoch(slot), core.nature.origin(slot)))
      return false;
    // Freed after the push: in between, a replacement finds the committed tag of the freeing and tells it again.
    this.block.dirty[slot] = 0;
    freeSlot(arena, slot);
    return true;
  }

  private retry(): void {
    while (this.endedCount > 0 && this.tryEnd(this.ended[this.endedCount - 1]!)) {
      this.endedCount--;
      this.core.progress();
    }
  }
}
