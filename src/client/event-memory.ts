/** Remembers the ids of the newest game events, so that each is told once however many streams carry it. */

/** More than arrive in the second in which a copy can still come. */
const REMEMBERED = 1024;

export class EventMemory {
  private readonly known = new Set<number>();

  /** True the first time; id 0 is no id. */
  isNew(id: number): boolean {
    if (id === 0) return true;
    if (this.known.has(id)) return false;
    this.known.add(id);
    // A set keeps its order: the first is the oldest.
    if (this.known.size > REMEMBERED) this.known.delete(this.known.values().next().value!);
    return true;
  }

  clear(): void {
    this.known.clear();
  }
}
