/**
 * The methods side by side on one trace: as now (persistence), Holt, the drift alone, ours. Each says at the same looks how
 * many players a tile will have; the same samples score all, over the whole trace, whether a forecast is trusted or not.
 */
import { FORECAST, HORIZONS_S } from '../../src/control/forecast/horizons.js';
import type { Forecast, LeafLook } from '../../src/control/forecast/forecast.js';
import { tileKey } from '../../src/control/planner/squares.js';

const METHODS = ['now', 'holt', 'drift', 'ours'] as const;
export type Method = (typeof METHODS)[number];

/** Gains of Holt's method, a look a second: the best of a few on the trips that constants are chosen by. */
const LEVEL_GAIN = 0.3;
const TREND_GAIN = 0.05;

interface Look {
  readonly second: number;
  readonly said: ReadonlyMap<number, Readonly<Record<Method, number>>>;
}

export interface MethodErrors {
  readonly samples: number;
  /** Mean |error|, players. */
  readonly mae: Readonly<Record<Method, number>>;
}

export class Methods {
  private holt = new Map<number, { level: number; trend: number }>();
  private readonly looks: Look[][] = HORIZONS_S.map(() => []);
  private readonly sums = HORIZONS_S.map(() => ({ samples: 0, now: 0, holt: 0, drift: 0, ours: 0 }));

  /** @param forecast that has just had the same look */
  step(second: number, leaves: readonly LeafLook[], forecast: Forecast): void {
    const players = new Map(leaves.map((leaf) => [tileKey(leaf.tile), leaf.players]));
    this.smooth(leaves);
    for (const [h, seconds] of HORIZONS_S.entries()) {
      const queue = this.looks[h];
      while (queue.length > 0 && queue[0].second + seconds <= second) this.score(h, queue.shift()!, players);
      if (second % Math.max(1, seconds / FORECAST.pendingLooks) === 0)
        queue.push({ second, said: this.say(h, leaves, forecast) });
    }
  }

  errors(h: number): MethodErrors {
    const { samples, ...sums } = this.sums[h];
    const mean = (method: Method) => (samples > 0 ? sums[method] / samples : 0);
    return {
      samples,
      mae: { now: mean('now'), holt: mean('holt'), drift: mean('drift'), ours: mean('ours') },
    };
  }

  private smooth(leaves: readonly LeafLook[]): void {
    const holt = new Map<number, { level: number; trend: number }>();
    for (const { tile, players } of leaves) {
      const before = this.holt.get(tileKey(tile)) ?? { level: players, trend: 0 };
      const expected = before.level + before.trend;
      const level = expected + (players - expected) * LEVEL_GAIN;
      const trend = before.trend + (level - before.level - before.trend) * TREND_GAIN;
      holt.set(tileKey(tile), { level, trend });
    }
    this.holt = holt;
  }

  private say(h: number, leaves: readonly LeafLook[], forecast: Forecast): Look['said'] {
    return new Map(
      leaves.map(({ tile, players, ahead }) => {
        const { level, trend } = this.holt.get(tileKey(tile))!;
        const holt = Math.max(0, level + trend * HORIZONS_S[h]);
        const ours = forecast.of(tile)?.players[h] ?? players;
        return [tileKey(tile), { now: players, holt, drift: ahead[h], ours }];
      }),
    );
  }

  private score(h: number, { said }: Look, players: ReadonlyMap<number, number>): void {
    const sums = this.sums[h];
    for (const [key, foreseen] of said) {
      const came = players.get(key) ?? 0;
      if (came === 0 && foreseen.now === 0 && foreseen.drift === 0) continue;
      sums.samples++;
      for (const method of METHODS) sums[method] += Math.abs(foreseen[method] - came);
    }
  }
}
