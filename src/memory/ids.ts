/**
 * Entity id → slot, for any number of threads at any time, lock-free: a set-associative table whose buckets are single
 * cache lines. An answer is a hint: the slot may be freed in the next instant, so the caller checks the owner word.
 *
 * ```
 *  64 B      64 B               bucket, 64 B
 * ┌────────┬──────────────────┬──────────┬────────┬────────┬─────┬─────────┐
 * │ header │ next lease, bound│ overflow │ word 1 │ word 2 │  …  │ word 15 │ × 2^n
 * └────────┴──────────────────┴──────────┴────────┴────────┴─────┴─────────┘
 *                               word = 12 bits of the id's hash | slot + 1 (20 bits); 0 = free
 * ```
 * `overflow` counts the entries that wanted this bucket and went on to the next one; a lookup follows only while it is
 * not 0. It is raised before the entry is put further on, and lowered after it is gone: swapped, a lookup in between
 * misses an entry that is there. A death in between leaves a counter too high, which costs one more line per lookup and
 * nothing else. The header id of a slot is written before its word (release by CAS).
 * A lookup scans with plain reads and confirms what it finds with an atomic one: an entry whose insertion the reader has
 * learnt of (by a ring, an owner word) is visible to plain reads as well, any other may be missed either way.
 * A death between taking a slot and publishing it leaves an entry of a RESERVED slot: its recovery removes it.
 */
import { assert } from '../base/assert.js';
import { LIMITS } from '../base/limits.js';
import type { Arena } from './arena.js';
import { LINE, PARAMETERS, checkHeader, magicOf, writeHeader } from './header.js';
import { HEADER } from './record.js';

const MAGIC = magicOf('BMid');
const NEXT_LEASE = LINE >> 2;
const GRANTED = NEXT_LEASE + 1;
const FIRST = (2 * LINE) >> 2;
const WORDS = LINE >> 2;
const SLOT_BITS = 20;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const LAST_LEASE = 0x7fffffff;

/** Mixes a 53-bit id; the low bits choose the bucket, the high 12 are the fingerprint. */
function hashId(id: number): number {
  let h = Math.imul((id >>> 0) ^ Math.imul((id / 4294967296) >>> 0, 0x9e3779b1), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
  return h ^ (h >>> 13);
}

export class Ids {
  private readonly words: Int32Array;
  private readonly mask: number;
  private readonly headerIds: Float64Array;

  private constructor(
    readonly sab: SharedArrayBuffer,
    private readonly arena: Arena,
  ) {
    this.words = checkHeader(sab, MAGIC, 'ids');
    this.mask = this.words[PARAMETERS] - 1;
    this.headerIds = arena.f64;
    assert(sab.byteLength === (FIRST + (this.mask + 1) * WORDS) * 4, 'ids: length fits its buckets');
  }

  /**
   * @param arena the slots that the table finds
   * @param firstLease number of the first lease; ids start at firstLease × LIMITS.idLease
   * @param granted highest lease that may be taken now (raised by `grant` once a higher one is recorded durably)
   */
  static create(arena: Arena, firstLease = 1, granted: number = LAST_LEASE): Ids {
    assert(arena.capacity < SLOT_MASK, 'ids: a slot fits in 20 bits');
    assert(
      firstLease > 0 && firstLease <= LAST_LEASE && granted <= LAST_LEASE,
      'ids: leases are positive Int32',
    );
    // At most 14/15 × 1/2 full, so that overflow is rare.
    const buckets = 2 ** Math.ceil(Math.log2(Math.max(2, (arena.capacity * 2) / (WORDS - 1))));
    const sab = new SharedArrayBuffer((FIRST + buckets * WORDS) * 4);
    const i32 = new Int32Array(sab);
    writeHeader(i32, MAGIC, [buckets]);
    i32[NEXT_LEASE] = firstLease;
    i32[GRANTED] = granted;
    return new Ids(sab, arena);
  }

  /** @throws AssertionError when the buffer is not an id table of this version */
  static from(sab: SharedArrayBuffer, arena: Arena): Ids {
    return new Ids(sab, arena);
  }

  /** Slot of an id, or −1. */
  lookup(id: number): number {
    const hash = hashId(id);
    const tag = hash & ~SLOT_MASK;
    const { words, mask, headerIds, arena } = this;
    for (let bucket = hash & mask, tries = 0; tries <= mask; bucket = (bucket + 1) & mask, tries++) {
      const first = FIRST + bucket * WORDS;
      for (let at = first + 1; at < first + WORDS; at++) {
        if ((words[at] & ~SLOT_MASK) !== tag) continue;
        const word = Atomics.load(words, at);
        if ((word & SLOT_MASK) === 0 || (word & ~SLOT_MASK) !== tag) continue;
        const slot = (word & SLOT_MASK) - 1;
        if (headerIds[(arena.hotByte(slot) + HEADER.id) >> 3] === id) return slot;
      }
      if (words[first] === 0) return -1;
    }
    return -1;
  }

  /**
   * Adds an id whose slot's header already carries it. Adding what is there already does nothing, so a recovery may
   * repeat it.
   * @returns false when the table is full: impossible while every entry belongs to a slot in use
   */
  insert(id: number, slot: number): boolean {
    if (this.lookup(id) === slot) return true;
    const hash = hashId(id);
    const mine = (hash & ~SLOT_MASK) | (slot + 1);
    const { words, mask } = this;
    for (let bucket = hash & mask, tries = 0; tries <= mask; bucket = (bucket + 1) & mask, tries++) {
      const first = FIRST + bucket * WORDS;
      for (let at = first + 1; at < first + WORDS; at++) {
        if (Atomics.load(words, at) === 0 && Atomics.compareExchange(words, at, 0, mine) === 0) return true;
      }
      Atomics.add(words, first, 1);
    }
    this.lower(hash & mask, mask + 1);
    return false;
  }

  /** Removes an id. @returns false when it was not there */
  remove(id: number, slot: number): boolean {
    const hash = hashId(id);
    const mine = (hash & ~SLOT_MASK) | (slot + 1);
    const { words, mask } = this;
    for (let bucket = hash & mask, tries = 0; tries <= mask; bucket = (bucket + 1) & mask, tries++) {
      const first = FIRST + bucket * WORDS;
      const overflow = Atomics.load(words, first);
      for (let at = first + 1; at < first + WORDS; at++) {
        if (Atomics.load(words, at) !== mine || Atomics.compareExchange(words, at, mine, 0) !== mine)
          continue;
        this.lower(hash & mask, tries);
        return true;
      }
      if (overflow === 0) return false;
    }
    return false;
  }

  /** Before any thread takes a lease: the first one that was never used. */
  begin(lease: number): void {
    assert(lease > 0 && lease < LAST_LEASE, 'I4: ids are never used again');
    Atomics.store(this.words, NEXT_LEASE, lease);
  }

  /** Allows leases up to this number, once a restart can no longer hand them out again. */
  grant(lease: number): void {
    Atomics.store(this.words, GRANTED, lease);
  }
  /** Number of the lease that is taken next; the keeper of the grant watches its distance to the bound. */
  nextLease(): number {
    return Atomics.load(this.words, NEXT_LEASE);
  }

  /** Takes a lease. @returns its number, or −1 when none is granted now */
  takeLease(): number {
    const { words } = this;
    for (;;) {
      const lease = Atomics.load(words, NEXT_LEASE);
      if (lease > Atomics.load(words, GRANTED) || lease === LAST_LEASE) return -1;
      // Not a blind add: beyond the bound it would burn leases, and at last wrap.
      if (Atomics.compareExchange(words, NEXT_LEASE, lease, lease + 1) === lease) return lease;
    }
  }

  private lower(home: number, buckets: number): void {
    for (let i = 0; i < buckets; i++) Atomics.sub(this.words, FIRST + ((home + i) & this.mask) * WORDS, 1);
  }
}

/**
 * Unique entity ids for one thread; local to it. What is left of a lease at its death is never used: 2^31 leases of
 * 4096 ids are enough.
 */
export class IdLease {
  private id = 0;
  private left = 0;

  constructor(private readonly ids: Ids) {}

  /** @returns an id never returned before, or −1 when no lease is granted now (refuse with WORLD_FULL, try later) */
  next(): number {
    if (this.left === 0) {
      const lease = this.ids.takeLease();
      if (lease < 0) return -1;
      this.id = lease * LIMITS.idLease;
      this.left = LIMITS.idLease;
    }
    this.left--;
    return this.id++;
  }
}
