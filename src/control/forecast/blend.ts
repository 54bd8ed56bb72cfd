/**
 * Several forecasts made one: each counts by how little it erred of late. Pure; only + − × ÷.
 *
 * Source: J. M. Bates and C. W. J. Granger, The Combination of Forecasts, Operational Research Quarterly 20 (1969): weights
 * in inverse proportion to the errors of the recent past. Here a high power of the mean absolute error, since the worse of
 * two is mostly so because people move in another way now, not by chance.
 */
export class Blend {
  /** Faded sums of absolute errors, one of each forecast, players. */
  readonly errors: Float64Array;

  /** @param first errors before anything was scored: the smaller, the more a forecast counts in the beginning */
  constructor(private readonly first: readonly number[]) {
    this.errors = Float64Array.from(first);
  }

  reset(): void {
    this.errors.set(this.first);
  }

  /** @param said by each forecast, from `at` on @returns what they say together */
  mix(said: Float64Array, at = 0): number {
    let [sum, weights] = [0, 0];
    for (let i = 0; i < this.errors.length; i++) {
      const weight = this.weight(i);
      sum += weight * said[at + i];
      weights += weight;
    }
    return sum / weights;
  }

  /** @param said by each forecast, from `at` on @param came what was to be foreseen */
  score(said: Float64Array, at: number, came: number): void {
    for (let i = 0; i < this.errors.length; i++) this.errors[i] += Math.abs(said[at + i] - came);
  }

  /** Lets what was scored fade. @param share of the memory that has passed, 0 … 1 */
  fade(share: number): void {
    for (let i = 0; i < this.errors.length; i++)
      this.errors[i] += (this.first[i] - this.errors[i]) * Math.min(0.5, share);
  }

  get isSound(): boolean {
    return this.errors.every(Number.isFinite);
  }

  /** Against the least error, so that no power runs out of range. */
  private weight(i: number): number {
    let least = Infinity;
    for (let j = 0; j < this.errors.length; j++) least = Math.min(least, this.errors[j]);
    const ratio = least / this.errors[i];
    const square = ratio * ratio;
    return square * square * square * square;
  }
}
