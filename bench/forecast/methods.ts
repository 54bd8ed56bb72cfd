/** The methods that a forecast is held against, by their mean error: as now, Holt, the drift alone. */
import { HORIZONS_S } from '../../src/control/forecast/horizons.js';
import type { LeafLook } from '../../src/control/forecast/forecast.js';
import { tileKey } from '../../src/control/planner/squares.js';

const LEVEL_GAIN = 0.3;
const TREND_GAIN = 0.05;

interface Memory {
  level: number;
  trend: number;
}
interface Said {
  readonly second: number;
  readonly of: ReadonlyMap<number, { now: number; holt: number; drift: number }>;
}

export class OtherMethods {
  private memories = new Map<number, Memory>();
  private readonly said: Said[][] = HORIZONS_S.map(() => []);
  readonly errors = HORIZONS_S.map(() => ({ now: 0, holt: 0, drift: 0, samples: 0 }));

  /** @param every look that is kept, by horizon, as the forecast keeps them (seconds) */
  step(second: number, leaves: readonly LeafLook[], every: readonly number[]): void {
    const players = new Map(leaves.map((leaf) => [tileKey(leaf.tile), leaf.players]));
    const memories = new Map<number, Memory>();
    for (const leaf of leaves) {
      const key = tileKey(leaf.tile);
      const before = this.memories.get(key) ?? { level: leaf.players, trend: 0 };
      const expected = before.level + before.trend;
      const level = expected + (leaf.players - expected) * LEVEL_GAIN;
      memories.set(key, { level, trend: before.trend + (level - before.level - before.trend) * TREND_GAIN });
    }
    this.memories = memories;
    for (const [h, seconds] of HORIZONS_S.entries()) {
      const queue = this.said[h];
      for (let look = queue[0]; look !== undefined && look.second + seconds <= second; look = queue[0]) {
        queue.shift();
        for (const [key, { now, holt, drift }] of look.of) {
          const came = players.get(key) ?? 0;
          if (came === 0 && now === 0) continue;
          const sums = this.errors[h];
          sums.now += Math.abs(now - came);
          sums.holt += Math.abs(holt - came);
          sums.drift += Math.abs(drift - came);
          sums.samples++;
        }
      }
      if (second % every[h] !== 0) continue;
      const of = new Map(
        leaves.map((leaf) => {
          const { level, trend } = memories.get(tileKey(leaf.tile))!;
          const holt = Math.max(0, level + trend * seconds);
          return [tileKey(leaf.tile), { now: leaf.players, holt, drift: leaf.ahead[h] }] as const;
        }),
      );
      queue.push({ second, of });
    }
  }
}
