/**
 * What one shard number tells the rest of the process: written by the shard's thread (state and incarnation by the
 * supervisor, the doorbell by anybody), read by all; only the shard itself waits, on its doorbell.
 *
 * ```
 *  64 B      64 B                                   64 B       64 B      counters   gauges      totals       histograms
 * ┌────────┬──────────────────────────────────────┬──────────┬─────────┬──────────┬───────────┬────────────┬───────────┐
 * │ header │ state incarnation committed heartbeat│ doorbell │ in hand │ f64 × 32 │ f64 × 8   │ 2 copies   │ 3         │
 * └────────┴──────────────────────────────────────┴──────────┴─────────┴──────────┴───────────┴────────────┴───────────┘
 *
 *  totals:   copy 0  tick │ created f64[16] │ consumed f64[16] │ books f64[6 × 16]    valid is the copy with the greatest
 *            copy 1  tick │ created f64[16] │ consumed f64[16] │ books f64[6 × 16]    tick that is ≤ committed
 * ```
 * `committed` is the one store that commits a tick (undo.ts). Order of a commit: the copy's tick (the copy not valid
 * now), the totals, then committed. Committed first: a death before the totals loses or doubles items in the sums (I2).
 * Totals before the copy's tick: a death in between leaves new totals under an old, committed tick.
 * The block outlives the incarnations of its number. A death leaves an unfinished copy with a tick > committed, which is
 * not valid and is overwritten next; and the in-hand words, which tell the supervisor what the dead was doing.
 */
import { assert } from '../base/assert.js';
import { LIMITS } from '../base/limits.js';
import { fence } from './fence.js';
import { LINE, checkHeader, magicOf, writeHeader } from './header.js';
import { HISTOGRAM_BYTES, Histogram } from './histogram.js';
import type { Steps } from './steps.js';

const MAGIC = magicOf('BMsh');
const KINDS = LIMITS.itemKinds;
const STATE = LINE >> 2;
const INCARNATION = STATE + 1;
const COMMITTED = STATE + 2;
const HEARTBEAT = STATE + 3;
const TILES = STATE + 4;
const FAULT = STATE + 5;
const RESTING = STATE + 6;
const DOORBELL = (2 * LINE) >> 2;
const IN_HAND = (3 * LINE) >> 3;
const COUNTERS = (4 * LINE) >> 3;
const COUNTER_PLACES = 32;
const GAUGES = COUNTERS + COUNTER_PLACES;
const GAUGE_PLACES = 16;
const TOTALS = GAUGES + GAUGE_PLACES;
/** Sums that a shard keeps beside created and consumed (shard/ledger.ts), each per item kind. */
export const BOOK = { held: 0, posted: 1, returned: 2, arrived: 3, entered: 4, natural: 5 } as const;
export const BOOK_WORDS: number = 6 * KINDS;
const NO_BOOKS = new Float64Array(BOOK_WORDS);
const COPY_WORDS = 1 + 2 * KINDS + BOOK_WORDS;
const HISTOGRAMS = (TOTALS + 2 * COPY_WORDS) * 8;
const SEEN_CLOSING = (HISTOGRAMS + 3 * HISTOGRAM_BYTES) >> 2;
const PUBLISHERS = SEEN_CLOSING + LIMITS.maxShards;
/** Starts whose streams may be open at once: a number that dies more often within its first frame forgets the oldest. */
const PUBLISHER_PLACES = 8;
const BYTES = 8192 + 2 * 8 * BOOK_WORDS + 4 * (LIMITS.maxShards + PUBLISHER_PLACES);

/** States of a shard number. */
export const SHARD_STATE = { NONE: 0, STARTING: 1, RUNNING: 2, CLOSING: 3, DEAD: 4 } as const;

/** Faults that a test asks for. */
export const FAULT_KIND = { none: 0, throw: 1, hang: 2, oom: 3 } as const;

/** Counters: they only grow, over all incarnations of the number. */
export const SHARD_COUNTER = {
  handoversIn: 0,
  handoversOut: 1,
  handoversRefused: 2,
  crossings: 3,
  actionsApplied: 4,
  actionsRejected: 5,
  ticksMissed: 6,
  ticksDoubled: 7,
  ticksFrozen: 8,
  ticksDilated: 9,
  ignoredArrivals: 10,
  ringFull: 11,
  skippedEntries: 12,
  frameOverflows: 13,
  streamOverflows: 14,
  eventsDropped: 15,
  messagesSent: 16,
  messagesForwarded: 17,
  messagesDropped: 18,
  framesSent: 19,
  frameBytes: 20,
  slotsExhausted: 21,
  jobsDropped: 22,
  tickErrors: 23,
  ticks: 24,
  /** Garbage collections of the thread. */
  collections: 25,
  /** Events left out of far squares, more than LIMITS.farEventsPerFrame of them. */
  eventsThinned: 26,
  /** Errors of the game's code, each of them undone. */
  gameFaults: 27,
  /** Bags that held something else than their shard had noted. */
  itemDifferences: 31,
} as const;

/** Gauges: the latest value. */
export const SHARD_GAUGE = {
  entities: 0,
  players: 1,
  tiles: 2,
  /** Longest garbage collection, ms. */
  gcMaxMs: 3,
  /** CPU time ÷ tick budget. */
  busyShare: 4,
  /** Time dilation factor, 1 = none. */
  dilation: 5,
  /** Thread id of the kernel, 0 = unknown. */
  threadId: 6,
  /** Version of the directory that the shard's ticks go by. */
  layoutSeen: 7,
  /** Entities that still have to be handed over because of a change of layout. */
  leaving: 8,
  /** Greatest filling of its rings so far, 0…1: arrivals, messages of other shards, frames to a gateway. */
  arrivalsHigh: 9,
  messagesHigh: 10,
  framesHigh: 11,
  /** Nice value of the thread. */
  nice: 12,
  /** Entities whose step is left out because it throws. */
  frozen: 13,
} as const;

export class ShardBlock {
  /** Wall time of a tick. */
  readonly tickMs: Histogram;
  /** End of the source's tick to start of the first tick here, per handover. */
  readonly handoverMs: Histogram;
  /** CPU time of a tick. */
  readonly busyMs: Histogram;
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;

  private constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'shard block');
    this.f64 = new Float64Array(sab);
    this.tickMs = new Histogram(sab, HISTOGRAMS);
    this.handoverMs = new Histogram(sab, HISTOGRAMS + HISTOGRAM_BYTES);
    this.busyMs = new Histogram(sab, HISTOGRAMS + 2 * HISTOGRAM_BYTES);
  }

  static create(): ShardBlock {
    assert((PUBLISHERS + PUBLISHER_PLACES) * 4 <= BYTES, 'shard block: its parts fit');
    const sab = new SharedArrayBuffer(BYTES);
    writeHeader(new Int32Array(sab), MAGIC, []);
    return new ShardBlock(sab);
  }

  /** @throws AssertionError when the buffer is not a shard block of this version */
  static from(sab: SharedArrayBuffer): ShardBlock {
    return new ShardBlock(sab);
  }

  /** SHARD_STATE. */
  get state(): number {
    return Atomics.load(this.i32, STATE);
  }
  set state(value: number) {
    Atomics.store(this.i32, STATE, value);
  }
  /** Number of the shard's present start, unique in the process, 1 and up; 0 = never started. */
  get incarnation(): number {
    return Atomics.load(this.i32, INCARNATION);
  }
  set incarnation(value: number) {
    Atomics.store(this.i32, INCARNATION, value);
  }
  /** Newest committed tick. */
  get committedTick(): number {
    return Atomics.load(this.i32, COMMITTED);
  }
  /** Moves on with every loop of the shard; a value that stands still is a hang. */
  get heartbeat(): number {
    return Atomics.load(this.i32, HEARTBEAT);
  }
  beat(): void {
    Atomics.add(this.i32, HEARTBEAT, 1);
  }

  /** First start of a shard number: its ticks begin behind this one. */
  startAt(tick: number): void {
    Atomics.store(this.i32, COMMITTED, tick);
  }

  /**
   * Shard: commits a tick with the item totals at its end. Nothing of the tick may leave the shard before, and nothing
   * of the next tick may be written before it returns.
   * @param tick greater than the committed one; not always the next (a replacement may start later)
   * @param created @param consumed per item kind, since the planet started
   * @param books BOOK sums, BOOK_WORDS of them
   */
  commit(tick: number, created: Float64Array, consumed: Float64Array, books = NO_BOOKS): void {
    const { i32, f64 } = this;
    const committed = Atomics.load(i32, COMMITTED);
    assert(tick > committed, 'I4: ticks are committed in order');
    const copy = this.validCopy(committed) === TOTALS ? TOTALS + COPY_WORDS : TOTALS;
    f64[copy] = tick;
    for (let kind = 0; kind < KINDS; kind++) {
      f64[copy + 1 + kind] = created[kind];
      f64[copy + 1 + KINDS + kind] = consumed[kind];
    }
    for (let i = 0; i < BOOK_WORDS; i++) f64[copy + 1 + 2 * KINDS + i] = books[i];
    Atomics.store(i32, COMMITTED, tick);
  }

  /** `commit` in steps, for models (the straight one allocates nothing; a test holds the two against each other). */
  *commitSteps(tick: number, created: Float64Array, consumed: Float64Array, books = NO_BOOKS): Steps<void> {
    yield;
    // Also keeps the plain stores below behind the last commit's store: a load-acquire after a store-release.
    const committed = Atomics.load(this.i32, COMMITTED);
    assert(tick > committed, 'I4: ticks are committed in order');
    const copy = this.validCopy(committed) === TOTALS ? TOTALS + COPY_WORDS : TOTALS;
    yield;
    this.f64[copy] = tick;
    yield;
    for (let kind = 0; kind < KINDS; kind++) {
      this.f64[copy + 1 + kind] = created[kind];
      this.f64[copy + 1 + KINDS + kind] = consumed[kind];
    }
    for (let i = 0; i < BOOK_WORDS; i++) this.f64[copy + 1 + 2 * KINDS + i] = books[i];
    yield;
    Atomics.store(this.i32, COMMITTED, tick);
  }

  /**
   * Item totals at the newest committed tick, from any thread.
   * @param books BOOK_WORDS places, if they are wanted
   * @returns that tick
   */
  totals(created: Float64Array, consumed: Float64Array, books?: Float64Array): number {
    for (;;) {
      const committed = Atomics.load(this.i32, COMMITTED);
      const copy = this.validCopy(committed);
      for (let kind = 0; kind < KINDS; kind++) {
        created[kind] = this.f64[copy + 1 + kind];
        consumed[kind] = this.f64[copy + 1 + KINDS + kind];
      }
      if (books !== undefined)
        for (let i = 0; i < BOOK_WORDS; i++) books[i] = this.f64[copy + 1 + 2 * KINDS + i];
      // A copy is overwritten only after the next commit: unchanged, it was whole. At most one repetition a tick.
      fence();
      if (Atomics.load(this.i32, COMMITTED) === committed) return committed;
    }
  }

  /** Leaves of this shard: counted by whoever gives or takes one, put right by the shard once a second. */
  get tiles(): number {
    return Atomics.load(this.i32, TILES);
  }
  set tiles(n: number) {
    Atomics.store(this.i32, TILES, n);
  }
  addTiles(n: number): void {
    Atomics.add(this.i32, TILES, n);
  }

  /** Shard: at the end of a tick, the incarnation of another shard that it saw marked as closing; 0 = none. */
  noteClosing(shard: number, incarnation: number): void {
    Atomics.store(this.i32, SEEN_CLOSING + shard, incarnation);
  }
  seenClosing(shard: number): number {
    return Atomics.load(this.i32, SEEN_CLOSING + shard);
  }

  /** Incarnations of this number whose streams clients may still hold, oldest first. */
  publishers(): number[] {
    const all = Array.from({ length: PUBLISHER_PLACES }, (_, i) => Atomics.load(this.i32, PUBLISHERS + i));
    return all.filter((incarnation) => incarnation !== 0);
  }
  /**
   * Shard: before its first frame adds itself, when all others' streams are closed it stands alone. Written from the
   * front, so that a death in between leaves somebody twice rather than not at all.
   */
  setPublishers(incarnations: readonly number[]): void {
    const kept = incarnations.slice(-PUBLISHER_PLACES);
    for (let i = 0; i < PUBLISHER_PLACES; i++) Atomics.store(this.i32, PUBLISHERS + i, kept[i] ?? 0);
  }

  /** Tests: asks the shard for a fault (FAULT_KIND). */
  askFault(kind: number): void {
    Atomics.store(this.i32, FAULT, kind);
    this.ring();
  }
  /** Shard: the fault that was asked for; asked once, taken once. */
  takeFault(): number {
    return Atomics.load(this.i32, FAULT) === 0 ? 0 : Atomics.exchange(this.i32, FAULT, 0);
  }

  /** Shard: holds nothing, and sleeps longer than a tick. Set before the last look for work, so that `wake` is not missed. */
  get isResting(): boolean {
    return Atomics.load(this.i32, RESTING) !== 0;
  }
  set isResting(resting: boolean) {
    Atomics.store(this.i32, RESTING, resting ? 1 : 0);
  }
  /** Anybody, after something was put into one of the shard's rings: a shard that rests looks at once. */
  wake(): void {
    if (this.isResting) this.ring();
  }

  /** Anybody: wakes the shard. */
  ring(): void {
    Atomics.add(this.i32, DOORBELL, 1);
    Atomics.notify(this.i32, DOORBELL);
  }
  /** Shard: read before looking for work, so that a ring in between is not slept through. */
  get doorbell(): number {
    return Atomics.load(this.i32, DOORBELL);
  }
  /** Shard: sleeps until rung since `seen`, at most `ms`. Blocks the thread. */
  wait(seen: number, ms: number): void {
    Atomics.wait(this.i32, DOORBELL, seen, ms);
  }

  /** Shard, before it steps an entity or applies its action: what a crash will be blamed on. @param action 0 = a step */
  takeInHand(entity: number, action: number): void {
    this.f64[IN_HAND] = entity;
    this.f64[IN_HAND + 1] = action;
  }
  /** The same for a step, with the id where it stands (why: `columnAt`, geo/tile.ts). */
  stepInHand(ids: Float64Array, at: number): void {
    this.f64[IN_HAND] = ids[at];
    this.f64[IN_HAND + 1] = 0;
  }
  /** Id of the entity in the shard's hands, 0 = none. Read after the thread's exit. */
  get inHandEntity(): number {
    return this.f64[IN_HAND];
  }
  get inHandAction(): number {
    return this.f64[IN_HAND + 1];
  }

  /** Shard: adds to a SHARD_COUNTER. */
  count(counter: number, n = 1): void {
    this.f64[COUNTERS + counter] += n;
  }
  counter(counter: number): number {
    return this.f64[COUNTERS + counter];
  }
  /** Shard: sets a SHARD_GAUGE. */
  setGauge(gauge: number, value: number): void {
    this.f64[GAUGES + gauge] = value;
  }
  /** Shard: sets a SHARD_GAUGE that only grows to the share of a part in a whole. */
  raiseShare(gauge: number, part: number, whole: number): void {
    const value = part / whole;
    if (value > this.f64[GAUGES + gauge]) this.f64[GAUGES + gauge] = value;
  }
  gauge(gauge: number): number {
    return this.f64[GAUGES + gauge];
  }

  /** The copy of the totals that a committed tick selects. */
  private validCopy(committed: number): number {
    const a = this.f64[TOTALS];
    const b = this.f64[TOTALS + COPY_WORDS];
    if (a > committed) return TOTALS + COPY_WORDS;
    if (b > committed) return TOTALS;
    return a >= b ? TOTALS : TOTALS + COPY_WORDS;
  }
}
