/**
 * How good the forecasts of one horizon were: errors beside those of persistence ("as now"), chances, alarms. Sums fade
 * with the memory, so that they speak of the last hour. Pure.
 */
import { FORECAST } from './horizons.js';

export interface ScoreReport {
  /** 1 − mean error ÷ that of persistence: above 0 it is better than "as now". */
  readonly skill: number;
  readonly mae: number;
  readonly maePersistence: number;
  /** 1 − Brier score ÷ that of "hot later if hot now". */
  readonly brierSkill: number;
  readonly samples: number;
  readonly hits: number;
  readonly misses: number;
  readonly falseAlarms: number;
  /** Mean seconds between an alarm and what it foresaw. */
  readonly leadS: number;
}

export class Score {
  private error = 0;
  private persistence = 0;
  private samples = 0;
  private brier = 0;
  private brierPersistence = 0;
  private hits = 0;
  private misses = 0;
  private falseAlarms = 0;
  private leadS = 0;
  private open = false;

  /** Whether the horizon may be acted upon. */
  get trusted(): boolean {
    return this.open;
  }

  /** @param keep share of the sums that stays, 1 = nothing fades */
  fade(keep: number): void {
    this.error *= keep;
    this.persistence *= keep;
    this.samples *= keep;
    this.brier *= keep;
    this.brierPersistence *= keep;
    this.hits *= keep;
    this.misses *= keep;
    this.falseAlarms *= keep;
    this.leadS *= keep;
  }

  players(foreseen: number, then: number, came: number): void {
    this.error += Math.abs(foreseen - came);
    this.persistence += Math.abs(then - came);
    this.samples++;
  }

  chance(foreseen: number, hotThen: boolean, came: 0 | 1): void {
    const now = hotThen ? 1 : 0;
    this.brier += (foreseen - came) * (foreseen - came);
    this.brierPersistence += (now - came) * (now - came);
  }

  hit(leadS: number): void {
    this.hits++;
    this.leadS += leadS;
  }

  miss(): void {
    this.misses++;
  }

  falseAlarm(): void {
    this.falseAlarms++;
  }

  /** Opens or closes the gate. @returns whether that changed */
  judge(): boolean {
    const { skill } = this.report();
    const enough = this.samples >= FORECAST.leastSamples && this.persistence > 0;
    const open = enough && (this.open ? skill > 0 : skill >= FORECAST.trustedSkill);
    if (open === this.open) return false;
    this.open = open;
    return true;
  }

  reset(): void {
    this.fade(0);
    this.open = false;
  }

  report(): ScoreReport {
    const { samples, hits, misses, falseAlarms } = this;
    return {
      skill: ratio(this.error, this.persistence),
      mae: samples > 0 ? this.error / samples : 0,
      maePersistence: samples > 0 ? this.persistence / samples : 0,
      brierSkill: ratio(this.brier, this.brierPersistence),
      samples,
      hits,
      misses,
      falseAlarms,
      leadS: hits > 0 ? this.leadS / hits : 0,
    };
  }
}

/** 1 − ours ÷ theirs; 0 where there is nothing to compare with. */
function ratio(ours: number, theirs: number): number {
  return theirs > 0 ? 1 - ours / theirs : 0;
}
