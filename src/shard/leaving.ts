/**
 * Players who go: said goodbye, or stayed away longer than the grace. After a commit, once a second for each player.
 *
 * A guest's entity is removed and what it carries is counted as consumed; an account's is parked in the arena until
 * its player comes back. Order: the inbox's writer word first (CAS to LEAVING: from here no socket can resume), then
 * the entity. A death in between leaves an owned entity with a LEAVING word; the next owner finishes the same way.
 */
import { COLD, HEADER, HOT, OWNER, packOwner } from '../memory/record.js';
import { LIMITS } from '../base/limits.js';
import { LEAVING, PRESENCE_STATE, writerGateway } from '../memory/inbox.js';
import { tagFreed } from '../memory/slots.js';
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import type { Core } from './core.js';
import type { Mail } from './mail.js';

/**
 * What a grace is longer by because the server was late: ticks of a stall run one after the other as fast as they can,
 * and who is away has had no chance to come back in them. Counted for as long as somebody may be away from before it.
 */
class Lateness {
  /** Ticks. */
  credit = 0;
  private until = 0;

  constructor(private readonly graceTicks: number) {}

  /** @param behind ticks that this one is behind the clock @param least fewer of them are ordinary */
  note(tick: number, behind: number, least: number): void {
    if (behind > least) {
      this.credit = Math.max(this.credit, behind);
      this.until = tick + behind + this.graceTicks;
    } else if (tick > this.until) this.credit = 0;
  }
}

export class Leaving {
  private readonly graceTicks: number;
  /** Each player is looked at once in so many ticks: once a second. */
  private readonly every: number;
  private readonly lateness: Lateness;
  private readonly idleGraceTicks: number;

  constructor(
    private readonly core: Core,
    private readonly mail: Mail,
  ) {
    this.graceTicks = Math.round(LIMITS.resumeGraceS / core.dt);
    this.every = core.world.clock.ticksPerSecond;
    this.lateness = new Lateness(this.graceTicks);
    this.idleGraceTicks = Math.round(LIMITS.idleGuestGraceS / core.dt);
  }

  /** In the tick, before the commit: each player once a second. */
  review(): void {
    const { core, every } = this;
    const { players, tick, world } = core;
    this.lateness.note(tick, world.clock.tickAt(core.clock.now()) - tick, every);
    for (let i = tick % every; i < players.count; i += every) this.consider(players.slots[i]!);
  }

  private consider(slot: number): void {
    const { core } = this;
    const { inboxes } = core.world;
    if (core.isFreed(slot)) return;
    // The word before the presence: a connection that comes in between makes the leave fail, not the other way round.
    const seen = inboxes.writer(slot);
    const left = writerGateway(seen) === LEAVING;
    if (!left && !this.isAway(slot)) return;
    if (!left && !inboxes.leave(slot, seen)) return; // a gateway is writing or resuming: look again in a second
    // What the client still sent is decided first (I3): from here nobody can add to it.
    const head = core.arena.i32[(core.arena.hot(slot) + HOT.inboxHead) >> 2]!;
    if (inboxes.available(slot, head) === 0) this.depart(slot);
  }

  private isAway(slot: number): boolean {
    const { inboxes } = this.core.world;
    const presence = inboxes.presence(slot);
    if (presence === PRESENCE_STATE.GOODBYE) return true;
    return (
      presence === PRESENCE_STATE.DISCONNECTED &&
      this.core.tick - inboxes.presenceTick(slot) >
        (this.isIdler(slot) ? this.idleGraceTicks : this.graceTicks) + this.lateness.credit
    );
  }

  /** A guest of whose session no action was decided: nothing is lost with it but its place. */
  private isIdler(slot: number): boolean {
    const { core } = this;
    const hot = core.arena.hot(slot);
    return !(core.flags(slot) & FLAG.ACCOUNT) && core.arena.u32[(hot + HOT.lastActionId) >> 2] === 0;
  }

  /** The session has ended for good. */
  private depart(slot: number): void {
    const { core } = this;
    const hot = core.writeHot(slot);
    core.arena.u16[(hot + HOT.flags) >> 1]! |= FLAG.OFFLINE;
    core.onGone(slot);
    if (!this.mail.isQuiet(slot)) {
      if (core.arena.i32[(hot + HOT.outboxCount) >> 2]! > 0) this.keepMail(slot);
      this.mail.wantSources(slot);
      return;
    }
    if (core.flags(slot) & FLAG.ACCOUNT) return; // parked after the commit, see rest()
    this.consumeBag(slot);
    tagFreed(core.arena, slot, core.options.incarnation, core.tick);
    core.freed.add(slot);
  }

  /** Mail of somebody who is not stepped any more still has to be answered. */
  private keepMail(slot: number): void {
    this.core.senders.add(slot);
    this.mail.prepare(slot);
  }

  private consumeBag(slot: number): void {
    const { core } = this;
    core.ledger.verify(slot, core.tick); // what must not be there is not counted as consumed
    const cold = core.writeCold(slot);
    for (let kind = 0; kind < LIMITS.itemKinds; kind++) {
      const at = (cold + COLD.items + kind * 4) >> 2;
      core.itemsConsumed[kind]! += core.arena.u32[at]!;
      core.ledger.change(slot, kind, -core.arena.u32[at]!);
      core.arena.u32[at] = 0;
    }
  }

  /** After the commit: accounts that have left are parked. */
  parkAccounts(): void {
    const { players, tick } = this.core;
    const { every } = this;
    for (let i = players.count - 1 - (tick % every); i >= 0; i -= every) {
      const slot = players.slots[i]!;
      if (this.mayRest(slot)) this.park(slot);
    }
  }

  /** Whether an entity may rest: no mail under way, and of players only accounts that have left. */
  mayRest(slot: number): boolean {
    const away = FLAG.OFFLINE | FLAG.ACCOUNT;
    if (this.core.kind(slot) === PLAYER_KIND && (this.core.flags(slot) & away) !== away) return false;
    return this.mail.isQuiet(slot);
  }

  /** Takes an entity that may rest to rest, after a commit. @returns false when it cannot be now */
  park(slot: number): boolean {
    const { core } = this;
    const hot = core.writeHot(slot);
    core.arena.u16[(hot + HOT.flags) >> 1]! |= FLAG.RESTED;
    if (!core.cut.leave(slot, true)) return false;
    core.arena.i32[(core.arena.header(slot) + HEADER.handoverTick) >> 2] = core.tick;
    // Whoever takes it has it from rest: no handover, and nothing to enter.
    core.arena.f64[(core.arena.header(slot) + HEADER.handoverStamp) >> 3] = -core.tick;
    core.onGone(slot);
    core.letGo(slot);
    Atomics.store(core.arena.owner, slot, packOwner(OWNER.PARKED, 127, 127, core.epoch(slot)));
    return true;
  }
}
