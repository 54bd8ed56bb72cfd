/**
 * The step of every entity, by global tick numbers: each entity is stepped exactly once for each number, whoever owned
 * it before (design: lastTick = k − 1 step; ≥ k skip; up to 3 behind: one step for each; older: it was frozen).
 *
 * In a slowed tile only the due ticks count (world/dilation.ts). In the others an entity is passed by: its record is not
 * touched, which is what dilation saves, and the tick is noted in `core.passed` alone. Whoever gives the entity away puts
 * that into the record (`settle`), so lastTick always means "seen to here" to the next owner, whatever its factor.
 *
 * Who sleeps (`World.sleep`) is passed by in the same way, without even a look at its record: a byte tells. Where it lies
 * matters only when the layout has changed; who lies in a foreign tile is kept awake until it is handed over.
 */
import { LIMITS } from '../base/limits.js';
import { columnAt, rowAt } from '../geo/tile.js';
import { HEADER, HOT } from '../memory/record.js';
import { SHARD_COUNTER, SHARD_GAUGE } from '../memory/shard-block.js';
import type { World } from '../world/facade.js';
import { FULL_SPEED, dueBetween } from '../world/dilation.js';
import { baseOf, ownerAt } from '../world/layout.js';
import { FLAG } from '../memory/player.js';
import type { Core } from './core.js';
import type { Mail } from './mail.js';
import { checkDone } from './mistake.js';

/** An entity that lags more ticks than these, and by more than so long, was frozen (dead shard, stall): no catching up. */
const CATCH_UP_TICKS = 4;
const CATCH_UP_MS = 200;

export class Stepper {
  /** Of the running tick: ticks of entities left out by dilation, and the least factor that was met. */
  private dilated = 0;
  private slowest = FULL_SPEED;
  /** Version of the layout that was seen in the last tick. */
  private layout = -1;
  private readonly catchUp: number;

  constructor(
    private readonly core: Core,
    private readonly facade: World,
    private readonly mail: Mail,
  ) {
    this.catchUp = Math.max(CATCH_UP_TICKS, Math.round(CATCH_UP_MS / core.world.clock.tickMs));
  }

  stepAll(): void {
    const { core } = this;
    const { owned } = core;
    this.dilated = 0;
    this.slowest = FULL_SPEED;
    // Entities created in this tick are not in the list yet: they are stepped from the next tick on.
    const { version } = core.world.directory;
    const isChanged = version !== this.layout;
    this.layout = version;
    for (let i = 0; i < owned.count; i++) {
      const slot = owned.slots[i]!;
      if (!core.isAsleep(slot)) this.stepOne(slot);
      else if (isChanged) this.passBy(slot, core.arena.hot(slot));
      else core.passed[slot] = core.tick;
      core.progress();
    }
    core.block.takeInHand(0, 0);
    core.tallies.dilated += this.dilated;
    core.block.setGauge(SHARD_GAUGE.dilation, this.slowest / FULL_SPEED);
  }

  private stepOne(slot: number): void {
    const { core } = this;
    const { arena, tick } = core;
    const hot = arena.hot(slot);
    const last = arena.i32[(hot + HOT.lastTick) >> 2]!;
    if (last >= tick) return; // its last owner has done this tick
    const flags = arena.u16[(hot + HOT.flags) >> 1]!;
    if (flags & FLAG.OFFLINE) return;
    if (core.isFreed(slot)) return;
    const since = Math.max(last, core.passed[slot]!);
    const factor = core.factorOf(slot);
    const due = factor === FULL_SPEED ? tick - since : dueBetween(since, tick, factor);
    if (factor < this.slowest) this.slowest = factor;
    if (due === 0) {
      this.dilated += tick - since;
      return this.passBy(slot, hot);
    }
    const isFresh = core.writeClock(slot);
    const steps = this.stepsOf(slot, flags, due);
    if (flags & (FLAG.RESTED | FLAG.ASLEEP))
      arena.u16[(hot + HOT.flags) >> 1] = flags & ~(FLAG.RESTED | FLAG.ASLEEP);
    if (!(flags & FLAG.RESTED)) this.dilated += tick - since - due;
    core.stepping = slot;
    if (steps > 0) this.play(slot, steps, isFresh);
    core.stepping = -1;
    this.account(slot, hot, tick - last);
    this.place(slot, hot);
    if (arena.i32[(hot + HOT.outboxCount) >> 2]! > 0) {
      core.senders.add(slot);
      this.mail.prepare(slot);
    }
  }

  /** How many of the due steps are made: what rested or was frozen goes on from where it is. */
  private stepsOf(slot: number, flags: number, due: number): number {
    const { core } = this;
    const rested = (flags & FLAG.RESTED) !== 0;
    let steps = due;
    if (rested || due > this.catchUp) steps = 1;
    if (core.hasFrozen && core.isFrozen(core.id(slot))) steps = 0;
    if (core.stuck.watched > 0 && core.stuck.isLeftOut(slot)) steps = 0;
    if (!rested && steps < due) core.tallies.frozen += due - steps;
    return steps;
  }

  /** A tick without a step: only who is to be handed over because of a change of layout is noted. */
  private passBy(slot: number, hot: number): void {
    const { core } = this;
    const { f64 } = core.arena;
    core.passed[slot] = core.tick;
    const owner = ownerAt(core.world.directory, f64[(hot + HOT.x) >> 3]!, f64[(hot + HOT.y) >> 3]!);
    if (owner !== core.shard) this.isAbroad(slot);
  }

  private isAbroad(slot: number): void {
    this.core.foreign.add(slot);
    this.core.wake(slot);
  }

  /** Makes an entity's steps, as one deed. @param isFresh whether the tick's undo copy shows it as it is */
  private play(slot: number, steps: number, isFresh: boolean): void {
    const { core, facade } = this;
    const { deeds, game } = core;
    core.block.stepInHand(core.arena.f64, core.idAt(slot));
    deeds.openStep(slot, isFresh);
    try {
      // One that has removed itself has no next step.
      for (let s = 0; s < steps && !core.isFreed(slot); s++)
        checkDone('step', game.module.step(facade, slot));
      deeds.keep();
    } catch (error) {
      return this.failed(slot, steps, error);
    }
    if (core.stuck.watched > 0) core.stuck.forget(slot);
  }

  /** The steps of this tick have thrown: the entity stands as before them, and its clock goes on. */
  private failed(slot: number, steps: number, error: unknown): void {
    const { core } = this;
    const { arena } = core;
    const what = `step of a '${core.game.kinds[core.kind(slot)]}'`;
    const place = core.faults.note(error, what, core.id(slot));
    core.deeds.undoStep(slot);
    core.writeClock(slot);
    // It was awake, and out of rest, when its steps began.
    arena.u16[(arena.hot(slot) + HOT.flags) >> 1]! &= ~(FLAG.RESTED | FLAG.ASLEEP);
    core.tallies.frozen += steps;
    core.stuck.threw(slot, place);
  }

  /**
   * Moves the tick on and holds it against an independent count: steps done since creation must equal ticks lived.
   * The two are written at different places, so a missed or doubled step shows.
   */
  private account(slot: number, hot: number, ticks: number): void {
    const { core } = this;
    const { arena, tick } = core;
    arena.i32[(hot + HOT.lastTick) >> 2] = tick;
    const steps = (arena.i32[(hot + HOT.stepCount) >> 2]! + ticks) | 0;
    const lived = (tick - arena.i32[(arena.header(slot) + HEADER.birthTick) >> 2]!) | 0;
    if (steps !== lived) {
      const missed = lived - steps;
      if (missed > 0) core.block.count(SHARD_COUNTER.ticksMissed, missed);
      else core.block.count(SHARD_COUNTER.ticksDoubled, -missed);
    }
    arena.i32[(hot + HOT.stepCount) >> 2] = lived;
  }

  /** Notes the tile in which the entity now stands; counts crossings, collects those in foreign tiles. */
  private place(slot: number, hot: number): void {
    const { core } = this;
    const { arena } = core;
    const column = columnAt(arena.f64, (hot + HOT.x) >> 3, LIMITS.deepestTileLevel);
    const row = rowAt(arena.f64, (hot + HOT.y) >> 3, LIMITS.deepestTileLevel);
    const tile = baseOf(column, row);
    const before = arena.i32[(hot + HOT.tile) >> 2]!;
    const owner = core.world.directory.lookupDeepest(column, row);
    if (tile !== before) {
      core.touch(slot); // away from home it would be made there again
      arena.i32[(hot + HOT.tile) >> 2] = tile;
      if (owner === core.shard && core.world.directory.lookup(before) === core.shard) {
        core.block.count(SHARD_COUNTER.crossings);
      }
    }
    if (owner !== core.shard) this.isAbroad(slot);
  }
}

/**
 * Before an entity is given away after a commit: what was passed by stands in the record from here on. Not under the
 * tick's undo copy, like the other words of a handover: after the commit nothing of this record is undone.
 */
export function settle(core: Core, slot: number): void {
  const { i32 } = core.arena;
  const hot = core.arena.hot(slot) >> 2;
  const passed = core.passed[slot]! - i32[hot + (HOT.lastTick >> 2)]!;
  if (passed <= 0) return;
  i32[hot + (HOT.lastTick >> 2)]! += passed;
  i32[hot + (HOT.stepCount >> 2)]! += passed;
}
