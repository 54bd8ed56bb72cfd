/**
 * Who is blamed for deaths of shards: what was in hand at one death is a suspect, at the second it is quarantined
 * (its action rejected, or the entity frozen, by every shard that starts later). Bounded: the oldest are forgotten.
 */

/** An entity's action, or its step when `action` is 0. */
export interface Suspect {
  readonly entity: number;
  readonly action: number;
}

const MOST = 64;

export class Quarantine {
  /** Insertion order is age. */
  private readonly deaths = new Map<string, number>();
  private guilty: readonly Suspect[] = Object.freeze([]);

  /** Frozen: a start keeps the list that it was given. */
  get list(): readonly Suspect[] {
    return this.guilty;
  }

  /** Notes a death; true when it puts the suspect into quarantine. */
  blame(suspect: Suspect): boolean {
    const key = `${suspect.entity}/${suspect.action}`;
    const deaths = (this.deaths.get(key) ?? 0) + 1;
    this.deaths.set(key, deaths);
    if (this.deaths.size > MOST) this.deaths.delete(this.deaths.keys().next().value as string);
    if (deaths !== 2) return false;
    this.guilty = Object.freeze([...this.guilty, { ...suspect }].slice(-MOST));
    return true;
  }
}
