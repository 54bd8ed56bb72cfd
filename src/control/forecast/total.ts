/**
 * Players of the whole planet some time ahead: Holt's level and trend, with what a day and a week have shown at this
 * time of theirs. Pure; + − × ÷ only.
 *
 * Source: C. C. Holt 1957 (reprinted in International Journal of Forecasting 20, 2004); the damped trend is Gardner and
 * McKenzie's (Management Science 31, 1985). The memory of a time of day is the mean growth, as a share of the level, that
 * followed it before; the same for a time of the week. Both begin empty: then it is Holt's method alone.
 */
import { TOTAL_HORIZONS_S, TOTAL } from './horizons.js';

const DAY_S = 86_400;
const WEEK_S = 7 * DAY_S;

/** What followed a time of its period, by slot: mean growth ÷ level, and how often it was seen. */
class Memory {
  private readonly growth: Float64Array;
  private readonly seen: Float64Array;

  constructor(
    private readonly periodS: number,
    private readonly slots: number,
  ) {
    this.growth = new Float64Array(slots);
    this.seen = new Float64Array(slots);
  }

  private slot(timeS: number): number {
    const in_ = timeS - Math.floor(timeS / this.periodS) * this.periodS;
    return Math.min(this.slots - 1, Math.floor((in_ * this.slots) / this.periodS));
  }

  /** @returns how much weight the memory has at this time, 0 … 1, and the growth that it remembers */
  at(timeS: number): { weight: number; growth: number } {
    const slot = this.slot(timeS);
    const seen = this.seen[slot];
    return { weight: seen / (seen + TOTAL.doubt), growth: this.growth[slot] };
  }

  note(timeS: number, growth: number): void {
    const slot = this.slot(timeS);
    this.seen[slot] = Math.min(TOTAL.mostSeen, this.seen[slot] + 1);
    this.growth[slot] += (growth - this.growth[slot]) / this.seen[slot];
  }
}

interface Look {
  readonly timeS: number;
  readonly players: number;
  readonly level: number;
  readonly foreseen: number;
}

/** One horizon of the sum. */
class Ahead {
  readonly looks: Look[] = [];
  private readonly day = new Memory(DAY_S, 96);
  private readonly week = new Memory(WEEK_S, 168);

  constructor(readonly horizonS: number) {}

  foresee(timeS: number, level: number, trend: number): number {
    const steps = this.horizonS / TOTAL.everyS;
    // Σ φ^k of a damped trend, k = 1 … steps
    let damped = 0;
    let factor = 1;
    for (let k = 0; k < steps; k++) {
      factor *= TOTAL.damping;
      damped += factor;
    }
    const byTrend = level > 0 ? (trend * damped) / level : 0;
    const [day, week] = [this.day.at(timeS), this.week.at(timeS)];
    const weight = Math.max(day.weight, week.weight);
    const remembered =
      weight > 0 ? (day.weight * day.growth + week.weight * week.growth) / (day.weight + week.weight) : 0;
    const growth = byTrend + (remembered - byTrend) * weight * TOTAL.remembered;
    return Math.max(0, level + level * growth);
  }

  learn(look: Look, players: number): void {
    if (look.level <= 0) return;
    const growth = (players - look.level) / look.level;
    this.day.note(look.timeS, growth);
    this.week.note(look.timeS, growth);
  }
}

export interface TotalScore {
  readonly horizonS: number;
  readonly foreseen: number;
  readonly skill: number;
  readonly mae: number;
  readonly maePersistence: number;
  readonly samples: number;
}

export class Total {
  private level = 0;
  private trend = 0;
  private lastS = -Infinity;
  private readonly aheads = TOTAL_HORIZONS_S.map((horizonS) => new Ahead(horizonS));
  private readonly errors = TOTAL_HORIZONS_S.map(() => ({ error: 0, persistence: 0, samples: 0 }));
  private readonly newest = TOTAL_HORIZONS_S.map(() => 0);

  /** @param timeS of a clock that never goes back @param players online now */
  step(timeS: number, players: number): void {
    if (timeS - this.lastS < TOTAL.everyS) return;
    const isNew = timeS - this.lastS > TOTAL.gapS;
    this.lastS = timeS;
    if (isNew) this.begin(players);
    else this.smooth(players);
    for (const [h, ahead] of this.aheads.entries()) {
      for (let look = ahead.looks[0]; look !== undefined && look.timeS + ahead.horizonS <= timeS; ) {
        ahead.looks.shift();
        ahead.learn(look, players);
        this.score(h, look, players);
        look = ahead.looks[0];
      }
      const foreseen = ahead.foresee(timeS, this.level, this.trend);
      this.newest[h] = foreseen;
      ahead.looks.push({ timeS, players, level: this.level, foreseen });
    }
  }

  get scores(): readonly TotalScore[] {
    return this.errors.map(({ error, persistence, samples }, h) => ({
      horizonS: TOTAL_HORIZONS_S[h],
      foreseen: this.newest[h],
      skill: persistence > 0 ? 1 - error / persistence : 0,
      mae: samples > 0 ? error / samples : 0,
      maePersistence: samples > 0 ? persistence / samples : 0,
      samples,
    }));
  }

  /** Players at a horizon: what is foreseen where that has been better than "as now", else as now. @param h index */
  at(h: number, players: number): number {
    const { error, persistence, samples } = this.errors[h];
    return samples >= TOTAL.leastSamples && error < persistence ? this.newest[h] : players;
  }

  private begin(players: number): void {
    this.level = players;
    this.trend = 0;
    for (const ahead of this.aheads) ahead.looks.length = 0;
  }

  private smooth(players: number): void {
    const expected = this.level + this.trend * TOTAL.damping;
    const before = this.level;
    this.level = expected + (players - expected) * TOTAL.levelGain;
    this.trend =
      this.trend * TOTAL.damping + (this.level - before - this.trend * TOTAL.damping) * TOTAL.trendGain;
  }

  private score(h: number, look: Look, players: number): void {
    const sums = this.errors[h];
    const keep = 1 - TOTAL.everyS / TOTAL.memoryS;
    sums.error = sums.error * keep + Math.abs(look.foreseen - players);
    sums.persistence = sums.persistence * keep + Math.abs(look.players - players);
    sums.samples = sums.samples * keep + 1;
  }
}
