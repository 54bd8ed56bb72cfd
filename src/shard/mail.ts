/**
 * Mail: messages between entities, of one shard or of two, each applied exactly once (I3), items in them conserved (I2).
 *
 * ```
 *  source's outbox place            target's answer place
 *  waiting ── REQUEST ────────────▶ applied, answer kept
 *  answered ◀──────────── ANSWER ── (repeated for a repeated REQUEST)
 *  settling ── SETTLE ────────────▶ settled (a tombstone for two ticks)
 *  free     ◀─────────── SETTLED ──
 * ```
 *
 * Rings are lossy carriers: the outbox is the truth and sends again, at once when the target has changed shard. A shard
 * that does not own the target drops a request instead of forwarding it. Three rules make a late copy harmless:
 * 1. one message per (source, target) is under way at a time, in counter order;
 * 2. a settled place stays a tombstone until a whole later drain has run, so that copies pushed before the SETTLE,
 *    whatever ring they lie in, still find it;
 * 3. arrivals are accepted only up to the tail noted before the mail was drained: copies sent to an earlier stay of
 *    the target on this shard are dropped before it is back.
 * A letter carries the tick of its sender and waits for it at a receiver that is behind. That keeps the rules: an entity
 * comes back in a tick no earlier than the one in which its answer was settled, when all older copies have been taken.
 * Both records are under the tick's undo copies; a message leaves only after the commit.
 */
import { assert } from '../base/assert.js';
import { ERRORS } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { ANSWER, ANSWER_BYTES, COLD, HOT, OUTBOX, OUTBOX_BYTES } from '../memory/record.js';
import type { World } from '../world/facade.js';
import type { Core } from './core.js';
import { inHand } from './in-hand.js';
import type { Tiles } from './tiles.js';
import { MAIL, Letter } from './letter.js';
import { MailRings } from './mail-rings.js';
import { deliver, takeBack } from './deliver.js';
import { Outgoing } from './outgoing.js';

/** States of an outbox place. `lost`: when it was written its target did not exist. */
export const PLACE = { empty: 0, waiting: 1, sent: 2, settling: 3, lost: 4 } as const;
/** States of an answer place. */
const KEPT = { free: 0, answered: 1, settled: 2 } as const;
const NO_ITEM = 255;
const GONE = ERRORS.TARGET_GONE.number;
const GAME_FAULT = ERRORS.GAME_FAULT.number;

export class Mail {
  private readonly letter = new Letter();
  private readonly answerLetter = new Letter();
  private readonly out: Outgoing;
  private readonly rings: MailRings;
  private readonly resendTicks: number;
  /** Shard that a slot's outbox place was last sent to: a change means "send again now". Local, rebuilt by sending. */
  private readonly sentTo: Int8Array;

  constructor(
    private readonly core: Core,
    private readonly facade: World,
    tiles: Tiles,
  ) {
    this.out = new Outgoing(core, tiles);
    this.resendTicks = Math.ceil(LIMITS.messageResendS / core.dt);
    this.rings = new MailRings(core);
    this.sentTo = new Int8Array(core.arena.capacity * LIMITS.outboxPlaces).fill(-1);
  }

  /**
   * Puts a message into the source's outbox (part of the tick's transaction).
   * @param itemKind 255 = none; the items have already left the source's bag: the place is their escrow
   * @param state waiting, or lost: then it is answered TARGET_GONE without being sent
   * @returns whether there was a free place
   */
  post(
    source: number,
    target: number,
    kind: number,
    itemKind: number,
    itemCount: number,
    args: Float64Array,
    state: number = PLACE.waiting,
  ): boolean {
    const { core } = this;
    const { arena } = core;
    const hot = core.writeHot(source);
    const cold = core.writeCold(source);
    for (let p = 0; p < LIMITS.outboxPlaces; p++) {
      const at = cold + COLD.outbox + p * OUTBOX_BYTES;
      if (arena.u8[at + OUTBOX.state] !== PLACE.empty) continue;
      const counter = (arena.u32[(hot + HOT.messageCounter) >> 2]! + 1) >>> 0;
      arena.u32[(hot + HOT.messageCounter) >> 2] = counter;
      arena.i32[(hot + HOT.outboxCount) >> 2]! += 1;
      arena.f64[(at + OUTBOX.target) >> 3] = target;
      arena.u32[(at + OUTBOX.counter) >> 2] = counter;
      arena.u16[(at + OUTBOX.kind) >> 1] = kind;
      arena.u8[at + OUTBOX.itemKind] = itemKind;
      arena.u32[(at + OUTBOX.itemCount) >> 2] = itemCount;
      arena.i32[(at + OUTBOX.sentTick) >> 2] = 0;
      for (let i = 0; i < 4; i++) arena.f64[((at + OUTBOX.args) >> 3) + i] = args[i]!;
      arena.u8[at + OUTBOX.state] = state;
      return true;
    }
    return false;
  }

  /** Second step of a tick: everything that the rings hold now, or what an earlier tick has left of it. */
  drain(): void {
    this.rings.drain(this.letter, this.receive);
  }

  /** Letters that were there when the last arrivals were noted still wait: rule 3 lets no arrival in before them. */
  get isBehind(): boolean {
    return this.rings.isBehind;
  }

  private readonly receive = (m: Letter): void => {
    if (m.type === MAIL.LOSSY || m.type === MAIL.REQUEST || m.type === MAIL.SETTLE) {
      const target = this.core.find(m.target);
      if (target < 0) return; // not (any more) here: its sender finds the new owner
      if (m.type === MAIL.REQUEST) this.onRequest(target, m);
      else if (m.type === MAIL.SETTLE) this.onSettle(target, m);
      else this.ask(target, m);
      return;
    }
    const source = this.core.find(m.source);
    if (source < 0) return;
    if (m.type === MAIL.ANSWER) this.onAnswer(source, m.counter, m.answer);
    else this.onSettled(source, m.counter);
  };

  private onRequest(target: number, m: Letter): void {
    const { arena } = this.core;
    let cold = this.core.arena.cold(target);
    let free = -1;
    for (let p = 0; p < LIMITS.answerPlaces; p++) {
      const at = cold + COLD.answers + p * ANSWER_BYTES;
      const used = arena.u8[at + ANSWER.used]!;
      if (used !== KEPT.free && arena.f64[(at + ANSWER.source) >> 3] === m.source) {
        const kept = arena.u32[(at + ANSWER.counter) >> 2]!;
        if (kept === m.counter) {
          if (used === KEPT.answered) this.out.reply(m, MAIL.ANSWER, arena.u16[(at + ANSWER.answer) >> 1]!);
          return;
        }
        if (((m.counter - kept) | 0) < 0) return; // an old copy
        assert(used === KEPT.settled, 'I3: one message per source and target is under way');
        free = p;
        break;
      }
      if (free < 0 && this.isFree(at)) free = p;
    }
    if (free < 0) return; // full: no answer yet, the source repeats
    const answer = this.ask(target, m);
    cold = this.core.writeCold(target);
    const at = cold + COLD.answers + free * ANSWER_BYTES;
    arena.f64[(at + ANSWER.source) >> 3] = m.source;
    arena.u32[(at + ANSWER.counter) >> 2] = m.counter;
    arena.u16[(at + ANSWER.answer) >> 1] = answer;
    arena.u8[at + ANSWER.used] = KEPT.answered;
    this.out.reply(m, MAIL.ANSWER, answer);
  }

  /** The target's handler, as a deed: whoever asked one that throws is refused. */
  private ask(target: number, m: Letter): number {
    const { core } = this;
    const { block, deeds } = core;
    block.takeInHand(m.target, 0);
    const mark = deeds.open();
    let answer: number;
    try {
      answer = deliver(core, this.facade, target, m);
      deeds.keep();
    } catch (error) {
      core.faults.note(error, core.game.handlersOf(m.kind).receive, m.target);
      deeds.undo(mark);
      answer = GAME_FAULT;
    }
    block.takeInHand(0, 0);
    return answer;
  }

  /** A tombstone is free once a whole drain has run after the tick in which it was settled. */
  private isFree(at: number): boolean {
    const { arena, tick } = this.core;
    const used = arena.u8[at + ANSWER.used]!;
    const settled = arena.f64[(at + ANSWER.arg) >> 3]!;
    return (
      used === KEPT.free || (used === KEPT.settled && settled <= tick - 2 && settled < this.rings.wholeBegan)
    );
  }

  private onSettle(target: number, m: Letter): void {
    const { arena } = this.core;
    const cold = this.core.writeCold(target);
    for (let p = 0; p < LIMITS.answerPlaces; p++) {
      const at = cold + COLD.answers + p * ANSWER_BYTES;
      if (arena.u8[at + ANSWER.used] !== KEPT.answered || arena.f64[(at + ANSWER.source) >> 3] !== m.source)
        continue;
      if (arena.u32[(at + ANSWER.counter) >> 2] !== m.counter) continue;
      arena.u8[at + ANSWER.used] = KEPT.settled;
      arena.f64[(at + ANSWER.arg) >> 3] = this.core.tick;
    }
    this.out.reply(m, MAIL.SETTLED, 0);
  }

  private onAnswer(source: number, counter: number, answer: number): void {
    const { core } = this;
    const { arena } = core;
    const at = this.placeOf(source, counter);
    if (at < 0) return;
    const state = arena.u8[at + OUTBOX.state];
    if (state !== PLACE.sent && state !== PLACE.waiting) return;
    core.writeCold(source);
    core.block.takeInHand(core.id(source), 0);
    this.conclude(source, at, answer);
    core.block.takeInHand(0, 0);
    arena.u8[at + OUTBOX.state] = PLACE.settling;
    arena.i32[(at + OUTBOX.sentTick) >> 2] = 0; // settle is due now
  }

  /** The source learns the answer: refused items come back, the game is told. */
  private conclude(source: number, at: number, answer: number): void {
    const { core } = this;
    const { arena } = core;
    const itemKind = arena.u8[at + OUTBOX.itemKind]!;
    if (answer !== 0 && itemKind !== NO_ITEM) {
      const count = arena.u32[(at + OUTBOX.itemCount) >> 2]!;
      const target = arena.f64[(at + OUTBOX.target) >> 3]!;
      arena.u8[at + OUTBOX.itemKind] = NO_ITEM;
      takeBack(core, this.facade, source, itemKind, count, target, answer);
    }
    arena.u8[at + OUTBOX.itemKind] = NO_ITEM;
    const definition = core.game.message(arena.u16[(at + OUTBOX.kind) >> 1]!);
    if (definition?.answered === undefined) return;
    const { answerLetter } = this;
    answerLetter.fromOutbox(arena, at, core.id(source));
    answerLetter.itemKind = itemKind;
    const what = core.game.handlersOf(answerLetter.kind).answered;
    inHand(core, core.id(source), what, () =>
      definition.answered?.(this.facade, source, answerLetter, answer),
    );
  }

  private onSettled(source: number, counter: number): void {
    const at = this.placeOf(source, counter);
    if (at < 0 || this.core.arena.u8[at + OUTBOX.state] !== PLACE.settling) return;
    this.free(source, at);
  }

  private free(source: number, at: number): void {
    const hot = this.core.writeHot(source);
    this.core.writeCold(source);
    this.core.arena.u8[at + OUTBOX.state] = PLACE.empty;
    this.core.arena.i32[(hot + HOT.outboxCount) >> 2]! -= 1;
  }

  private placeOf(source: number, counter: number): number {
    const { arena } = this.core;
    const first = arena.cold(source) + COLD.outbox;
    for (let p = 0; p < LIMITS.outboxPlaces; p++) {
      const at = first + p * OUTBOX_BYTES;
      if (arena.u8[at + OUTBOX.state] !== PLACE.empty && arena.u32[(at + OUTBOX.counter) >> 2] === counter)
        return at;
    }
    return -1;
  }

  /** In the step, before the commit: notices targets that are gone, marks what will be sent. */
  prepare(source: number): void {
    const { core } = this;
    const { arena } = core;
    const first = arena.cold(source) + COLD.outbox;
    for (let p = 0; p < LIMITS.outboxPlaces; p++) {
      const at = first + p * OUTBOX_BYTES;
      const state = arena.u8[at + OUTBOX.state]!;
      if (state === PLACE.empty) continue;
      const id = arena.f64[(at + OUTBOX.target) >> 3]!;
      if (state === PLACE.lost || core.world.ids.lookup(id) < 0) {
        // One that was made in this tick is known to all after the commit.
        if (state !== PLACE.lost && (core.createdById.has(id) || !core.asking.isGone(id))) continue;
        // Ids are never used again and no entity leaves with an unsettled answer: nothing was or will be applied.
        core.writeCold(source);
        if (state !== PLACE.settling) this.conclude(source, at, GONE);
        this.free(source, at);
      } else if (state === PLACE.waiting && this.isOldestTo(first, p)) {
        core.writeCold(source);
        arena.u8[at + OUTBOX.state] = PLACE.sent;
        this.sentTo[source * LIMITS.outboxPlaces + p] = -1;
      }
    }
  }

  /** Rule 1: no older message to the same target is under way. */
  private isOldestTo(first: number, place: number): boolean {
    const { arena } = this.core;
    const mine = first + place * OUTBOX_BYTES;
    const target = arena.f64[(mine + OUTBOX.target) >> 3];
    const counter = arena.u32[(mine + OUTBOX.counter) >> 2]!;
    for (let p = 0; p < LIMITS.outboxPlaces; p++) {
      const at = first + p * OUTBOX_BYTES;
      if (p === place || arena.u8[at + OUTBOX.state] === PLACE.empty) continue;
      if (arena.f64[(at + OUTBOX.target) >> 3] !== target) continue;
      if (((arena.u32[(at + OUTBOX.counter) >> 2]! - counter) | 0) < 0) return false;
    }
    return true;
  }

  /** For a message without guarantee: pushed after the commit, to whoever owns the target then. */
  postLossy(m: Letter): void {
    this.out.lossy(m);
  }

  /** After the commit: replies, then the outboxes of those who have mail. */
  send(): void {
    this.out.sendReplies();
    const { senders } = this.core;
    for (let i = 0; i < senders.count; i++) {
      this.sendOutbox(senders.values[i]!);
      this.core.progress();
    }
  }

  private sendOutbox(source: number): void {
    const { core } = this;
    const { arena, tick } = core;
    const first = arena.cold(source) + COLD.outbox;
    for (let p = 0; p < LIMITS.outboxPlaces; p++) {
      const at = first + p * OUTBOX_BYTES;
      const state = arena.u8[at + OUTBOX.state]!;
      if (state !== PLACE.sent && state !== PLACE.settling) continue;
      const key = source * LIMITS.outboxPlaces + p;
      const owner = this.out.ownerOf(arena.f64[(at + OUTBOX.target) >> 3]!);
      if (owner < 0) continue;
      const sentTick = arena.i32[(at + OUTBOX.sentTick) >> 2]!;
      if (sentTick > 0 && this.sentTo[key] === owner && tick - sentTick < this.resendTicks) continue;
      this.letter.fromOutbox(arena, at, core.id(source));
      this.letter.type = state === PLACE.sent ? MAIL.REQUEST : MAIL.SETTLE;
      if (!this.out.push(this.letter, owner)) continue;
      // sentTick is a note for repeating, not state: a restored or stale value only means one more copy.
      arena.i32[(at + OUTBOX.sentTick) >> 2] = tick;
      this.sentTo[key] = owner;
    }
  }

  /** Whether an entity may leave the world or rest: nothing under way, no answer that is not settled. */
  isQuiet(slot: number): boolean {
    const { arena } = this.core;
    if (arena.i32[(arena.hot(slot) + HOT.outboxCount) >> 2] !== 0) return false;
    const first = arena.cold(slot) + COLD.answers;
    for (let p = 0; p < LIMITS.answerPlaces; p++) {
      if (!this.isFree(first + p * ANSWER_BYTES)) return false;
    }
    return true;
  }

  /** Of an entity that would leave, but has answers that nobody settles: their askers may rest in the store. */
  wantSources(slot: number): void {
    const { arena, asking, world } = this.core;
    const first = arena.cold(slot) + COLD.answers;
    for (let p = 0; p < LIMITS.answerPlaces; p++) {
      const at = first + p * ANSWER_BYTES;
      if (arena.u8[at + ANSWER.used] !== KEPT.answered) continue;
      const source = arena.f64[(at + ANSWER.source) >> 3]!;
      if (world.ids.lookup(source) < 0) asking.want(source);
    }
  }
}
