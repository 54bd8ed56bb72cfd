/**
 * The census: one pass over the arena that counts entities, players and items, from outside, while shards write.
 *
 * Contract: read-only, plain reads of records that others write: a moving item may be seen twice or not at all in a
 * single pass. A pass whose items disagree with the totals is therefore repeated a few times; a disagreement that was
 * only skew goes away, a true loss or double (I2) stays in every pass and is reported.
 */
import { LIMITS } from '../base/limits.js';
import { tileIndex } from '../geo/tile.js';
import type { Arena } from '../memory/arena.js';
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import {
  ANSWER,
  ANSWER_BYTES,
  COLD,
  GATEWAY_THREAD,
  HEADER,
  HOT,
  OUTBOX,
  OUTBOX_BYTES,
  OWNER,
  ownerOf,
  ownerState,
} from '../memory/record.js';
import { STORE_THREAD } from '../memory/store-ring.js';

/** States of an outbox place in which its items are neither with the receiver nor back (mail of the shards). */
const WAITING = 1;
const SENT = 2;
const NO_ITEM = 255;
/** State of a remembered answer that the source may not have heard yet. */
const ANSWERED = 1;

export interface TileCount {
  entities: number;
  players: number;
}

export interface Census {
  /** Carried online and offline, lying on the ground, in flight; all kinds. */
  readonly items: number;
  readonly entities: number;
  /** Players that are not offline. */
  readonly players: number;
  /** By index of the square of the deepest tile level (row × columns + column). */
  readonly squares: ReadonlyMap<number, TileCount>;
}

/** What the census needs of the world. */
export interface CensusWorld {
  readonly arena: Arena;
  readonly ids: { lookup(id: number): number };
  /** Of them, by kind: what rests in the store. */
  readonly cut?: { readonly resting: Float64Array };
}

/** Items created and consumed since the planet started, all kinds. */
export interface ItemTotals {
  readonly created: number;
  readonly consumed: number;
}

/**
 * Counts until the items are as many as the totals say, at most `passes` times.
 * @returns the count, and the totals that it was compared with: figures of one moment
 */
export function takeCensus(
  world: CensusWorld,
  totals: () => ItemTotals,
  passes = 4,
): { census: Census; totals: ItemTotals } {
  let before = totals();
  for (;;) {
    const census = countOnce(world);
    if (census.items === before.created - before.consumed) return { census, totals: before };
    const after = totals();
    if (census.items === after.created - after.consumed || --passes <= 0) return { census, totals: after };
    before = after;
  }
}

function countOnce(world: CensusWorld): Census {
  const { arena } = world;
  const squares = new Map<number, TileCount>();
  let [items, entities, players] = [0, 0, 0];
  for (let slot = 0; slot < arena.capacity; slot++) {
    const word = Atomics.load(arena.owner, slot);
    const state = ownerState(word);
    if (state === OWNER.FREE || (state === OWNER.RESERVED && !isInHand(world, slot, word))) continue;
    const hot = arena.hot(slot);
    const x = arena.f64[(hot + HOT.x) >> 3];
    const square = tileIndex(x, arena.f64[(hot + HOT.y) >> 3], LIMITS.deepestTileLevel);
    let count = squares.get(square);
    if (count === undefined) squares.set(square, (count = { entities: 0, players: 0 }));
    items += itemsOf(world, slot);
    entities++;
    count.entities++;
    const offline = (arena.u16[(hot + HOT.flags) >> 1] & FLAG.OFFLINE) !== 0;
    if (arena.u16[(hot + HOT.kind) >> 1] !== PLAYER_KIND || offline) continue;
    players++;
    count.players++;
  }
  for (const resting of world.cut?.resting ?? []) items += resting;
  return { items, entities, players, squares };
}

/** Whether a gateway holds somebody who was away, and may wait with him until a tile takes newcomers again. */
export function isInHand({ arena, ids }: CensusWorld, slot: number, word: number): boolean {
  const holder = ownerOf(word);
  if (ownerState(word) !== OWNER.RESERVED || holder < GATEWAY_THREAD || holder >= STORE_THREAD) return false;
  const id = arena.f64[(arena.header(slot) + HEADER.id) >> 3];
  return id !== 0 && ids.lookup(id) === slot;
}

/** Items in the bag of a slot, and on their way out of it. */
function itemsOf(world: CensusWorld, slot: number): number {
  const { arena } = world;
  const cold = arena.cold(slot);
  let items = 0;
  for (let kind = 0; kind < LIMITS.itemKinds; kind++) items += arena.u32[((cold + COLD.items) >> 2) + kind];
  if (arena.i32[(arena.hot(slot) + HOT.outboxCount) >> 2] === 0) return items;
  for (let place = 0; place < LIMITS.outboxPlaces; place++) {
    const at = cold + COLD.outbox + place * OUTBOX_BYTES;
    const state = arena.u8[at + OUTBOX.state];
    if ((state !== WAITING && state !== SENT) || arena.u8[at + OUTBOX.itemKind] === NO_ITEM) continue;
    if (!hasArrived(world, slot, at)) items += arena.u32[(at + OUTBOX.itemCount) >> 2];
  }
  return items;
}

/** Whether the target has accepted what the outbox place at byte `at` carries: then it is counted in its bag. */
function hasArrived({ arena, ids }: CensusWorld, source: number, at: number): boolean {
  const target = ids.lookup(arena.f64[(at + OUTBOX.target) >> 3]);
  if (target < 0) return false;
  const id = arena.f64[(arena.header(source) + HEADER.id) >> 3];
  const counter = arena.u32[(at + OUTBOX.counter) >> 2];
  for (let place = 0; place < LIMITS.answerPlaces; place++) {
    const answer = arena.cold(target) + COLD.answers + place * ANSWER_BYTES;
    if (arena.u8[answer + ANSWER.used] !== ANSWERED || arena.f64[(answer + ANSWER.source) >> 3] !== id)
      continue;
    if (arena.u32[(answer + ANSWER.counter) >> 2] === counter)
      return arena.u16[(answer + ANSWER.answer) >> 1] === 0;
  }
  return false;
}
