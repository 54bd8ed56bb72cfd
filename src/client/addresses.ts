/**
 * Which address to try next: after a lost connection another one at once, since the one that was lost may not answer. Pure.
 */

/** Addresses that are remembered, beside those told last. */
const MOST_USED = 16;

export class Addresses {
  /** Those that were tried, the present one last. */
  private readonly used = new Set<string>();

  /** @param first the one that the client was given */
  constructor(private present: string) {}

  /** @param others addresses at which the session can be resumed as well, as the last Welcome told */
  next(others: readonly string[]): string {
    const { used } = this;
    if (used.size > 0) {
      const known = [...new Set([...others, ...used])];
      this.present = known[(known.indexOf(this.present) + 1) % known.length] as string;
    }
    used.add(this.present);
    if (used.size > MOST_USED) used.delete([...used][0] as string);
    return this.present;
  }
}
