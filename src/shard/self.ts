/**
 * What one player is told about itself: self updates, READY (a session begins or resumes here) and its log. Pushed
 * into the ring of the gateway that holds the player's socket; the gateway forwards the bytes as they are.
 *
 * Cumulative by design: each self update repeats the applied and durable ids and the outcomes since the last one, so a
 * lost or doubled one harms nobody.
 */
import { assert } from '../base/assert.js';
import { LIMITS } from '../base/limits.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import { PRESENCE_STATE, writerEpoch, writerGateway } from '../memory/inbox.js';
import { COLD, HOT } from '../memory/record.js';
import { LogReplyWriter, type SelfState, SelfUpdateWriter } from '../wire/self-update.js';
import { FULL_SPEED } from '../world/dilation.js';
import type { Core } from './core.js';
import type { Notes } from './notes.js';
import { READY_HEAD_BYTES, RECORD, SELF_HEAD_BYTES } from '../memory/player.js';
import type { GatewayRings } from './gateway-rings.js';

/** Outcomes kept in a record: those of the last 64 actions. */
const KEPT_OUTCOMES = 64;
/** Self updates go out at least so often (or in every tick, where those are fewer), even when nothing changed. */
const LEAST_PER_S = 4;

export class SelfUpdates {
  private readonly writer = new SelfUpdateWriter();
  private readonly logWriter = new LogReplyWriter();
  /** By slot, local: last id whose outcome was told, tick of the last update, hash of what was told. */
  private readonly told: Uint32Array;
  private readonly toldTick: Int32Array;
  private readonly toldDurable: Uint32Array;
  private readonly state: SelfState;
  /** Ticks between two of who moves, and of who does not. */
  private readonly every: number;
  private readonly quietTicks: number;

  constructor(
    private readonly core: Core,
    private readonly rings: GatewayRings,
  ) {
    const most = Math.max(1, Math.floor(core.world.clock.ticksPerSecond / LEAST_PER_S));
    this.every = divisorUpTo(core.options.frameEvery, most);
    this.quietTicks = Math.floor(most / this.every) * this.every;
    this.told = new Uint32Array(core.arena.capacity);
    this.toldTick = new Int32Array(core.arena.capacity);
    this.toldDurable = new Uint32Array(core.arena.capacity);
    this.state = {
      tick: 0,
      epoch: 0,
      x: 0,
      y: 0,
      vx: 0,
      vy: 0,
      applied: 0,
      durable: 0,
      dilation: 1,
      outcomeIds: new Uint32Array(KEPT_OUTCOMES),
      outcomeCodes: new Uint32Array(KEPT_OUTCOMES),
      outcomeCount: 0,
      items: new Uint32Array(LIMITS.itemKinds),
      itemCount: core.game.module.items.length,
    };
  }

  /** Nothing was told yet to whoever is adopted. */
  forget(slot: number): void {
    this.told[slot] = 0;
    this.toldTick[slot] = 0;
    this.toldDurable[slot] = 0;
  }

  /** Whether a tick is one for self updates: each tick with frames, and between those where they are few. */
  isDue(tick: number): boolean {
    return tick % this.every === 0;
  }

  /** In such a tick: those players for whom something changed, the others at a lower rate. */
  publish(): void {
    const { players, tick } = this.core;
    const { quietTicks } = this;
    for (let i = 0; i < players.count; i++) {
      const slot = players.slots[i]!;
      this.core.progress();
      const applied = this.core.arena.u32[(this.core.arena.hot(slot) + HOT.lastActionId) >> 2]!;
      const isOld = applied !== this.told[slot] || this.durable(slot, applied) !== this.toldDurable[slot];
      if (!isOld && tick - this.toldTick[slot]! < quietTicks) continue;
      if (this.core.world.inboxes.presence(slot) === PRESENCE_STATE.CONNECTED)
        this.push(slot, RECORD.SELF, this.told[slot]!);
    }
  }

  /** After every commit: sessions that began or resumed, and logs that were asked for. Kept while a ring is full. */
  answer(): void {
    if (this.core.ready.count > 0) this.each(this.core.ready, this.pushReady);
    if (this.core.logs.count > 0) this.each(this.core.logs, this.tellLog);
  }

  private readonly pushReady = (note: number): boolean =>
    this.push(note < 0 ? ~note : note, RECORD.READY, 0, note >= 0 ? 1 : 0);
  private readonly tellLog = (slot: number): boolean => this.pushLog(slot);

  private each(notes: Notes, push: (note: number) => boolean): void {
    let kept = 0;
    for (let i = 0; i < notes.count; i++) {
      const note = notes.values[i]!;
      this.core.progress();
      if (this.core.owned.has(note < 0 ? ~note : note) && !push(note)) notes.values[kept++] = note;
    }
    notes.count = kept;
  }

  /** @returns false when the gateway's ring is full */
  private push(slot: number, type: number, since: number, ok = 1): boolean {
    const { core, rings, state } = this;
    const writer = core.world.inboxes.writer(slot);
    const gateway = writerGateway(writer);
    if (gateway >= rings.count) return true; // nobody listens
    this.fill(slot, since);
    const head = type === RECORD.READY ? READY_HEAD_BYTES : SELF_HEAD_BYTES;
    const at = rings.reserve(gateway, head + this.writer.maxBytes);
    if (at < 0) {
      core.block.count(SHARD_COUNTER.frameOverflows);
      return false;
    }
    const f64 = rings.f64(gateway);
    f64[at >> 3] = state.x;
    f64[(at >> 3) + 1] = state.y;
    if (type === RECORD.READY) {
      f64[(at >> 3) + 2] = core.id(slot);
      f64[(at >> 3) + 3] = core.arena.f64[(core.arena.hot(slot) + HOT.sessionId) >> 3]!;
    }
    const bytes = this.writer.encode(rings.u8(gateway), at + head, state);
    if (type === RECORD.READY)
      rings.header(
        gateway,
        at,
        type,
        slot,
        writerEpoch(writer),
        state.tick,
        state.applied,
        state.durable,
        ok,
      );
    else
      rings.header(gateway, at, type, slot, writerEpoch(writer), state.tick, state.applied, state.epoch, 0);
    rings.commit(gateway, head + bytes);
    this.told[slot] = state.applied;
    this.toldTick[slot] = core.tick;
    this.toldDurable[slot] = state.durable;
    return true;
  }

  /** Without a store, applied is all the durability there is. */
  private durable(slot: number, applied: number): number {
    const { core } = this;
    return core.cut.isOn ? Math.min(applied, core.world.cut.durable(slot)) : applied;
  }

  private fill(slot: number, since: number): void {
    const { core, state } = this;
    const { arena } = core;
    const hot = arena.hot(slot);
    const cold = arena.cold(slot);
    // Not core.tick: a shard that is behind may have accepted an entity whose last owner had done a later tick.
    state.tick = core.seenTick(slot);
    state.epoch = core.epoch(slot);
    state.dilation = core.factorOf(slot) / FULL_SPEED;
    state.x = arena.f64[(hot + HOT.x) >> 3]!;
    state.y = arena.f64[(hot + HOT.y) >> 3]!;
    state.vx = arena.f32[(hot + HOT.vx) >> 2]!;
    state.vy = arena.f32[(hot + HOT.vy) >> 2]!;
    state.applied = arena.u32[(hot + HOT.lastActionId) >> 2]!;
    state.durable = this.durable(slot, state.applied);
    let n = 0;
    for (let id = Math.max(since + 1, state.applied - KEPT_OUTCOMES + 1, 1); id <= state.applied; id++) {
      const code = arena.u16[(cold + COLD.outcomes + (id & 63) * 2) >> 1]!;
      if (code === 0) continue;
      state.outcomeIds[n] = id;
      state.outcomeCodes[n++] = code;
    }
    state.outcomeCount = n;
    for (let i = 0; i < state.itemCount; i++) state.items[i] = arena.u32[(cold + COLD.items + i * 4) >> 2]!;
    assert(n <= KEPT_OUTCOMES, 'I7: outcomes fit the window');
  }

  private pushLog(slot: number): boolean {
    const { core, rings } = this;
    const { arena } = core;
    const writer = core.world.inboxes.writer(slot);
    const gateway = writerGateway(writer);
    if (gateway >= rings.count) return true;
    const at = rings.reserve(gateway, this.logWriter.maxBytes);
    if (at < 0) return false;
    const hot = arena.hot(slot);
    const bytes = this.logWriter.encode(
      rings.u8(gateway),
      at,
      arena.f64[(hot + HOT.sessionId) >> 3]!,
      arena.u32[(hot + HOT.lastActionId) >> 2]!,
      arena.u32[(hot + HOT.appliedCount) >> 2]!,
      arena.u32[(hot + HOT.rejectedCount) >> 2]!,
      arena.u32[(hot + HOT.appliedHash) >> 2]!,
    );
    rings.header(gateway, at, RECORD.LOG, slot, writerEpoch(writer), core.tick, 0, 0, 0);
    rings.commit(gateway, bytes);
    return true;
  }
}

/** The greatest divisor of n that is not above a limit: what happens so often falls on every multiple of n, too. */
function divisorUpTo(n: number, limit: number): number {
  let divisor = Math.min(n, limit);
  while (n % divisor !== 0) divisor--;
  return divisor;
}
