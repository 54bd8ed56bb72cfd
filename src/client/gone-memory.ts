/**
 * Remembers who has left the world, so that what comes late does not bring them back: an entity that is handed over and
 * gone in one tick may be removed by its last owner's stream before the one before it has shown it there. Ids are never
 * used again, and whoever was only away comes back as a later state.
 */

/** More than leave in the second in which a late frame can still come. */
const REMEMBERED = 1024;

interface End {
  readonly epoch: number;
  readonly tick: number;
}

export class GoneMemory {
  private readonly ends = new Map<number, End>();

  /** The entity's end under an owner epoch, as of a tick. */
  note(id: number, epoch: number, tick: number): void {
    if (this.isOver(id, epoch, tick)) return;
    this.ends.delete(id);
    this.ends.set(id, { epoch, tick });
    // A map keeps its order: the first is the oldest.
    if (this.ends.size > REMEMBERED) this.ends.delete(this.ends.keys().next().value!);
  }

  /** Whether a state is from before the end. */
  isOver(id: number, epoch: number, tick: number): boolean {
    const end = this.ends.get(id);
    if (end === undefined) return false;
    return epoch < end.epoch || (epoch === end.epoch && tick <= end.tick);
  }

  has(id: number): boolean {
    return this.ends.has(id);
  }

  clear(): void {
    this.ends.clear();
  }
}
