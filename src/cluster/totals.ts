/**
 * Totals that never fall: a node counts from zero with each of its lives, but for what its data remember; a router tells
 * the sum over all lives that it has seen. Pure.
 */

/** Those that are no counters: how many there are now. */
const LEVELS: ReadonlySet<string> = new Set(['items']);
/** Those that go on with the data over a restart; in memory they begin anew, and then they are summed as well. */
const OF_THE_DATA: ReadonlySet<string> = new Set(['itemsCreated', 'itemsConsumed']);

export class LastingTotals {
  private life = '';
  /** Sums over the lives before, and the present one as it was last. */
  private readonly before = new Map<string, number>();
  private last: Readonly<Record<string, number>> = {};

  /** @param life of the node that said so @param goesOn its world is older than this life */
  see(life: string, totals: Readonly<Record<string, number>>, goesOn: boolean): Record<string, number> {
    if (this.life !== '' && life !== this.life) this.end(goesOn);
    this.life = life;
    this.last = totals;
    return this.all();
  }

  /** As they were last. */
  all(): Record<string, number> {
    const { last, before } = this;
    return Object.fromEntries(Object.entries(last).map(([name, n]) => [name, n + (before.get(name) ?? 0)]));
  }

  private end(goesOn: boolean): void {
    for (const [name, n] of Object.entries(this.last)) {
      if (LEVELS.has(name) || (goesOn && OF_THE_DATA.has(name))) continue;
      this.before.set(name, n + (this.before.get(name) ?? 0));
    }
  }
}
