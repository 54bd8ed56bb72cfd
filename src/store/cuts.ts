/**
 * The rhythm of durability, as a machine that `poll` turns: ask for a cut, wait for every open shard, write, tell.
 *
 * ```
 *          due                all marked, or missed              written
 *   IDLE ───────▶ ASKED(c, K) ──────────────────────▶ WRITING(K) ────────▶ IDLE, durableTick = K
 *     ▲               │ somebody missed c                │ trouble with the disk
 *     └───────────────┘ what was taken stays pending     └──▶ again after a while, the same bytes; state FAILING
 * ```
 * Contract: nothing of a cut is forgotten before it is durable; while it is being written everything newer goes into
 * another set. A write that fails is tried again for ever, with pauses that grow; the world goes on meanwhile.
 */
import type { Clock } from '../base/clock.js';
import { LIMITS } from '../base/limits.js';
import type { Log } from '../base/log.js';
import { STORE_STATE } from '../memory/cut-block.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { type Bindings, bindingWrite } from './bindings.js';
import type { Book } from './book.js';
import { sumTotals, type TotalsBook, writesOf } from './cut-writes.js';
import type { Engine } from './engine.js';
import type { Intake } from './intake.js';
import { Pending, type Totals } from './pending.js';

/** Ticks between two cuts at least, and the share of its time that the store's thread may spend on them. */
const LEAST_TICKS = 2;
const LEAST_MS = 100;
const QUIET_FACTOR = 4;
/** After a disk that took minutes the next cut is due soon all the same. */
const QUIET_MOST_MS = 1_000;
/** A write that takes longer is trouble. */
const LATE_MS = 3_000;
/** A world in which nothing happens writes its tick this often. */
const UNCHANGED_MS = 1_000;
/** While every shard rests and nothing has changed, cuts are so far apart; whoever wakes rings. */
const QUIET_MS = 1_000;
/** Ticks of one cut whose wait is recorded. */
const TIMED_TICKS = 1_200;
const RETRY_FIRST_MS = 100;
const RETRY_MOST_MS = 5_000;

export interface CutFigures {
  cuts: number;
  missed: number;
  records: number;
  bytes: number;
  failures: number;
  lastMs: number;
  maxMs: number;
}

export class Cuts {
  /** Taken from the rings, not part of the cut that is being written. */
  pending = new Pending();
  /** Being written. */
  writing: Pending | null = null;
  readonly figures: CutFigures = {
    cuts: 0,
    missed: 0,
    records: 0,
    bytes: 0,
    failures: 0,
    lastMs: 0,
    maxMs: 0,
  };
  /** What the disk said last; null = it works. */
  trouble: string | null = null;
  /** Whether that was an error; not so while it only lets us wait. */
  hasFailed = false;
  private asked = 0;
  private tick = 0;
  private askedAt = 0;
  private dueAt = 0;
  /** Nothing was in the last cut: until then no other is taken while every shard rests. */
  private quietUntil = 0;
  private retryAt = 0;
  private retryMs = RETRY_FIRST_MS;
  private isBusy = false;
  private begunAt = 0;
  private writtenAt = Number.NEGATIVE_INFINITY;
  /** Newest totals of every shard number that has reported. */
  private readonly totals = new Map<number, Totals>();
  private readonly before: TotalsBook;

  constructor(
    private readonly world: SharedWorld,
    private readonly engine: Engine,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly book: Book,
    private readonly intake: Intake,
    private readonly active: ReadonlyMap<number, number>,
    private readonly bindings: Bindings,
    /** Told of what has become durable, before the durable tick is shown. */
    private readonly onDurable: (cut: Pending) => void,
  ) {
    this.before = { createdBefore: book.created, consumedBefore: book.consumed };
  }

  /** Newest bytes of an entity that are not durable yet: undefined = none, null = it is gone. */
  newest(id: number): Uint8Array | null | undefined {
    return (this.pending.entities.get(id) ?? this.writing?.entities.get(id))?.value;
  }

  get bytes(): number {
    return this.pending.bytes + (this.writing?.bytes ?? 0);
  }

  /** By stored item number, as of what was taken. */
  sums() {
    return sumTotals(this.book.names, this.before, new Map([...this.totals, ...this.pending.totals]));
  }

  /** Makes a cut due now, and one that failed again. */
  hurry(): void {
    this.writtenAt = Number.NEGATIVE_INFINITY; // and written, even if nothing happened
    this.dueAt = 0;
    this.quietUntil = 0;
    this.retryAt = 0;
  }

  /** Whether no cut is under way. */
  get isIdle(): boolean {
    return this.asked === 0 && this.writing === null;
  }

  /** Whether the engine has a cut in its hands. */
  get isWriting(): boolean {
    return this.isBusy;
  }

  /** A write failed, of a cut or beside them: the same trouble. The next cut that succeeds ends it. */
  alarm(trouble: Error): void {
    this.figures.failures++;
    this.hasFailed = true;
    this.raise(trouble.message);
  }

  /** A write has been under way for so long. What the disk said of one that failed stays said. */
  watch(ms: number): void {
    if (ms > LATE_MS && !this.hasFailed)
      this.raise(`the disk has not answered for ${Math.floor(ms / 1000)} s`);
  }

  private raise(reason: string): void {
    this.world.cut.state = STORE_STATE.FAILING;
    if (this.trouble === null)
      this.log.error({ reason }, 'the disk fails: nobody is admitted, the world goes on');
    this.trouble = reason;
  }

  /** Does what can be done now. @returns ms until there may be more to do without a bell */
  poll(): number {
    const now = this.clock.now();
    this.intake.drain(this.pending, this.asked, this.tick, LIMITS.storePendingBytes);
    if (this.writing !== null) {
      if (this.isBusy) this.watch(now - this.begunAt);
      else if (now >= this.retryAt) this.write();
      if (this.isBusy) return LATE_MS; // its end rings
      if (this.writing !== null) return Math.max(1, this.retryAt - now);
    }
    if (this.asked > 0) return this.look(now);
    if (now < this.dueAt) return this.dueAt - now;
    if (now < this.quietUntil && this.isQuiet) return this.quietUntil - now;
    return this.ask(now);
  }

  /** Whether every shard that takes part in cuts rests, and all that they did is durable. */
  private get isQuiet(): boolean {
    const { cut, shardBlocks, stored } = this.world;
    if (this.pending.entities.size + this.pending.tiles.size + this.pending.journal.length > 0) return false;
    for (let shard = 0; shard < stored.length; shard++)
      if (cut.isOpen(shard) && !shardBlocks[shard].isResting) return false;
    return true;
  }

  private ask(now: number): number {
    const { cut, clock, shardBlocks } = this.world;
    this.tick = clock.tickAt(now) + 1;
    this.intake.marked.clear();
    this.askedAt = now;
    this.asked = cut.ask(this.tick);
    for (const block of shardBlocks) block.ring();
    return clock.tickMs;
  }

  /** Whether all have answered. A shard that opens after the clock has passed K begins behind K. */
  private look(now: number): number {
    const { cut, clock, stored } = this.world;
    if (clock.tickAt(now) <= this.tick) return clock.tickMs / 2;
    let hasMissed = false;
    for (let shard = 0; shard < stored.length; shard++) {
      if (!cut.isOpen(shard)) continue;
      const missed = cut.missed(shard) === this.asked;
      if (!missed && !this.intake.marked.has(shard)) return clock.tickMs;
      hasMissed ||= missed;
    }
    this.asked = 0;
    if (hasMissed) {
      this.figures.missed++;
      this.dueAt = now + clock.tickMs;
      return 0;
    }
    this.writing = this.pending;
    this.pending = new Pending();
    this.write();
    return 0;
  }

  /** Nothing happened: K is as durable as the tick before it, and needs no write but now and then. */
  private isUnchanged(cut: Pending): boolean {
    if (cut.entities.size + cut.tiles.size + cut.touched.size + cut.journal.length > 0) return false;
    for (const [shard, { created, consumed }] of cut.totals) {
      const known = this.totals.get(shard);
      const same = (a: Float64Array, b?: Float64Array) => a.every((n, item) => n === (b?.[item] ?? 0));
      if (!same(created, known?.created) || !same(consumed, known?.consumed)) return false;
    }
    return true;
  }

  private write(): void {
    const cut = this.writing!;
    const unchangedAt = this.clock.now();
    const bound = this.bindings.due(cut);
    const isUnchanged = this.trouble === null && bound.length === 0 && this.isUnchanged(cut);
    this.quietUntil = isUnchanged ? this.askedAt + QUIET_MS : 0;
    if (isUnchanged && unchangedAt - this.writtenAt < UNCHANGED_MS) {
      this.written(cut, unchangedAt, unchangedAt);
      return;
    }
    this.writtenAt = unchangedAt;
    for (const [shard, totals] of cut.totals) this.totals.set(shard, totals);
    const writes = writesOf(cut, this.tick, this.active, this.book.names, this.before, this.totals);
    writes.push(...bound.map(bindingWrite));
    this.isBusy = true;
    const begun = this.clock.now();
    this.begunAt = begun;
    this.engine.commit(writes, (trouble) => {
      this.isBusy = false;
      const now = this.clock.now();
      if (trouble !== null) return this.failed(trouble, now);
      this.bindings.settle(bound);
      this.written(cut, now, begun);
    });
  }

  private written(cut: Pending, now: number, begun: number): void {
    const { figures, world } = this;
    this.writing = null;
    this.onDurable(cut);
    this.recordTicks(now);
    world.cut.durableTick = this.tick;
    world.cut.state = STORE_STATE.RUNNING;
    if (this.trouble !== null) this.log.warn({ tick: this.tick }, 'the disk works again');
    this.trouble = null;
    this.hasFailed = false;
    this.retryMs = RETRY_FIRST_MS;
    figures.cuts++;
    figures.records += cut.entities.size;
    figures.bytes += cut.bytes;
    figures.lastMs = now - begun;
    figures.maxMs = Math.max(figures.maxMs, figures.lastMs);
    const least = this.engine.leastMs ?? LEAST_MS;
    const busy = Math.max(least, Math.min(QUIET_FACTOR * figures.lastMs, figures.lastMs + QUIET_MOST_MS));
    this.dueAt = Math.max(this.askedAt + LEAST_TICKS * world.clock.tickMs, begun + busy);
  }

  /** How long each tick of the cut has waited for it; of a cut that took minutes, the last ones. */
  private recordTicks(now: number): void {
    const { cut, clock } = this.world;
    const first = Math.max(cut.durableTick + 1, this.tick - TIMED_TICKS + 1);
    for (let tick = first; tick <= this.tick; tick++) cut.durableMs.record(now - clock.startOf(tick + 1));
  }

  private failed(trouble: Error, now: number): void {
    this.alarm(trouble);
    this.retryAt = now + this.retryMs;
    this.retryMs = Math.min(RETRY_MOST_MS, this.retryMs * 2);
  }
}
