/**
 * Traces of crossings, as the target of a handover sees them: those that took longer than nearly all others of late, and
 * a few ordinary ones a second to compare with, go into the shard's trace ring with the times of their steps.
 *
 * Contract: allocates nothing, and costs a handover that is not traced a few comparisons. What does not fit into the
 * list of those under way is not traced; a death forgets those under way.
 */
import { HEADER, HOT } from '../memory/record.js';
import { HANDOVER_TRACE as TRACE, LAYOUT_TRACE, TRACE_KIND, type TraceRing } from '../memory/trace-ring.js';
import type { Core } from './core.js';

/** Handovers traced at a time, from their acceptance to their first frame. */
const UNDER_WAY = 64;
/** Ordinary ones a second. */
const SAMPLED = 2;
/** The estimate of the p99 moves by this share of itself, down a hundredth of it. */
const STEP = 0.1;
const LEAST_STEP_MS = 0.05;

export class CrossingTraces {
  private count = 0;
  private readonly slots = new Int32Array(UNDER_WAY);
  private readonly ids = new Float64Array(UNDER_WAY);
  private readonly times = {
    decided: new Float64Array(UNDER_WAY),
    locked: new Float64Array(UNDER_WAY),
    pushed: new Float64Array(UNDER_WAY),
    accepted: new Float64Array(UNDER_WAY),
    firstTick: new Float64Array(UNDER_WAY),
  };
  private readonly from = new Int32Array(UNDER_WAY);
  private readonly ticks = new Int32Array(UNDER_WAY);
  private readonly slow = new Uint8Array(UNDER_WAY);
  /** Estimate of the recent p99, ms. */
  private bar = 0;
  private sampledSecond = -1;
  private sampled = 0;

  constructor(private readonly core: Core) {}

  /** A handover was accepted at `now`, `ms` after it was decided. */
  accepted(slot: number, now: number, ms: number): void {
    const isSlow = this.compare(ms);
    if ((!isSlow && !this.isSampled()) || this.count === UNDER_WAY) return;
    const { arena, world } = this.core;
    const { stamps } = world;
    const i = this.count++;
    this.slots[i] = slot;
    this.ids[i] = this.core.id(slot);
    this.times.decided[i] = stamps.decidedAt(slot);
    this.times.locked[i] = stamps.lockedAt(slot);
    this.times.pushed[i] = stamps.pushedAt(slot);
    this.times.accepted[i] = now;
    this.times.firstTick[i] = 0;
    this.from[i] = stamps.from(slot);
    this.ticks[i] = arena.i32[(arena.header(slot) + HEADER.handoverTick) >> 2]!;
    this.slow[i] = isSlow ? 1 : 0;
  }

  /** The running tick is committed. */
  committed(): void {
    if (this.count === 0) return;
    const now = this.core.clock.now();
    for (let i = 0; i < this.count; i++) if (this.times.firstTick[i] === 0) this.times.firstTick[i] = now;
  }

  /** The frames of this tick are out: what was under way is complete. */
  framed(): void {
    if (this.count === 0) return;
    const now = this.core.clock.now();
    for (let i = 0; i < this.count; i++) this.write(i, now);
    this.count = 0;
  }

  /** An event of a change of layout. @param kind TRACE_KIND */
  layout(kind: number, version: number, moved: number): void {
    const { ring } = this;
    const at = ring.begin();
    const { values } = ring;
    values[at + LAYOUT_TRACE.kind] = kind;
    values[at + LAYOUT_TRACE.shard] = this.core.shard;
    values[at + LAYOUT_TRACE.version] = version;
    values[at + LAYOUT_TRACE.at] = this.core.clock.now();
    values[at + LAYOUT_TRACE.moved] = moved;
    ring.commit();
  }

  private get ring(): TraceRing {
    return this.core.world.traces[this.core.shard]!;
  }

  private write(i: number, framed: number): void {
    const { core, ring, times } = this;
    const slot = this.slots[i]!;
    // It may have moved on, or its slot may be another's by now: then nobody here has shown it.
    const isHere = core.owned.has(slot) && core.id(slot) === this.ids[i];
    const hot = core.arena.hot(slot);
    const at = ring.begin();
    const { values } = ring;
    values[at + TRACE.kind] = TRACE_KIND.handover;
    values[at + TRACE.entity] = this.ids[i]!;
    values[at + TRACE.from] = this.from[i]!;
    values[at + TRACE.to] = core.shard;
    values[at + TRACE.tick] = this.ticks[i]!;
    values[at + TRACE.x] = isHere ? core.arena.f64[(hot + HOT.x) >> 3]! : Number.NaN;
    values[at + TRACE.y] = isHere ? core.arena.f64[(hot + HOT.y) >> 3]! : Number.NaN;
    values[at + TRACE.decided] = times.decided[i]!;
    values[at + TRACE.locked] = times.locked[i]!;
    values[at + TRACE.pushed] = times.pushed[i]!;
    values[at + TRACE.accepted] = times.accepted[i]!;
    values[at + TRACE.firstTick] = times.firstTick[i]!;
    values[at + TRACE.firstFrame] = isHere ? framed : 0;
    values[at + TRACE.slow] = this.slow[i]!;
    ring.commit();
  }

  /** Whether a duration is above the recent p99; moves the estimate (up 99 small steps when above, one down otherwise). */
  private compare(ms: number): boolean {
    const step = Math.max(LEAST_STEP_MS, this.bar * STEP);
    const isAbove = ms > this.bar;
    this.bar += isAbove ? 0.99 * step : -0.01 * step;
    return isAbove;
  }

  private isSampled(): boolean {
    const second = Math.floor(this.core.tick / this.core.world.clock.ticksPerSecond);
    if (second !== this.sampledSecond) this.sampled = 0;
    this.sampledSecond = second;
    return this.sampled++ < SAMPLED;
  }
}
