/**
 * Recursive least squares with forgetting: weights of a linear forecast, corrected by one sample at a time. Pure; only
 * + − × ÷ and square roots, each in a fixed order, so the same samples give the same weights to the bit on any machine.
 *
 * Source: S. Haykin, Adaptive Filter Theory (4th ed.), chapter 9: k = P x ÷ (1/q + xᵀ P x), w += k (y − wᵀ x),
 * P −= k xᵀ P; here with a weight q of the sample. Forgetting is by time, not by sample (P ÷ (1 − passed ÷ memory)), and
 * stops where a direction has no news: no variance grows beyond the prior one (else it would wind up).
 *
 * No library fits better: those on the registry keep matrices as nested arrays, allocate at each step, or solve in batches.
 */
export class LeastSquares {
  readonly weights: Float64Array;
  /** Symmetric, row by row. */
  private readonly variance: Float64Array;
  private readonly gain: Float64Array;

  /**
   * @param first weights before anything is learned
   * @param prior variance of each weight then: how readily it gives up its first value
   */
  constructor(
    private readonly first: readonly number[],
    private readonly prior: readonly number[],
  ) {
    const n = first.length;
    this.weights = Float64Array.from(first);
    this.variance = new Float64Array(n * n);
    this.gain = new Float64Array(n);
    this.reset();
  }

  /** Forgets everything. */
  reset(): void {
    const n = this.first.length;
    this.weights.set(this.first);
    this.variance.fill(0);
    for (let i = 0; i < n; i++) this.variance[i * n + i] = this.prior[i];
  }

  /** @param x features from `at` on @returns the forecast */
  predict(x: Float64Array, at = 0): number {
    let sum = 0;
    for (let i = 0; i < this.weights.length; i++) sum += this.weights[i] * x[at + i];
    return sum;
  }

  /** @param x features from `at` on @param y what came @param q weight of the sample, 1 ÷ the variance of its noise */
  learn(x: Float64Array, at: number, y: number, q: number): void {
    const { weights, variance, gain } = this;
    const n = weights.length;
    let scale = 1 / q;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += variance[i * n + j] * x[at + j];
      gain[i] = sum;
      scale += sum * x[at + i];
    }
    const error = y - this.predict(x, at);
    for (let i = 0; i < n; i++) weights[i] += (gain[i] / scale) * error;
    for (let i = 0; i < n; i++) {
      for (let j = i; j < n; j++) {
        const less = variance[i * n + j] - (gain[i] * gain[j]) / scale;
        variance[i * n + j] = less;
        variance[j * n + i] = less;
      }
    }
  }

  /** Lets what was learned fade. @param share of the memory that has passed, 0 … 1 */
  forget(share: number): void {
    const { variance, prior } = this;
    const n = this.weights.length;
    const growth = 1 / (1 - Math.min(0.5, share));
    for (let i = 0; i < n; i++) if (variance[i * n + i] * growth > prior[i]) return;
    for (let i = 0; i < variance.length; i++) variance[i] *= growth;
  }

  /** False when a weight is no number or beyond `most`. */
  isSound(most: number): boolean {
    return this.weights.every((w) => Number.isFinite(w) && Math.abs(w) <= most);
  }
}
