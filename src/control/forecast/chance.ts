/**
 * Chance that something comes, from a few features: a logistic model learned online, whose curve is
 * p = ½ (1 + z ÷ √(1 + z²)) in place of an exponential, so that it is the same to the bit on any machine. Pure.
 *
 * The gradient of the log loss by z is then (p − y) · 2 ÷ √(1 + z²). Steps are those of AdaGrad (Duchi, Hazan, Singer,
 * Journal of Machine Learning Research 12, 2011): each weight by the root of the squares that it has seen.
 */
export class Chance {
  readonly weights: Float64Array;
  private readonly squares: Float64Array;

  /** @param first weights before anything is learned @param rate size of a first step */
  constructor(
    private readonly first: readonly number[],
    private readonly rate: number,
  ) {
    this.weights = Float64Array.from(first);
    this.squares = new Float64Array(first.length);
    this.reset();
  }

  reset(): void {
    this.weights.set(this.first);
    this.squares.fill(1);
  }

  /** @returns 0 … 1 */
  of(x: Float64Array, at = 0): number {
    const z = this.lean(x, at);
    return 0.5 * (1 + z / Math.sqrt(1 + z * z));
  }

  /** @param came 1 = it came, 0 = it did not */
  learn(x: Float64Array, at: number, came: 0 | 1): void {
    const { weights, squares, rate } = this;
    const z = this.lean(x, at);
    const root = Math.sqrt(1 + z * z);
    const slope = ((0.5 * (1 + z / root) - came) * 2) / root;
    for (let i = 0; i < weights.length; i++) {
      const g = slope * x[at + i];
      squares[i] += g * g;
      weights[i] -= (rate * g) / Math.sqrt(squares[i]);
    }
  }

  isSound(most: number): boolean {
    return this.weights.every((w) => Number.isFinite(w) && Math.abs(w) <= most);
  }

  private lean(x: Float64Array, at: number): number {
    let z = 0;
    for (let i = 0; i < this.weights.length; i++) z += this.weights[i] * x[at + i];
    return z;
  }
}
