/**
 * Which entity a player plays: the table of accounts, and what is bound but not durable yet. One binder: the store's
 * thread, so two gateways that bind at the same moment agree, whatever the disk does.
 *
 * A binding becomes durable in the transaction of the first cut that holds its entity. So on the disk there is never one
 * without the other: a crash takes both, or neither. Until then it is answered from here: what is not durable hides what
 * is. A binding whose entity never came into the world (its socket was gone) is taken back by the gateway that made it.
 */
import type { Engine, Write } from './engine.js';
import { sealNumbers, unsealNumbers } from './frame.js';
import type { Pending } from './pending.js';

/** For tests of the tests only: a bug that they have to find. */
export type BindingsFault = 'reads-the-file-first' | 'forgets-what-waits' | 'writes-bindings-early';

/** In the place of an entity: what is stored of the account cannot be read. */
export const DAMAGED_ACCOUNT = -1;

export class Bindings {
  /** Bound, not durable: player id → entity. */
  private readonly waiting = new Map<string, number>();

  constructor(
    private readonly engine: Engine,
    /** Told of an account that cannot be read. */
    private readonly refuse: (playerId: string, reason: string) => void,
    private readonly fault?: BindingsFault,
  ) {}

  /** @returns the entity of a player, 0 = none, DAMAGED_ACCOUNT */
  find(playerId: string): number {
    const waiting = this.fault === 'reads-the-file-first' ? undefined : this.waiting.get(playerId);
    return waiting ?? this.stored(playerId);
  }

  /**
   * Compare-and-swap. @param entity 0 = takes back `expected`, which has never been in the world
   * @returns the entity that is bound now
   */
  bind(playerId: string, expected: number, entity: number): number {
    const bound = this.find(playerId);
    if (bound !== expected) return bound;
    if (entity === 0) this.waiting.delete(playerId);
    else this.waiting.set(playerId, entity);
    return this.find(playerId);
  }

  /** What a cut makes durable: whose entity it holds, or the engine does already. */
  due(cut: Pending): [playerId: string, entity: number][] {
    return [...this.waiting].filter(([, entity]) => {
      if (this.fault === 'writes-bindings-early') return true;
      const version = cut.entities.get(entity);
      return version !== undefined ? version.value !== null : this.isThere(entity);
    });
  }

  /** They are durable now: those that were given to a commit, and no others. */
  settle(written: readonly (readonly [playerId: string, entity: number])[]): void {
    if (this.fault === 'forgets-what-waits') return this.waiting.clear();
    for (const [playerId, entity] of written)
      if (this.waiting.get(playerId) === entity) this.waiting.delete(playerId);
  }

  private stored(playerId: string): number {
    try {
      const bytes = this.engine.get('accounts', playerId);
      if (bytes === undefined) return 0;
      const [entity] = unsealNumbers(bytes) ?? [];
      if (entity !== undefined) return entity;
      this.refuse(playerId, 'its checksum is wrong');
    } catch (error) {
      this.refuse(playerId, (error as Error).message);
    }
    return DAMAGED_ACCOUNT; // not "none": a new character would take the place of the old one
  }

  private isThere(entity: number): boolean {
    try {
      return this.engine.get('entities', entity) !== undefined;
    } catch {
      return true; // it stands where nobody can read
    }
  }
}

/** As a write of a cut. */
export function bindingWrite([playerId, entity]: readonly [string, number]): Write {
  return { table: 'accounts', key: playerId, value: sealNumbers([entity]) };
}
