/**
 * Actions: drains the inboxes of the players that this shard owns and decides each entry exactly once (I3).
 *
 * The working head stands in the record, under the tick's undo copy; the head that the gateway sees is published only
 * after the commit. A death in between undoes both or neither: nothing is overwritten, nothing is applied twice.
 */
import { ERRORS } from '../base/errors.js';
import { fnvAction, FNV_BASIS } from '../base/fnv.js';
import { LIMITS } from '../base/limits.js';
import { CONTROL, PLACE as INBOX, type Inboxes } from '../memory/inbox.js';
import { COLD, HOT } from '../memory/record.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import { due } from '../world/dilation.js';
import type { World } from '../world/facade.js';
import type { CompiledAction } from '../world/game.js';
import { FLAG } from '../memory/player.js';
import type { Core } from './core.js';
import { inHand } from './in-hand.js';
import { checkOutcome } from './mistake.js';

const APPLIED: number = ERRORS.APPLIED.number;
const UNKNOWN_ACTION = ERRORS.UNKNOWN_ACTION.number;
const QUARANTINED = ERRORS.QUARANTINED.number;
const GAME_FAULT = ERRORS.GAME_FAULT.number;

export class Actions {
  private readonly inboxes: Inboxes;

  constructor(
    private readonly core: Core,
    private readonly facade: World,
  ) {
    this.inboxes = core.world.inboxes;
  }

  /** Drains every player's inbox within its budget. */
  drain(): void {
    const { players } = this.core;
    for (let i = 0; i < players.count; i++) {
      this.drainOne(players.slots[i]!);
      this.core.progress();
    }
  }

  private drainOne(slot: number): void {
    const { core, inboxes } = this;
    const { arena } = core;
    let hot = arena.hot(slot);
    let head = arena.i32[(hot + HOT.inboxHead) >> 2]!;
    let waiting = (inboxes.tail(slot) - head) | 0;
    if (core.isSlowed && !due(core.tick, core.factorOf(slot))) return this.drainControl(slot, head, waiting);
    let tokens = this.refill(slot, waiting);
    if (waiting <= 0) return;
    hot = core.writeHot(slot);
    for (let budget = core.actionsPerTick; waiting > 0; waiting--) {
      const at = inboxes.entry(slot, head);
      const kind = inboxes.u16[(at + INBOX.kind) >> 1]!;
      if (kind < CONTROL.FIRST) {
        if (budget <= 0 || tokens < 1) break;
        budget--;
        tokens--;
        this.decide(slot, at, kind);
        core.progress();
      } else {
        this.control(slot, at, kind);
      }
      head = (head + 1) | 0;
    }
    arena.i32[(hot + HOT.inboxHead) >> 2] = head;
    arena.f32[(hot + HOT.rateTokens) >> 2] = tokens;
    core.drained.add(slot);
  }

  /**
   * In a tick that is not due in a slowed tile actions wait, with their order; sessions that begin or come back, and
   * requests for the log, do not: what stands before the first waiting action is served.
   */
  private drainControl(slot: number, first: number, waiting: number): void {
    const { core, inboxes } = this;
    let head = first;
    for (; waiting > 0; waiting--) {
      const at = inboxes.entry(slot, head);
      const kind = inboxes.u16[(at + INBOX.kind) >> 1]!;
      if (kind < CONTROL.FIRST) break;
      this.control(slot, at, kind);
      head = (head + 1) | 0;
    }
    if (head === first) return;
    core.arena.i32[(core.writeHot(slot) + HOT.inboxHead) >> 2] = head;
    core.drained.add(slot);
  }

  /** The bucket lives in the record and so travels with a handover (case 12). */
  private refill(slot: number, waiting: number): number {
    const { core } = this;
    const at = (core.arena.hot(slot) + HOT.rateTokens) >> 2;
    const tokens = core.arena.f32[at]!;
    if (tokens >= LIMITS.actionBurst || (waiting <= 0 && tokens + 1 > LIMITS.actionBurst)) return tokens;
    const next = Math.min(LIMITS.actionBurst, tokens + LIMITS.actionsPerS * core.dt);
    core.writeHot(slot);
    core.arena.f32[at] = next;
    return next;
  }

  /** One action: outcome, acknowledgement, log hash. */
  private decide(slot: number, at: number, kind: number): void {
    const { core, inboxes } = this;
    const { arena } = core;
    const hot = arena.hot(slot);
    const id = inboxes.u32[(at + INBOX.actionId) >> 2]!;
    const session = inboxes.f64[(at + INBOX.sessionId) >> 3]!;
    const last = arena.u32[(hot + HOT.lastActionId) >> 2]!;
    if (session !== arena.f64[(hot + HOT.sessionId) >> 3] || id !== last + 1) {
      core.block.count(SHARD_COUNTER.skippedEntries);
      return;
    }
    const length = inboxes.u16[(at + INBOX.length) >> 1]!;
    core.block.takeInHand(core.id(slot), id);
    const code = this.apply(slot, at, kind, id, length);
    const cold = core.writeCold(slot);
    arena.u16[(cold + COLD.outcomes + (id & 63) * 2) >> 1] = code;
    arena.u32[(hot + HOT.lastActionId) >> 2] = id;
    const counter = code === APPLIED ? HOT.appliedCount : HOT.rejectedCount;
    arena.u32[(hot + counter) >> 2]! += 1;
    const hash = arena.u32[(hot + HOT.appliedHash) >> 2]!;
    arena.u32[(hot + HOT.appliedHash) >> 2] = fnvAction(
      hash,
      id,
      kind,
      inboxes.u8,
      at + INBOX.payload,
      length,
      code,
    );
    if (code === APPLIED) core.tallies.applied++;
    else core.tallies.rejected++;
    core.block.takeInHand(0, 0);
  }

  private apply(slot: number, at: number, kind: number, id: number, length: number): number {
    const { core } = this;
    const action = core.game.action(kind);
    if (action === undefined) return UNKNOWN_ACTION;
    for (const q of core.options.quarantine) {
      if (q.action === id && q.entity === core.id(slot)) return QUARANTINED;
    }
    const refused = action.decoder.decode(this.inboxes.u8, at + INBOX.payload, length);
    if (refused !== 0) return refused;
    return this.perform(slot, action);
  }

  /** As a deed: what is rejected has changed nothing, whether the game says so or throws. */
  private perform(slot: number, action: CompiledAction): number {
    const { deeds, faults } = this.core;
    const mark = deeds.open();
    try {
      const code = checkOutcome(action.apply(this.facade, slot, action.decoder.payload));
      if (code === APPLIED) deeds.keep();
      else deeds.undo(mark);
      return code;
    } catch (error) {
      faults.note(error, `action '${action.name}'`, this.core.id(slot));
      deeds.undo(mark);
      return GAME_FAULT;
    }
  }

  /** Session start, resume, request for the log. */
  private control(slot: number, at: number, kind: number): void {
    const { core, inboxes } = this;
    const session = inboxes.f64[(at + INBOX.sessionId) >> 3]!;
    const hot = core.arena.hot(slot);
    if (kind === CONTROL.LOG) {
      if (session === core.arena.f64[(hot + HOT.sessionId) >> 3]) core.logs.add(slot);
      return;
    }
    const known = session === core.arena.f64[(hot + HOT.sessionId) >> 3];
    if (kind === CONTROL.START && !known) this.startSession(slot, session);
    // ~slot: a resume of a session that is not this entity's (any more) is answered "no".
    core.ready.add(kind === CONTROL.RESUME && !known ? ~slot : slot);
  }

  private startSession(slot: number, session: number): void {
    const { core } = this;
    const { arena } = core;
    const hot = core.writeHot(slot);
    const cold = core.writeCold(slot);
    // Not undone by a death before the commit: then the session begins once more, and until then this is too little.
    core.world.cut.forget(slot);
    arena.f64[(hot + HOT.sessionId) >> 3] = session;
    arena.u32[(hot + HOT.lastActionId) >> 2] = 0;
    arena.u32[(hot + HOT.appliedCount) >> 2] = 0;
    arena.u32[(hot + HOT.rejectedCount) >> 2] = 0;
    arena.u32[(hot + HOT.appliedHash) >> 2] = FNV_BASIS;
    arena.u16.fill(0, (cold + COLD.outcomes) >> 1, ((cold + COLD.outcomes) >> 1) + 64);
    const flags = arena.u16[(hot + HOT.flags) >> 1]!;
    arena.u16[(hot + HOT.flags) >> 1] = flags & ~(FLAG.NEW | FLAG.OFFLINE);
    if ((flags & FLAG.NEW) === 0) return;
    const { module } = core.game;
    // Undone if it throws: whoever comes back with the next session is still new to the game.
    if (!inHand(core, core.id(slot), 'spawnPlayer', () => module.spawnPlayer?.(this.facade, slot)))
      arena.u16[(core.writeHot(slot) + HOT.flags) >> 1]! |= FLAG.NEW;
  }
}
