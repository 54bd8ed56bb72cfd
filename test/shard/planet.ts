/**
 * A whole planet in one thread for tests of shards: the production objects over production memory, ticks in a fixed
 * order, players played through their inboxes as a gateway would write them. Contract: the same calls give the same
 * world; a shard can be killed between or inside ticks and replaced.
 */
import assert from 'node:assert/strict';
import { encodePayload } from '../../src/base/payload.js';
import { LIMITS } from '../../src/base/limits.js';
import { tileIndex } from '../../src/geo/tile.js';
import { IdLease } from '../../src/memory/ids.js';
import { CONTROL, PRESENCE_STATE } from '../../src/memory/inbox.js';
import { FLAG } from '../../src/memory/player.js';
import {
  COLD,
  COLD_BYTES,
  GATEWAY_THREAD,
  HEADER,
  HOT,
  HOT_BYTES,
  NOBODY,
  OWNER,
  OUTBOX,
  OUTBOX_BYTES,
  epochOf,
  ownerOf,
  ownerState,
  packOwner,
} from '../../src/memory/record.js';
import { SHARD_COUNTER, SHARD_STATE } from '../../src/memory/shard-block.js';
import { type SharedWorld, createSharedWorld } from '../../src/memory/shared-world.js';
import { SlotCache, sendReserved } from '../../src/memory/slots.js';
import { type CompiledGame, compileGame } from '../../src/world/game.js';
import { Placer } from '../../src/world/placing.js';
import type { TellFaults } from '../../src/shard/faults.js';
import { Shard } from '../../src/shard/tick.js';
import { until } from './death.js';

export const TICK_MS = 50;

/** A clock that the test moves. */
export class HandClock {
  time = 0;
  now(): number {
    return this.time;
  }
}

export interface TestPlayer extends Record<'slot' | 'id', number> {
  session: number;
  word: number;
  sent: number;
}

export interface PlanetOptions {
  shards?: number;
  entities?: number;
  seed?: number;
  /** The tick before its first one. */
  tick?: number;
  /** Ticks from frame to frame, 2 if left out; ticks a second, 20. */
  frameEvery?: number;
  tickRateHz?: number;
  /** Seconds after which a tile sleeps that nobody looks at. */
  tileSleepS?: number;
  /** Is told what the game did wrong. */
  tellFaults?: TellFaults;
}

export class Planet {
  readonly clock = new HandClock();
  readonly world: SharedWorld;
  readonly game: CompiledGame;
  readonly shards: Shard[] = [];
  readonly placer: Placer;
  tick = 0;
  readonly tickMs: number;
  private readonly slots: SlotCache;
  private readonly lease: IdLease;
  private sessions = 1000;
  private incarnations = 0;
  private readonly nextTick: number[] = [];
  /** By shard: incarnation whose state is still to be adopted, as the supervisor keeps it; and whether it is gone. */
  private readonly adoptFrom: number[] = [];
  private readonly gone: boolean[] = [];
  /** What the next replacements are told to leave alone. */
  quarantine: readonly { entity: number; action: number }[] = [];

  constructor(
    module: unknown,
    private readonly options: PlanetOptions = {},
  ) {
    const shards = options.shards ?? 2;
    this.world = createSharedWorld({
      shards,
      gateways: 1,
      startMs: 0,
      maxEntities: options.entities ?? 1024,
      frameRingBytes: 2 ** 23,
      tickRateHz: options.tickRateHz,
    });
    this.tickMs = this.world.clock.tickMs;
    this.game = compileGame(module, 'test');
    this.placer = new Placer(this.world, GATEWAY_THREAD);
    this.slots = new SlotCache(this.world.arena, GATEWAY_THREAD);
    this.lease = new IdLease(this.world.ids);
    this.tick = options.tick ?? 10;
    this.clock.time = this.tickMs * this.tick;
    for (let s = 0; s < shards; s++) this.boot(s, 0);
  }

  /** Starts (or replaces) a shard. */
  boot(shard: number, dead: number): void {
    const incarnation = ++this.incarnations;
    const block = this.world.shardBlocks[shard]!;
    block.takeInHand(0, 0);
    block.incarnation = incarnation;
    block.state = SHARD_STATE.STARTING;
    const made = new Shard(this.world, this.game, this.clock, {
      shard,
      incarnation,
      worldSeed: this.options.seed ?? 1,
      frameEvery: this.options.frameEvery ?? 2,
      capacity: 5000,
      quarantine: this.quarantine,
      tileSleepS: this.options.tileSleepS,
      tellFaults: this.options.tellFaults ?? (() => {}),
    });
    this.shards[shard] = made;
    this.nextTick[shard] = made.start(dead);
    block.state = SHARD_STATE.RUNNING;
    // Not before it has adopted: one that dies in its start leaves its predecessor's tick to the next one.
    this.adoptFrom[shard] = incarnation;
    this.gone[shard] = false;
  }

  /** The shard's thread is gone where it stands; its replacement adopts. */
  kill(shard: number): void {
    this.lose(shard);
    this.replace(shard);
  }

  /** The same, and nobody in its place yet. */
  lose(shard: number): void {
    this.world.shardBlocks[shard]!.state = SHARD_STATE.DEAD;
    this.gone[shard] = true;
  }

  /** A replacement for a lost shard. @param deathAt change of its adoption at which it dies, too, and another follows */
  replace(shard: number, deathAt = Number.POSITIVE_INFINITY): void {
    const { died } = until(deathAt, () => this.boot(shard, this.adoptFrom[shard]!));
    if (!died) return;
    this.lose(shard);
    this.boot(shard, this.adoptFrom[shard]!);
  }

  isLost(shard: number): boolean {
    return this.gone[shard]!;
  }

  /**
   * The shard dies in its next tick before its n-th change of shared memory.
   * @returns how many changes it made, and whether it died in it at all (else it lives on)
   */
  dieIn(shard: number, n: number): { changes: number; died: boolean } {
    this.tick++;
    this.clock.time = this.tick * this.tickMs;
    const end = until(n, () => this.runShard(shard));
    if (end.died) this.lose(shard);
    return end;
  }

  /** Makes (x, y)'s base tile the shard's. */
  assign(x: number, y: number, shard: number): void {
    const tile = tileIndex(x, y, LIMITS.baseTileLevel);
    const held = this.world.directory.lookup(tile);
    assert(held < 0 || held === shard, 'the tile is taken');
    if (held < 0) this.world.directory.place(tile, shard);
  }

  /** A new player at a point, through the steps of a login. */
  join(x: number, y: number, flags: number = FLAG.NEW): TestPlayer {
    const { arena, inboxes, ids } = this.world;
    const slot = this.slots.take();
    assert(slot >= 0);
    const header = arena.header(slot);
    const hot = arena.hot(slot);
    arena.i32.fill(0, hot >> 2, (hot + HOT_BYTES) >> 2);
    arena.i32.fill(0, arena.cold(slot) >> 2, (arena.cold(slot) + COLD_BYTES) >> 2);
    const id = this.lease.next();
    arena.f64[(header + HEADER.id) >> 3] = id;
    arena.f64[(header + HEADER.handoverStamp) >> 3] = 0;
    arena.i32[(header + HEADER.birthTick) >> 2] = this.tick;
    arena.f64[(hot + HOT.x) >> 3] = x;
    arena.f64[(hot + HOT.y) >> 3] = y;
    arena.i32[(hot + HOT.lastTick) >> 2] = this.tick;
    arena.i32[(hot + HOT.tile) >> 2] = tileIndex(x, y, LIMITS.baseTileLevel);
    arena.u16[(hot + HOT.flags) >> 1] = flags;
    inboxes.reset(slot);
    ids.insert(id, slot);
    const word = inboxes.claim(slot, inboxes.writer(slot), 0);
    const session = ++this.sessions;
    const player = { slot, id, session, word, sent: 0 };
    this.control(player, CONTROL.START);
    inboxes.setPresence(slot, word, PRESENCE_STATE.CONNECTED, this.tick);
    this.send(slot, this.placer.ensureOwner(x, y));
    return player;
  }

  /** The player says goodbye. */
  leave(player: TestPlayer): void {
    assert(this.world.inboxes.setPresence(player.slot, player.word, PRESENCE_STATE.GOODBYE, this.tick));
  }

  /** A parked account's player comes back, through the steps of a login. @returns false while it is not parked */
  comeBack(player: TestPlayer): boolean {
    const { arena, inboxes } = this.world;
    const { slot } = player;
    const word = Atomics.load(arena.owner, slot);
    if (ownerState(word) !== OWNER.PARKED) return false;
    const mine = packOwner(OWNER.RESERVED, GATEWAY_THREAD, NOBODY, epochOf(word));
    assert.equal(Atomics.compareExchange(arena.owner, slot, word, mine), word);
    player.word = inboxes.claim(slot, inboxes.writer(slot), 0);
    player.session = ++this.sessions;
    player.sent = 0;
    this.control(player, CONTROL.START);
    inboxes.setPresence(slot, player.word, PRESENCE_STATE.CONNECTED, this.tick);
    this.send(slot, this.placer.ensureOwner(this.f64(player, 'x'), this.f64(player, 'y')));
    return true;
  }

  /** A reserved slot sets out for a shard. */
  private send(slot: number, target: number): void {
    const { arena } = this.world;
    const header = arena.header(slot);
    sendReserved(arena, slot, GATEWAY_THREAD, target);
    const ring = this.world.arrivals[GATEWAY_THREAD]![target]!;
    const at = ring.offer() >> 2;
    ring.i32[at] = slot;
    ring.u32[at + 1] = arena.u32[(header + HEADER.generation) >> 2]!;
    ring.u32[at + 2] = arena.u32[(header + HEADER.epoch) >> 2]!;
    ring.commit();
  }

  control(player: TestPlayer, kind: number): void {
    const { slot, word, session } = player;
    assert.equal(this.world.inboxes.write(slot, word, session, 0, kind, new Uint8Array(0), 0), 'ok');
  }

  /** Sends an action by name; returns its id. */
  act(player: TestPlayer, name: string, values?: string | Record<string, number>): number {
    const action = this.game.actions.find((a) => a.name === name)!;
    const bytes = encodePayload(this.game.module.actions[name]!.payload, values);
    const id = ++player.sent;
    const { slot, word, session } = player;
    const wrote = this.world.inboxes.write(slot, word, session, id, action.kind, bytes, bytes.length);
    assert.equal(wrote, 'ok');
    return id;
  }

  /** One tick of every shard, in the given order. */
  step(order: readonly number[] = this.shards.map((_, s) => s)): void {
    this.tick++;
    this.clock.time = this.tick * this.tickMs;
    for (const s of order) this.runShard(s);
    this.drainGateway();
  }

  /** Runs one shard's due ticks up to now. */
  runShard(s: number): void {
    if (this.gone[s]) return;
    while (this.nextTick[s]! <= this.tick) this.shards[s]!.run(this.nextTick[s]!++);
  }

  /** Time passes while a shard sleeps, as its thread would let it: what it runs next is in `step`. */
  sleep(s: number, ticks: number): void {
    this.tick += ticks;
    this.clock.time = this.tick * this.tickMs;
    this.nextTick[s] = this.shards[s]!.rest.end(this.nextTick[s]!, this.tick);
  }

  run(ticks: number, order?: readonly number[]): void {
    for (let i = 0; i < ticks; i++) this.step(order);
  }

  /** What the gateway would have read; tests look at memory instead. */
  readonly records: { type: number; a: number; applied: number; bytes: Uint8Array }[] = [];
  private drainGateway(): void {
    for (const row of this.world.frames) {
      const ring = row[0]!;
      for (let at = ring.next(); at >= 0; at = ring.next()) {
        const bytes = ring.u8.slice(at + 32, at + 32 + ring.length(at));
        const word = (i: number) => ring.i32[(at >> 2) + i]!;
        this.records.push({ type: word(1), a: word(2), applied: word(5), bytes });
        ring.release();
      }
    }
  }

  f64(player: { slot: number }, field: 'x' | 'y'): number {
    return this.world.arena.f64[(this.world.arena.hot(player.slot) + HOT[field]) >> 3]!;
  }
  applied(player: TestPlayer): number {
    return this.world.arena.u32[(this.world.arena.hot(player.slot) + HOT.lastActionId) >> 2]!;
  }
  outcome(player: TestPlayer, id: number): number {
    return this.world.arena.u16[(this.world.arena.cold(player.slot) + COLD.outcomes + (id & 63) * 2) >> 1]!;
  }
  items(slot: number, kind: number): number {
    return this.world.arena.u32[(this.world.arena.cold(slot) + COLD.items + kind * 4) >> 2]!;
  }
  /** Slots of all entities of a kind whose tile is that of (x, y), in any state but FREE and RESERVED. */
  entities(kind: number, x: number, y: number): number[] {
    const { arena } = this.world;
    const tile = tileIndex(x, y, LIMITS.baseTileLevel);
    const slots: number[] = [];
    for (let slot = 0; slot < arena.capacity; slot++) {
      if (ownerState(Atomics.load(arena.owner, slot)) < OWNER.OWNED) continue;
      const hot = arena.hot(slot);
      if (arena.u16[(hot + HOT.kind) >> 1] === kind && arena.i32[(hot + HOT.tile) >> 2] === tile)
        slots.push(slot);
    }
    return slots;
  }
  idOf(slot: number): number {
    return this.world.arena.f64[(this.world.arena.header(slot) + HEADER.id) >> 3]!;
  }
  stateOf(slot: number): number {
    return ownerState(Atomics.load(this.world.arena.owner, slot));
  }
  /** Messages of a slot that are not settled. */
  outbox(slot: number): number {
    return this.world.arena.i32[(this.world.arena.hot(slot) + HOT.outboxCount) >> 2]!;
  }
  /** Shard that owns a slot, −1 when nobody does right now. */
  ownerOf(slot: number): number {
    const word = Atomics.load(this.world.arena.owner, slot);
    return ownerState(word) === OWNER.OWNED ? ownerOf(word) : -1;
  }

  counter(name: keyof typeof SHARD_COUNTER): number {
    return this.world.shardBlocks.reduce((sum, block) => sum + block.counter(SHARD_COUNTER[name]), 0);
  }

  /** Items of a kind anywhere: bags, and escrow that no target has yet. */
  totalItems(kind: number): number {
    const { arena } = this.world;
    let sum = 0;
    for (let slot = 0; slot < arena.capacity; slot++) {
      const state = ownerState(Atomics.load(arena.owner, slot));
      if (state !== OWNER.OWNED && state !== OWNER.TRANSIT && state !== OWNER.PARKED) continue;
      sum += this.items(slot, kind);
      for (let p = 0; p < LIMITS.outboxPlaces; p++) {
        const at = arena.cold(slot) + COLD.outbox + p * OUTBOX_BYTES;
        if (arena.u8[at + OUTBOX.state] === 0 || arena.u8[at + OUTBOX.itemKind] !== kind) continue;
        if (
          !this.hasAnswered(
            arena.f64[(at + OUTBOX.target) >> 3]!,
            slot,
            arena.u32[(at + OUTBOX.counter) >> 2]!,
          )
        ) {
          sum += arena.u32[(at + OUTBOX.itemCount) >> 2]!;
        }
      }
    }
    return sum;
  }

  /** Whether the target has already taken (and answered) a message whose source still keeps it. */
  private hasAnswered(targetId: number, source: number, counter: number): boolean {
    const { arena, ids } = this.world;
    const target = ids.lookup(targetId);
    if (target < 0) return false;
    const sourceId = arena.f64[(arena.header(source) + HEADER.id) >> 3]!;
    for (let p = 0; p < LIMITS.answerPlaces; p++) {
      const at = arena.cold(target) + COLD.answers + p * 32;
      if (arena.u8[at + 14] === 0 || arena.f64[at >> 3] !== sourceId) continue;
      if (arena.u32[(at + 8) >> 2] === counter && arena.u16[(at + 12) >> 1] === 0) return true;
    }
    return false;
  }

  /** created − consumed of a kind over all shards. */
  balance(kind: number): number {
    const created = new Float64Array(LIMITS.itemKinds);
    const consumed = new Float64Array(LIMITS.itemKinds);
    let sum = 0;
    for (const block of this.world.shardBlocks) {
      block.totals(created, consumed);
      sum += created[kind]! - consumed[kind]!;
    }
    return sum;
  }
}
