/** A sum over the second that ends now, of what was noted in it; it may hold a tenth of a second more, never less. Pure. */

const PARTS = 11;
const PART_MS = 100;

export class Second {
  private readonly parts = new Float64Array(PARTS);
  /** Number of the newest part: time over PART_MS. */
  private part = 0;

  /** @param now ms, not falling */
  add(amount: number, now: number): void {
    this.turn(now);
    this.parts[this.part % PARTS]! += amount;
  }

  sum(now: number): number {
    this.turn(now);
    let sum = 0;
    for (let i = 0; i < PARTS; i++) sum += this.parts[i]!;
    return sum;
  }

  /** Forgets the parts that have passed. */
  private turn(now: number): void {
    const part = Math.floor(now / PART_MS);
    const first = Math.max(this.part + 1, part - PARTS + 1);
    for (let i = first; i <= part; i++) this.parts[i % PARTS] = 0;
    this.part = Math.max(this.part, part);
  }
}
