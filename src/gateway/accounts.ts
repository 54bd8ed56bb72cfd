/**
 * What a gateway asks of the account book: which entity a player plays, and to bring it where it can be played. The
 * book is one per node; in a gateway thread the answers come over its port, so everything here takes its time and a
 * socket may be gone meanwhile.
 */

/** What came of a load; a port carries the place in this list. Only `absent` means that there is no such entity. */
export const LOADED = ['absent', 'here', 'no-room', 'refused'] as const;
export type Loaded = (typeof LOADED)[number];

export interface AccountBook {
  /** @returns entity id of the player, 0 = none yet, below 0 = what is stored of the account is damaged */
  find(playerId: string): Promise<number>;
  /**
   * Binds `entity` to the player if what is bound is still `expected` (0 = nothing): a compare-and-swap, so that two
   * logins of a new player at two gateways end with one entity. `entity` 0 takes back an `expected` that never came into
   * the world.
   * @returns the entity bound now: `entity` on success, another one when somebody was faster, 0 when the book is full
   */
  bind(playerId: string, expected: number, entity: number): Promise<number>;
  /** Brings an entity that rests in the store into the arena, PARKED. `refused`: what is stored of it is damaged. */
  load(entity: number): Promise<Loaded>;
}
