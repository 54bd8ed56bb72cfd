/**
 * Leases of entity ids: keeps the granted bound ahead of the leases taken, so that no thread ever waits for ids, and no
 * id is granted before `record` has noted the bound (a restart begins beyond it: ids are never used twice).
 */

/** What is needed of the id table (memory/ids.ts). */
export interface LeaseTable {
  nextLease(): number;
  grant(lease: number): void;
}

/** Leases granted beyond the next one: a few for every thread that can exist. */
export const LEASES_AHEAD = 256;

export class LeaseKeeper {
  private granted = 0;
  private recording = false;

  /** @param record resolves once the bound is noted where a restart finds it; in a world in memory at once */
  constructor(
    private readonly table: LeaseTable,
    private readonly record: (bound: number) => Promise<void>,
  ) {}

  /** Raises the bound when half of what was granted is used up. Called every 100 ms or so. */
  async keep(): Promise<void> {
    const next = this.table.nextLease();
    if (this.recording || next + LEASES_AHEAD / 2 <= this.granted) return;
    this.recording = true;
    try {
      const bound = next + LEASES_AHEAD;
      await this.record(bound);
      this.table.grant(bound); // only now: a grant that is not noted could be granted again
      this.granted = bound;
    } finally {
      this.recording = false;
    }
  }
}
