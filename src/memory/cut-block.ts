/**
 * The durable cut between store thread and shards: the store asks (one cut at a time), every open shard answers with
 * what it pushes into its store ring (store-ring.ts), the store tells what is durable. And beside the arena, by slot:
 * whether the store has not been given the newest of a record, and what its player may be told.
 *
 * ```
 *  64 B      64 B                            64 B       64 B a shard              by slot
 * ┌────────┬───────────────────────────────┬──────────┬─────────────────────────┬────────────────────────────────────┐
 * │ header │ asked askedTick durable state │ doorbell │ open marked missed full │ cut id │ cut tick │ durable id   │
 * │        │ (store)                       │ (all)    │ (the shard)             │ dirty   (all: the record's holder) │
 * └────────┴───────────────────────────────┴──────────┴─────────────────────────┴────────────────────────────────────┘
 *   … and behind all of it a histogram of how long ticks took to become durable (the store).
 * ```
 * **A cut.** The store writes askedTick = K > now, then asked = c; swapped, a shard answers c for another tick. A shard
 * looks at the start of each tick. In tick K, after its commit, it pushes every dirty record, what was removed, tiles,
 * totals, and the mark, then stores `marked` = c: all of it in this one tick, for what is pushed in a later tick is of
 * a later state. Where that cannot be (the ring is full, the shard had begun a tick > K) it stores `missed` = c; the
 * store asks again with another K, and nothing that was pushed has to be pushed again.
 * **Who must answer**: every shard whose `open` is set, looked at once the clock has passed K. A shard opens before it
 * reads the clock for its first tick, so one that the store has not seen open begins behind K.
 * **Dirty** is set by the owner before the write, cleared by it after the push: a death in between pushes twice. Whoever
 * gives an entity away (handover, rest) pushes it first if it is dirty, so nobody else's slot is ever dirty, and
 * an entity in transit at K stands before the mark of its source. Flags, not ticks: two owners may write in one tick.
 * Of one entity the version with the greatest owner epoch counts, of one owner the later in its ring.
 * Death of a shard: `open` stays, so the cut waits for the replacement, which pushes what stands committed and marks.
 * **Volatile**: nothing outlives the process, so nobody would ever read what the store was told of an entity that is in
 * the arena. Only what goes to rest is pushed then, and what is gone; cuts and their marks are as ever.
 */
import { assert } from '../base/assert.js';
import { LIMITS } from '../base/limits.js';
import { LINE, PARAMETERS, checkHeader, magicOf, roundUp, writeHeader } from './header.js';
import { HISTOGRAM_BYTES, Histogram } from './histogram.js';

const MAGIC = magicOf('BMcb');
const ASKED = LINE >> 2;
const ASKED_TICK = ASKED + 1;
const DURABLE_TICK = ASKED + 2;
const STATE = ASKED + 3;
const STORE_THREAD_ID = ASKED + 4;
const WRITER_THREAD_ID = ASKED + 5;
const VOLATILE = ASKED + 6;
const DOORBELL = (2 * LINE) >> 2;
const RESTING = (3 * LINE) >> 2;
const SHARDS = RESTING + 2 * LIMITS.itemKinds;
const SHARD_WORDS = LINE >> 2;
const OPEN = 0;
const MARKED = 1;
const MISSED = 2;
const FULL = 3;

export const STORE_STATE = {
  /** No store: nothing is pushed, what is applied counts as durable. */
  OFF: 0,
  RUNNING: 1,
  /** Trouble with the disk: ticks go on, nobody new is admitted. */
  FAILING: 2,
} as const;

export class CutBlock {
  /** By slot: 1 = the store has not been given what stands there. Plain: only the slot's holder writes it. */
  readonly dirty: Uint8Array;
  /** By item kind, what rests in the store and not in the arena. Written by the store's thread. */
  readonly resting: Float64Array;
  /** From the end of a tick to the moment in which all of it is durable; each tick counts once. */
  readonly durableMs: Histogram;
  private readonly i32: Int32Array;
  private readonly cutId: Uint32Array;
  private readonly cutTick: Int32Array;
  private readonly durableId: Uint32Array;

  private constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'cut block');
    const capacity = this.i32[PARAMETERS];
    const shards = this.i32[PARAMETERS + 1];
    this.resting = new Float64Array(sab, RESTING * 4, LIMITS.itemKinds);
    let at = (SHARDS + shards * SHARD_WORDS) * 4;
    const words = capacity * 4;
    this.cutId = new Uint32Array(sab, at, capacity);
    this.cutTick = new Int32Array(sab, (at += words), capacity);
    this.durableId = new Uint32Array(sab, (at += words), capacity);
    this.dirty = new Uint8Array(sab, at + words, capacity);
    this.durableMs = new Histogram(sab, roundUp(at + words + capacity, 8));
  }

  /** @param capacity slots of the arena @param shards shard numbers */
  static create(capacity: number, shards: number): CutBlock {
    const bytes = (SHARDS + shards * SHARD_WORDS) * 4 + capacity * 13;
    const sab = new SharedArrayBuffer(roundUp(bytes, 8) + HISTOGRAM_BYTES);
    writeHeader(new Int32Array(sab), MAGIC, [capacity, shards]);
    return new CutBlock(sab);
  }

  /** @throws AssertionError when the buffer is not a cut block of this version */
  static from(sab: SharedArrayBuffer): CutBlock {
    return new CutBlock(sab);
  }

  // ---- the store's side ----

  /** Store: asks for a cut as of a tick that has not begun. One at a time: every open shard has answered the last. */
  ask(tick: number): number {
    const cut = this.asked + 1;
    Atomics.store(this.i32, ASKED_TICK, tick);
    Atomics.store(this.i32, ASKED, cut);
    return cut;
  }
  /** Number of the newest cut, 0 = none yet. */
  get asked(): number {
    return Atomics.load(this.i32, ASKED);
  }
  /** Its tick. Read after `asked`. */
  get askedTick(): number {
    return Atomics.load(this.i32, ASKED_TICK);
  }
  /** Numbers of the store's threads in the kernel, 0 = none or unknown. Written by the store's thread. */
  get threadIds(): { store: number; writer: number } {
    return {
      store: Atomics.load(this.i32, STORE_THREAD_ID),
      writer: Atomics.load(this.i32, WRITER_THREAD_ID),
    };
  }
  setThreadIds(store: number, writer: number): void {
    Atomics.store(this.i32, STORE_THREAD_ID, store);
    Atomics.store(this.i32, WRITER_THREAD_ID, writer);
  }

  /** Everything up to this tick survives the process; of a volatile store: is known to its thread. */
  get durableTick(): number {
    return Atomics.load(this.i32, DURABLE_TICK);
  }
  set durableTick(tick: number) {
    assert(tick >= this.durableTick, 'I12: the durable point never goes back');
    Atomics.store(this.i32, DURABLE_TICK, tick);
  }
  /** STORE_STATE. */
  get state(): number {
    return Atomics.load(this.i32, STATE);
  }
  set state(value: number) {
    Atomics.store(this.i32, STATE, value);
  }

  /** Whether what the store keeps ends with the process. Set before the first shard starts. */
  get isVolatile(): boolean {
    return Atomics.load(this.i32, VOLATILE) === 1;
  }
  set isVolatile(value: boolean) {
    Atomics.store(this.i32, VOLATILE, value ? 1 : 0);
  }

  // ---- a shard's side ----

  /** Shard: takes part in cuts from here. Before it reads the clock for its first tick. */
  open(shard: number): void {
    Atomics.store(this.i32, this.at(shard) + OPEN, 1);
  }
  /** Shard: owns nothing and will never push again. The store takes what is in the ring with its next cut. */
  close(shard: number): void {
    Atomics.store(this.i32, this.at(shard) + OPEN, 0);
  }
  isOpen(shard: number): boolean {
    return Atomics.load(this.i32, this.at(shard) + OPEN) === 1;
  }
  /** Shard: the mark of this cut stands in the ring. */
  mark(shard: number, cut: number): void {
    Atomics.store(this.i32, this.at(shard) + MARKED, cut);
  }
  marked(shard: number): number {
    return Atomics.load(this.i32, this.at(shard) + MARKED);
  }
  /** Shard: this cut cannot be had from here. */
  miss(shard: number, cut: number): void {
    Atomics.store(this.i32, this.at(shard) + MISSED, cut);
  }
  missed(shard: number): number {
    return Atomics.load(this.i32, this.at(shard) + MISSED);
  }
  /** Shard: something had to wait because its ring was full. */
  countFull(shard: number): void {
    Atomics.add(this.i32, this.at(shard) + FULL, 1);
  }
  /** How often that was. */
  full(shard: number): number {
    return Atomics.load(this.i32, this.at(shard) + FULL);
  }

  /** Anybody: wakes the store thread. */
  ring(): void {
    Atomics.add(this.i32, DOORBELL, 1);
    Atomics.notify(this.i32, DOORBELL);
  }
  /** Store: read before looking for work. */
  get doorbell(): number {
    return Atomics.load(this.i32, DOORBELL);
  }
  /** Store: sleeps until rung since `seen`, at most `ms`; does not block the thread. */
  waitAsync(seen: number, ms: number): Promise<string> | null {
    const waiting = Atomics.waitAsync(this.i32, DOORBELL, seen, ms);
    return waiting.async ? waiting.value : null;
  }

  // ---- by slot ----

  /** Holder of a slot that it fills anew. @param dirty 1, or 0 for what the store itself brings */
  reset(slot: number, dirty: 0 | 1): void {
    this.dirty[slot] = dirty;
    this.forget(slot);
  }

  /** Owner: a session began; the ids of the one before mean nothing any more. */
  forget(slot: number): void {
    this.durableId[slot] = 0;
    this.cutId[slot] = 0;
    Atomics.store(this.cutTick, slot, 0);
  }

  /**
   * Owner: the record was pushed; it is durable once a cut of `cutTick` is.
   * @param applied its newest decided action @param cutTick the running tick before its mark, the next one behind it
   */
  pushed(slot: number, applied: number, cutTick: number): void {
    this.durableId[slot] = this.durable(slot);
    this.cutId[slot] = applied;
    Atomics.store(this.cutTick, slot, cutTick);
    this.dirty[slot] = 0;
  }

  /** Newest action of the slot's session that is durable. For the slot's owner. */
  durable(slot: number): number {
    return Atomics.load(this.cutTick, slot) <= this.durableTick ? this.cutId[slot] : this.durableId[slot];
  }

  private at(shard: number): number {
    return SHARDS + shard * SHARD_WORDS;
  }
}
