/**
 * A deed: one call of game code (an action, a step, a message, a job's result, a tile's content) as a transaction inside
 * the tick's. What it changed can be taken back, so that an error of the game costs that deed and nothing else.
 *
 * ```
 *  open ── first write to a record: copied ──── more writes ──── keep            the tick goes on with them
 *   │      spawn, despawn, emit, defer …: noted                  undo(mark)      all of it in reverse order
 *   └──── open … keep / undo: a deed within a deed, whatever becomes of it
 * ```
 * Contract: of one shard, in its thread, within a tick. Of a record that is written for the first time in the tick the
 * tick's own undo copy is the copy (memory/undo.ts), so an ordinary step copies nothing twice. The log grows when a deed
 * needs more of it and never shrinks: a tick allocates nothing. A death in the middle of an undo is like any other: the
 * tick's copies are whole, and a replacement takes the tick back.
 */
import { assert } from '../base/assert.js';
import type { Arena } from '../memory/arena.js';
import { COLD_BYTES, HOT_BYTES } from '../memory/record.js';

/** What an entry takes back. Values: slot and copy, or what the table says. */
const ENTRY = {
  HOT: 0, // slot, where its copy begins (−1 = the tick's copy)
  COLD: 1,
  NUMBER: 2, // number of the list (`track`), index, the value before
  DONE: 3, // number of the undo (`onUndo`), its argument
} as const;
const WORDS = 4;
const HOT_WORDS = HOT_BYTES >> 2;
const COLD_WORDS = COLD_BYTES >> 2;
/** To begin with; most deeds write one or two records. */
const ENTRIES = 1024;
const COPIES = 32 * (HOT_WORDS + COLD_WORDS);
const FROM_TICK = -1;

export type Numbers = Float64Array | Uint32Array | Int32Array;

export class Deeds {
  /** Whether game code runs: only then it may write. */
  isOpen = false;
  private depth = 0;
  private count = 0;
  private entries = new Float64Array(ENTRIES * WORDS);
  private copied = 0;
  private copies = new Int32Array(COPIES);
  /** Number of the running deed, or part of one: what it has saved is marked with it. */
  private deed = 0;
  private readonly hotDeed: Uint32Array;
  private readonly coldDeed: Uint32Array;
  /** Entity whose step it is: its hot state is saved from the start. −1 = none. */
  private own = -1;
  /** Where the copy of that begins. */
  private ownCopy = FROM_TICK;
  private readonly numbers: Numbers[] = [];
  private readonly undos: ((argument: number) => void)[] = [];

  /**
   * @param forget told when nothing is saved yet: the next write to any record has to come here
   * @param restored told of each record that was put back
   */
  constructor(
    private readonly arena: Arena,
    private readonly forget: () => void,
    private readonly restored: (slot: number) => void,
  ) {
    this.hotDeed = new Uint32Array(arena.capacity);
    this.coldDeed = new Uint32Array(arena.capacity);
  }

  /** Makes a list of numbers undoable. @returns its number, for `note` */
  track(list: Numbers): number {
    return this.numbers.push(list) - 1;
  }

  /** A thing of its own kind that a deed can do. @param undo takes the latest one back @returns its number, for `did` */
  onUndo(undo: (argument: number) => void): number {
    return this.undos.push(undo) - 1;
  }

  /** A deed begins, perhaps within another. @returns a mark for `undo` */
  open(): number {
    if (this.depth === 0) {
      this.count = 0;
      this.copied = 0;
    }
    this.depth++;
    this.isOpen = true;
    this.part();
    return this.count;
  }

  /**
   * The deed is an entity's step. Its record was made writable just now, and stays so.
   * @param isFresh whether the tick's undo copy shows it as it is
   */
  openStep(slot: number, isFresh: boolean): void {
    assert(this.depth === 0, 'a step is no part of another deed');
    this.depth = 1;
    this.count = 0;
    this.copied = 0;
    this.deed = this.next();
    this.isOpen = true;
    this.own = slot;
    this.ownCopy = isFresh ? FROM_TICK : this.copy(this.arena.hot(slot) >> 2, HOT_WORDS);
  }

  /** What was done stands, as far as this deed is concerned. */
  keep(): void {
    if (--this.depth > 0) return this.part();
    this.isOpen = false;
    this.forget();
  }

  /** Takes back all that was done since `open` gave this mark, and ends the deed. */
  undo(mark: number): void {
    while (this.count > mark) this.takeBack(--this.count * WORDS);
    this.keep();
  }

  /** The same for the whole of a step. @param slot its entity */
  undoStep(slot: number): void {
    while (this.count > 0) this.takeBack(--this.count * WORDS);
    const { arena, ownCopy } = this;
    this.restore(slot, arena.hot(slot) >> 2, ownCopy, arena.hotUndo(slot) >> 2, HOT_WORDS);
    this.keep();
  }

  /** An outer deed that goes on after one within it saves records anew: what was saved in between is older than that. */
  private part(): void {
    this.deed = this.next();
    this.own = -1;
    this.forget();
  }

  private next(): number {
    if (this.deed < 0xffffffff) return this.deed + 1;
    this.hotDeed.fill(0);
    this.coldDeed.fill(0);
    return 1;
  }

  /** Before a write to the hot state; only while a deed is open. @param isFresh the tick's undo copy was made just now */
  saveHot(slot: number, isFresh: boolean): void {
    if (slot === this.own || this.hotDeed[slot] === this.deed) return;
    this.hotDeed[slot] = this.deed;
    this.add(ENTRY.HOT, slot, isFresh ? FROM_TICK : this.copy(this.arena.hot(slot) >> 2, HOT_WORDS), 0);
  }

  /** The same for the cold state. */
  saveCold(slot: number, isFresh: boolean): void {
    if (this.coldDeed[slot] === this.deed) return;
    this.coldDeed[slot] = this.deed;
    this.add(ENTRY.COLD, slot, isFresh ? FROM_TICK : this.copy(this.arena.cold(slot) >> 2, COLD_WORDS), 0);
  }

  /** A record that the running deed has made: it needs no copy, it goes as a whole. */
  made(slot: number): void {
    this.hotDeed[slot] = this.coldDeed[slot] = this.deed;
  }

  /** Before a tracked number changes. */
  note(list: number, index: number): void {
    if (this.isOpen) this.add(ENTRY.NUMBER, list, index, this.numbers[list]![index]!);
  }

  /** Something was done that its undo takes back. */
  did(what: number, argument = 0): void {
    if (this.isOpen) this.add(ENTRY.DONE, what, argument, 0);
  }

  private add(entry: number, a: number, b: number, c: number): void {
    const at = this.count * WORDS;
    if (at === this.entries.length) this.entries = grown(this.entries, Float64Array);
    const { entries } = this;
    entries[at] = entry;
    entries[at + 1] = a;
    entries[at + 2] = b;
    entries[at + 3] = c;
    this.count++;
  }

  /** @returns where the copy begins */
  private copy(from: number, words: number): number {
    if (this.copied + words > this.copies.length) this.copies = grown(this.copies, Int32Array);
    const { copies } = this;
    const { i32 } = this.arena;
    const at = this.copied;
    // A loop, as in memory/undo.ts: a call for 48 words costs more than they do.
    for (let i = 0; i < words; i++) copies[at + i] = i32[from + i]!;
    this.copied = at + words;
    return at;
  }

  private takeBack(at: number): void {
    const { entries, arena } = this;
    const [a, b, c] = [entries[at + 1]!, entries[at + 2]!, entries[at + 3]!];
    switch (entries[at]) {
      case ENTRY.HOT:
        return this.restore(a, arena.hot(a) >> 2, b, arena.hotUndo(a) >> 2, HOT_WORDS);
      case ENTRY.COLD:
        return this.restore(a, arena.cold(a) >> 2, b, arena.coldUndo(a) >> 2, COLD_WORDS);
      case ENTRY.NUMBER:
        this.numbers[a]![b] = c;
        return;
      default:
        this.undos[a]!(b);
    }
  }

  private restore(slot: number, to: number, copy: number, tickCopy: number, words: number): void {
    const { i32 } = this.arena;
    if (copy === FROM_TICK) i32.copyWithin(to, tickCopy, tickCopy + words);
    else i32.set(this.copies.subarray(copy, copy + words), to);
    this.restored(slot);
  }
}

function grown<A extends Float64Array | Int32Array>(old: A, type: new (length: number) => A): A {
  const bigger = new type(old.length * 2);
  bigger.set(old);
  return bigger;
}
