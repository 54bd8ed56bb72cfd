/**
 * Entities that a gateway brings into the world: fills the record of a new player, and sends new and parked ones to the
 * shard of the place where they stand. Until its owner word shows TRANSIT a slot is held by this gateway alone.
 *
 * A journey does not depend on its connection: once begun it is finished, and a player whose socket is gone meanwhile
 * is away like any other.
 */
import { assert } from '../base/assert.js';
import { LIMITS } from '../base/limits.js';
import { tileIndex } from '../geo/tile.js';
import { clampY, wrapX } from '../geo/world.js';
import { GATEWAY_COUNTER as COUNTER } from '../memory/gateway-block.js';
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import {
  COLD_BYTES,
  HEADER,
  HOT,
  HOT_BYTES,
  NOBODY,
  OWNER,
  epochOf,
  ownerOf,
  ownerState,
  packOwner,
  targetOf,
} from '../memory/record.js';
import { sendReserved } from '../memory/slots.js';
import { epochFromWord } from '../world/handover.js';
import { pathAt } from '../world/layout.js';
import type { GatewayCore } from './core.js';

/** After this an arrival that was not accepted is looked at again: its shard may have ended. */
const LOOK_AGAIN_MS = 1000;

/**
 * Fills the record of a new player in a slot that this gateway has reserved, and empties its inbox.
 * @param flags FLAG bits beside NEW @param x, y world metres, brought into the world's bounds
 */
export function fillPlayer(
  core: GatewayCore,
  slot: number,
  id: number,
  flags: number,
  x: number,
  y: number,
): void {
  const { arena, inboxes } = core.world;
  const word = Atomics.load(arena.owner, slot);
  assert(
    ownerState(word) === OWNER.RESERVED && ownerOf(word) === core.thread,
    'I1: only a reserved slot is filled',
  );
  const h = arena.header(slot);
  const hot = arena.hot(slot);
  const cold = arena.cold(slot);
  arena.i32.fill(0, hot >> 2, (hot + HOT_BYTES) >> 2);
  arena.i32.fill(0, cold >> 2, (cold + COLD_BYTES) >> 2);
  // The owner epoch goes on from the slot's last life (I4); its header copy may be behind the word.
  arena.u32[(h + HEADER.epoch) >> 2] = epochFromWord(arena.u32[(h + HEADER.epoch) >> 2], word);
  arena.f64[(h + HEADER.handoverStamp) >> 3] = 0; // a login is no handover
  arena.i32[(h + HEADER.handoverTick) >> 2] = 0;
  arena.f64[(hot + HOT.x) >> 3] = wrapX(x);
  arena.f64[(hot + HOT.y) >> 3] = clampY(y);
  arena.i32[(hot + HOT.tile) >> 2] = tileIndex(wrapX(x), clampY(y), LIMITS.baseTileLevel);
  // Its clock begins with its first step, as for all that has rested. Not with the gateway's tick: a shard that lags takes
  // it in at once, would not step it before it has caught up, and its cuts would hold somebody of a later tick than theirs.
  arena.i32[(h + HEADER.birthTick) >> 2] = 0;
  arena.i32[(hot + HOT.lastTick) >> 2] = 0;
  arena.u16[(hot + HOT.kind) >> 1] = PLAYER_KIND;
  arena.u16[(hot + HOT.flags) >> 1] = FLAG.NEW | FLAG.RESTED | flags;
  arena.f32[(hot + HOT.rateTokens) >> 2] = LIMITS.actionBurst;
  inboxes.reset(slot);
  core.world.cut.reset(slot, 1);
  // Last: from here a lookup can find the slot.
  arena.f64[(h + HEADER.id) >> 3] = id;
}

/** An entity on its way from this gateway to a shard. */
interface Journey {
  slot: number;
  generation: number;
  epoch: number;
  /** −1 = no shard yet: the slot is still reserved. */
  target: number;
  isPushed: boolean;
  lookAt: number;
}

export class Newcomers {
  private journeys: Journey[] = [];

  constructor(private readonly core: GatewayCore) {}

  get count(): number {
    return this.journeys.length;
  }

  /** Sends a slot that this gateway has reserved and filled. What cannot be done now is tried again by `poll`. */
  send(slot: number): void {
    const { arena } = this.core.world;
    const h = arena.header(slot);
    const journey: Journey = {
      slot,
      generation: arena.u32[(h + HEADER.generation) >> 2],
      epoch: arena.u32[(h + HEADER.epoch) >> 2],
      target: -1,
      isPushed: false,
      lookAt: 0,
    };
    if (!this.advance(journey, this.core.now())) this.journeys.push(journey);
  }

  /** Takes a parked entity into this gateway's hands. @returns false when somebody else was faster */
  takeParked(slot: number, word: number, id: number): boolean {
    const { arena } = this.core.world;
    const mine = packOwner(OWNER.RESERVED, this.core.thread, NOBODY, epochOf(word));
    if (Atomics.compareExchange(arena.owner, slot, word, mine) !== word) return false;
    if (arena.f64[(arena.header(slot) + HEADER.id) >> 3] === id) return true;
    Atomics.store(arena.owner, slot, word); // another entity rests here now: as if we had never been
    return false;
  }

  poll(now: number): void {
    if (this.journeys.length > 0)
      this.journeys = this.journeys.filter((journey) => !this.advance(journey, now));
  }

  /** @returns true when the entity has arrived, or needs no more care */
  private advance(journey: Journey, now: number): boolean {
    if (journey.target < 0 && !this.depart(journey, now)) return false;
    const { arena } = this.core.world;
    const word = Atomics.load(arena.owner, journey.slot);
    const isUnderWay =
      ownerState(word) === OWNER.TRANSIT &&
      ownerOf(word) === this.core.thread &&
      epochOf(word) === epochOf(packOwner(0, 0, 0, journey.epoch));
    if (!isUnderWay) return true;
    if (!journey.isPushed) {
      journey.isPushed = this.push(journey);
      journey.lookAt = now + LOOK_AGAIN_MS;
    } else if (now >= journey.lookAt) {
      this.redirect(journey, word);
      journey.lookAt = now + LOOK_AGAIN_MS;
    }
    return false;
  }

  private depart(journey: Journey, now: number): boolean {
    const { arena } = this.core.world;
    if (!this.core.world.admission.isOpen && this.mustWait(journey.slot)) return false;
    const target = this.targetOf(journey.slot);
    if (target < 0) return false;
    journey.target = target;
    journey.lookAt = now + LOOK_AGAIN_MS;
    sendReserved(arena, journey.slot, this.core.thread, target);
    return true;
  }

  /**
   * Whether the tile of an entity that comes in is over its capacity and being split. The connection's deadline bounds
   * the wait of the client (NOT_READY), and the split the wait of the entity.
   */
  private mustWait(slot: number): boolean {
    const { arena, admission } = this.core.world;
    const hot = arena.hot(slot);
    const [x, y] = [arena.f64[(hot + HOT.x) >> 3], arena.f64[(hot + HOT.y) >> 3]];
    return admission.waits(tileIndex(x, y, LIMITS.baseTileLevel), pathAt(x, y));
  }

  /** Nobody has taken it for a while: its shard may have ended, or the entry was pushed to a ring nobody reads. */
  private redirect(journey: Journey, word: number): void {
    const { arena } = this.core.world;
    const target = this.targetOf(journey.slot);
    if (target < 0) return;
    if (target !== targetOf(word)) {
      const next = packOwner(OWNER.TRANSIT, this.core.thread, target, epochOf(word));
      if (Atomics.compareExchange(arena.owner, journey.slot, word, next) !== word) return; // accepted in this moment
      journey.target = target;
    }
    // A second entry is harmless: the first acceptance changes the owner word, and then it matches no more.
    journey.isPushed = this.push(journey);
  }

  private targetOf(slot: number): number {
    const { arena } = this.core.world;
    const hot = arena.hot(slot);
    return this.core.parts.ensureOwner(arena.f64[(hot + HOT.x) >> 3], arena.f64[(hot + HOT.y) >> 3]);
  }

  private push(journey: Journey): boolean {
    const rings = this.core.world.arrivals[this.core.thread];
    assert(rings !== undefined, 'I7: every gateway has rings to the shards');
    const ring = rings[journey.target];
    const at = ring.offer();
    if (at < 0) {
      this.core.block.count(COUNTER.arrivalsFull);
      return false;
    }
    ring.i32[at >> 2] = journey.slot;
    ring.i32[(at >> 2) + 1] = journey.generation | 0;
    ring.i32[(at >> 2) + 2] = journey.epoch | 0;
    // What went to rest in tick k is taken in ticks ≥ k only.
    const { arena } = this.core.world;
    ring.i32[(at >> 2) + 3] = arena.i32[(arena.header(journey.slot) + HEADER.handoverTick) >> 2];
    ring.commit();
    this.core.world.shardBlocks[journey.target].wake();
    return true;
  }
}
