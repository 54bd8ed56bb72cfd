/**
 * What must hold from tick to tick: nothing that only grows may shrink (I4), nothing grows over its limits (I7), no lock
 * is held for long (I8), the leaves cover the world and one change at a time touches a tile (I9), every entity is stepped
 * by the clock of its tile (I1). Keeps what it saw in the tick before. Not here: isolation in time (I10, a virtual clock
 * has no slow neighbours), unverified bytes (I11, fuzzing with real frames); the disk (I12) has durable.ts.
 */
import { LIMITS } from '../../src/base/limits.js';
import { tileIndex } from '../../src/geo/tile.js';
import { writerBusy } from '../../src/memory/inbox.js';
import {
  COLD,
  HEADER,
  HOT,
  OUTBOX,
  OUTBOX_BYTES,
  OWNER,
  ownerOf,
  ownerState,
} from '../../src/memory/record.js';
import { FLAG } from '../../src/memory/player.js';
import { SHARD_GAUGE, SHARD_STATE } from '../../src/memory/shard-block.js';
import type { SharedWorld } from '../../src/memory/shared-world.js';
import { SQUARES } from '../../src/world/layout.js';
import { fail } from './fail.js';
import type { Simulation } from './simulation.js';

/** Ticks after which a word that should be on its way is taken for stuck: longest stall, twice, and a death. */
const STUCK_TICKS = 60;
/** The same where the supervisor waits longer and longer for who dies as it begins. */
const STUCK_SUPERVISED_TICKS = 400;
/** Ticks for which steps may be fewer than ticks after something was slowed: a tenth of speed, and a stall. */
const SLOW_MEMORY_TICKS = 40;

interface Seen {
  id: number;
  generation: number;
  epoch: number;
  session: number;
  action: number;
  lastTick: number;
  /** Ticks accounted for less steps that the game made. */
  idle: number;
  flags: number;
}

export class Watch {
  private readonly seen = new Map<number, Seen>();
  private readonly since = new Map<number, { word: number; tick: number }>();
  /** By id, the tick in which an entity last left, for good or to rest. */
  readonly gone = new Map<number, number>();
  private version = 0;
  private frozen = 0;
  private slowTick = Number.NEGATIVE_INFINITY;
  /** By player: tick since which it stands in nobody's tile. */
  private readonly unplaced = new Map<number, number>();
  /** By base tile: version of the directory that shows the change under way. */
  private readonly changing = new Map<number, number>();

  constructor(private readonly sim: Simulation) {}

  private get stuckTicks(): number {
    return this.sim.planner === null ? STUCK_TICKS : STUCK_SUPERVISED_TICKS;
  }

  /** After each tick. */
  check(): void {
    const { world } = this.sim.node;
    if (world.directory.anySlow > 0) this.slowTick = this.sim.tick;
    for (let slot = 0; slot < world.arena.capacity; slot++) this.checkSlot(world, slot);
    this.frozen = this.sim.node.counter('ticksFrozen');
    this.checkBounds(world);
    this.checkCover(world);
    // In every tick, as the other side does: who is late may bring somebody to a lost square after the change was done.
    this.finished();
  }

  /** The process began anew: nothing of the arena is as it was. */
  restarted(): void {
    this.seen.clear();
    this.since.clear();
    this.changing.clear();
    this.unplaced.clear();
    this.version = 0;
    this.frozen = 0;
  }

  /** A change of a base tile was accepted. */
  began(tile: number): void {
    this.finished();
    if (this.changing.has(tile)) fail('I9', `two changes at a time touch base tile ${tile}`);
    this.changing.set(tile, this.sim.node.world.directory.version);
  }

  private finished(): void {
    const { shardBlocks } = this.sim.node.world;
    for (const [tile, version] of this.changing) {
      const done = shardBlocks.every(
        (block) =>
          block.state !== SHARD_STATE.RUNNING ||
          (block.gauge(SHARD_GAUGE.layoutSeen) >= version && block.gauge(SHARD_GAUGE.leaving) === 0),
      );
      if (done) this.changing.delete(tile);
    }
  }

  private checkSlot(world: SharedWorld, slot: number): void {
    const { arena, inboxes } = world;
    const word = Atomics.load(arena.owner, slot);
    const state = ownerState(word);
    const waits = state === OWNER.OWNED && this.sim.node.isAbsent(ownerOf(word));
    this.checkStuck(
      slot,
      state === OWNER.TRANSIT || waits ? word : 0,
      waits ? "a dead shard's" : 'in transit',
    );
    if (writerBusy(inboxes.writer(slot))) fail('I8', `the inbox of slot ${slot} is locked between two ticks`);
    if (state !== OWNER.OWNED && state !== OWNER.TRANSIT) {
      const before = this.seen.get(slot);
      if (before !== undefined) this.gone.set(before.id, this.sim.tick);
      this.seen.delete(slot);
      return;
    }
    if (waits) return; // in the middle of a tick that never was
    this.checkGrowth(world, slot);
    const hot = arena.hot(slot);
    const waiting = (inboxes.tail(slot) - arena.i32[(hot + HOT.inboxHead) >> 2]!) | 0;
    if (waiting < 0 || waiting > LIMITS.inboxPlaces) fail('I7', `${waiting} entries wait in slot ${slot}`);
    this.checkOutbox(world, slot);
  }

  private checkOutbox({ arena }: SharedWorld, slot: number): void {
    let used = 0;
    for (let p = 0; p < LIMITS.outboxPlaces; p++)
      if (arena.u8[arena.cold(slot) + COLD.outbox + p * OUTBOX_BYTES + OUTBOX.state] !== 0) used++;
    const count = arena.i32[(arena.hot(slot) + HOT.outboxCount) >> 2]!;
    if (count !== used) fail('I7', `slot ${slot} counts ${count} messages and keeps ${used}`);
  }

  private checkStuck(slot: number, word: number, what: string): void {
    const before = this.since.get(slot);
    if (word === 0) {
      if (before !== undefined) this.since.delete(slot);
    } else if (before?.word !== word) this.since.set(slot, { word, tick: this.sim.tick });
    else if (this.sim.tick - before.tick > this.stuckTicks)
      fail('I8', `slot ${slot} is ${what} for ${this.stuckTicks} ticks`);
  }

  private checkGrowth({ arena }: SharedWorld, slot: number): void {
    const h = arena.header(slot);
    const hot = arena.hot(slot);
    const now: Seen = {
      id: arena.f64[(h + HEADER.id) >> 3]!,
      generation: arena.u32[(h + HEADER.generation) >> 2]!,
      epoch: arena.u32[(h + HEADER.epoch) >> 2]!,
      session: arena.f64[(hot + HOT.sessionId) >> 3]!,
      action: arena.u32[(hot + HOT.lastActionId) >> 2]!,
      lastTick: arena.i32[(hot + HOT.lastTick) >> 2]!,
      idle: arena.i32[(hot + HOT.stepCount) >> 2]! - this.sim.stepsOf(slot),
      flags: arena.u16[(hot + HOT.flags) >> 1]!,
    };
    const before = this.seen.get(slot);
    this.seen.set(slot, now);
    if (before === undefined) return;
    if (now.flags & ~before.flags & FLAG.OFFLINE) this.gone.set(now.id, this.sim.tick);
    if (now.generation < before.generation) fail('I4', `slot ${slot} fell back to an older life`);
    if (now.generation !== before.generation) return;
    if (now.id !== before.id) fail('I4', `slot ${slot} changed its id without a new life`);
    if (now.epoch < before.epoch) fail('I4', `the owner epoch of ${now.id} fell`);
    if (now.lastTick < before.lastTick) fail('I4', `the last tick of ${now.id} fell`);
    if (now.session === before.session && now.action < before.action)
      fail('I3', `the last action of ${now.id} fell from ${before.action} to ${now.action}`);
    if (now.idle < before.idle) fail('I1', `${now.id} was stepped more often than ticks went by`);
    // Before as well: the clock of who has just rested starts anew at its next step.
    this.checkIdle(now, before, now.flags | before.flags);
  }

  /** More ticks than steps: only in slowed tiles, for who rested or slept, and after a stall (counted as frozen). */
  private checkIdle(now: Seen, before: Seen, flags: number): void {
    if (now.idle === before.idle || this.sim.tick - this.slowTick < SLOW_MEMORY_TICKS) return;
    if (flags & (FLAG.RESTED | FLAG.OFFLINE | FLAG.ASLEEP)) return;
    if (this.sim.node.counter('ticksFrozen') > this.frozen) return;
    fail('I1', `${now.id} missed ${now.idle - before.idle} steps`);
  }

  private checkBounds(world: SharedWorld): void {
    const rings = [...world.arrivals.flatMap((row) => row ?? []), ...world.messages.flat()];
    for (const ring of rings) {
      const filled = ring.available();
      if (filled < 0 || filled > ring.places) fail('I7', `a ring of ${ring.places} places holds ${filled}`);
    }
    for (const ring of [...world.frames.flat(), ...world.jobs, ...world.results]) {
      const used = ring.used();
      if (used < 0 || used > ring.bytes) fail('I7', `a ring of ${ring.bytes} bytes holds ${used}`);
    }
  }

  /** I9: every square that somebody has has exactly one leaf, of a shard that exists, at a level that exists. */
  private checkCover(world: SharedWorld): void {
    const { directory, shardBlocks } = world;
    if (directory.version < this.version) fail('I4', 'the version of the directory fell');
    this.version = directory.version;
    directory.forEachTaken((tile) => {
      for (let path = 0; path < SQUARES; path++) {
        const owner = directory.lookup(tile, path);
        if (owner >= shardBlocks.length || (owner < 0 && directory.isSplit(tile)))
          fail('I9', `square ${path} of base tile ${tile} belongs to ${owner}`);
      }
    });
    for (const player of this.sim.players) {
      const { x, y } = player.client.self;
      const isHeld = world.directory.lookup(tileIndex(x, y, LIMITS.baseTileLevel)) >= 0;
      // Its owner places what its view touches once a second; who has just come may be over a border before that.
      // Behind a router a client waits for its node without a word of it, longer than that.
      const isWaiting = this.sim.node.routed !== null && world.ids.lookup(player.client.entity) < 0;
      const isAbsent = player.client.state !== 'online' || isWaiting;
      if (isAbsent || isHeld) this.unplaced.delete(player.index);
      else if (!this.unplaced.has(player.index)) this.unplaced.set(player.index, this.sim.tick);
      else if (this.sim.tick - this.unplaced.get(player.index)! > this.stuckTicks)
        fail('I9', `player ${player.index} stands in nobody's tile for ${this.stuckTicks} ticks`);
    }
  }
}
