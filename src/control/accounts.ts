/**
 * Accounts: which entity a player id plays. One book per node, in the main thread; gateway threads reach it over
 * their port (gateway-threads.ts), the gateway in the main thread directly.
 *
 * Contract: `bind` is a compare-and-swap, so that two logins of a new player at the same moment, at two gateways,
 * end with one entity. Bounded by the places for entities: an account's entity is never removed while it is bound.
 */
import { assert } from '../base/assert.js';

export class Accounts {
  private readonly entities = new Map<string, number>();

  /** @param capacity most accounts kept */
  constructor(private readonly capacity: number) {}

  /** Entity id of a player, 0 = none yet. */
  find(playerId: string): number {
    return this.entities.get(playerId) ?? 0;
  }

  /**
   * Binds `entity` to the player if what is bound is still `expected` (0 = nothing).
   * @returns the entity bound now: `entity` on success, another one when somebody was faster, 0 when the book is full
   */
  bind(playerId: string, expected: number, entity: number): number {
    assert(Number.isSafeInteger(entity) && entity > 0, 'an account is bound to an entity id');
    const bound = this.find(playerId);
    if (bound !== expected) return bound;
    if (bound === 0 && this.entities.size >= this.capacity) return 0;
    this.entities.set(playerId, entity);
    return entity;
  }

  get count(): number {
    return this.entities.size;
  }
}
