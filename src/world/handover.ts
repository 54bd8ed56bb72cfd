/**
 * The handover protocol, on one screen: offer, accept, recover. A slot changes shard by a lock (compare-and-swap
 * of its owner word) and a pointer transfer (slot, generation, epoch in a ring). Nobody copies state.
 *
 * Every function is a generator that yields before each shared-memory step: the exhaustive model drives every
 * interleaving and every kill point of it. Of offer and accept, of which a split makes thousands in one tick, there are
 * also straight versions, which allocate nothing; a test holds each pair against each other.
 *
 * ```
 *            offer: CAS                     accept: CAS
 *  OWNED(S) ────────────▶ TRANSIT(S→D) ────────────────▶ OWNED(D), epoch + 1
 *      ▲                    │      │
 *      └── ring full: CAS ──┘      └── S or D died: recover() of the replacement, by owner word alone
 * ```
 *
 * Why the owner word alone is the truth: a ring entry may be lost with its producer (never pushed), arrive twice
 * (pushed, then recovered and pushed again) or arrive late. Each of these ends in a compare-and-swap that fails.
 */
import {
  EPOCH_MASK,
  NOBODY,
  OWNER,
  epochOf,
  ownerOf,
  ownerState,
  packOwner,
  targetOf,
} from '../memory/record.js';
import type { Steps } from '../memory/steps.js';

/** What an offer came to. `gone`: the word was not ours any more; `refused`: no room, we still own it. */
export type OfferResult = 'sent' | 'refused' | 'gone';

/**
 * Source side: lock, then transfer.
 * @param owner owner words, one Int32 a slot
 * @param epoch the entity's owner epoch (its low bits stand in the word)
 * @param push puts (slot, generation, epoch) into the arrivals ring from source to target; false when it is full
 */
export function* offer(
  owner: Int32Array,
  slot: number,
  source: number,
  target: number,
  epoch: number,
  push: () => boolean,
): Steps<OfferResult> {
  const mine = packOwner(OWNER.OWNED, source, NOBODY, epoch);
  const transit = packOwner(OWNER.TRANSIT, source, target, epoch);
  yield;
  // Lock before push. Pushed first, the target could pop the entry while we still write the record (I1).
  if (Atomics.compareExchange(owner, slot, mine, transit) !== mine) return 'gone';
  yield;
  if (push()) return 'sent';
  yield;
  // No room. A plain store here would overwrite an adoption by the target's replacement; the CAS notices it.
  return Atomics.compareExchange(owner, slot, transit, mine) === transit ? 'refused' : 'gone';
}

/** Puts (slot, generation, epoch) into the arrivals ring to the target; false when it is full. */
export interface Carrier {
  push(slot: number, target: number, epoch: number): boolean;
}

/** `offer` at one go. */
export function offerNow(
  owner: Int32Array,
  slot: number,
  source: number,
  target: number,
  epoch: number,
  carrier: Carrier,
): OfferResult {
  const mine = packOwner(OWNER.OWNED, source, NOBODY, epoch);
  const transit = packOwner(OWNER.TRANSIT, source, target, epoch);
  if (Atomics.compareExchange(owner, slot, mine, transit) !== mine) return 'gone';
  if (carrier.push(slot, target, epoch)) return 'sent';
  return Atomics.compareExchange(owner, slot, transit, mine) === transit ? 'refused' : 'gone';
}

/**
 * Target side: accept one arrivals entry.
 * @param generationOf reads the slot's generation; an entry of an older life of the slot is ignored
 * @returns the new owner epoch (full, 32 bits), or −1 when the entry does not match and is to be counted and ignored
 */
export function* accept(
  owner: Int32Array,
  slot: number,
  target: number,
  generation: number,
  epoch: number,
  generationOf: (slot: number) => number,
): Steps<number> {
  yield;
  const word = Atomics.load(owner, slot);
  if (ownerState(word) !== OWNER.TRANSIT || targetOf(word) !== target) return -1;
  if (epochOf(word) !== (epoch & EPOCH_MASK)) return -1;
  yield;
  if (generationOf(slot) !== generation) return -1;
  const next = (epoch + 1) >>> 0;
  yield;
  const taken = packOwner(OWNER.OWNED, target, NOBODY, next);
  return Atomics.compareExchange(owner, slot, word, taken) === word ? next : -1;
}

/** `accept` at one go. */
export function acceptNow(
  owner: Int32Array,
  slot: number,
  target: number,
  generation: number,
  epoch: number,
  generationOf: (slot: number) => number,
): number {
  const word = Atomics.load(owner, slot);
  if (ownerState(word) !== OWNER.TRANSIT || targetOf(word) !== target) return -1;
  if (epochOf(word) !== (epoch & EPOCH_MASK) || generationOf(slot) !== generation) return -1;
  const next = (epoch + 1) >>> 0;
  const taken = packOwner(OWNER.OWNED, target, NOBODY, next);
  return Atomics.compareExchange(owner, slot, word, taken) === word ? next : -1;
}

/**
 * Replacement of a dead shard (or its last scan before an orderly end): decide one slot by its owner word.
 * - OWNED(number): ours already.
 * - TRANSIT(number → D): the source died after the lock, pushed or not: take it back; if the CAS fails D has it.
 * - TRANSIT(S → number): the target died before draining its arrivals: accept it here, unless it is too early for that.
 * @param isEarly whether what is in transit to here was handed over in a tick that the replacement has still to run;
 *   asked between the look at the word and the CAS, so about the record that the CAS takes
 * @returns true when the slot is now OWNED(number) and must be adopted
 */
export function* recover(
  owner: Int32Array,
  slot: number,
  number: number,
  isEarly: (slot: number, word: number) => boolean = () => false,
): Steps<boolean> {
  for (;;) {
    yield;
    const word = Atomics.load(owner, slot);
    const state = ownerState(word);
    if (state === OWNER.OWNED) return ownerOf(word) === number;
    if (state !== OWNER.TRANSIT) return false;
    const outgoing = ownerOf(word) === number;
    if (!outgoing && targetOf(word) !== number) return false;
    yield;
    if (!outgoing && isEarly(slot, word)) return false;
    yield;
    const taken = packOwner(OWNER.OWNED, number, NOBODY, epochOf(word) + 1);
    if (Atomics.compareExchange(owner, slot, word, taken) === word) return true;
    // Somebody moved it between our two steps: the live partner accepted it or took it back. Look again.
  }
}

/**
 * The full epoch that belongs to an owner word. The header's copy is written after the CAS that made us owner, so a
 * death between the two leaves it one behind (or more, after several deaths): it is moved up to the word's low bits.
 */
export function epochFromWord(headerEpoch: number, word: number): number {
  const low = epochOf(word);
  let epoch = headerEpoch >>> 0;
  while ((epoch & EPOCH_MASK) !== low) epoch = (epoch + 1) >>> 0;
  return epoch;
}
