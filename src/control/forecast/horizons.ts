/** How far ahead is looked, and the constants of the forecast: chosen on two months of real trips, scored on a third. */

export { FORESIGHT_S as HORIZONS_S } from '../../world/drift.js';

export const FORECAST = Object.freeze({
  /** Seconds between two looks. */
  everyS: 1,
  /** A gap between two looks longer than this begins anew: what was foreseen before cannot be scored. */
  gapS: 5,
  /** Looks of one horizon that wait to be scored at a time: with 300 s ahead one look in ten is kept. */
  pendingLooks: 30,
  /** What is learned fades with this time, and so do the scores by which a horizon is trusted. */
  memoryS: 3600,
  /** Which of the blended forecasts errs least is remembered with this time. */
  blendS: 1200,
  /** Scored samples, within the memory, below which nothing is trusted. */
  leastSamples: 200,
  /** A horizon is trusted from this skill on, and no longer at or below zero. */
  trustedSkill: 0.02,
  /** A weight beyond this has run away. */
  mostWeight: 100,
  /** Mean over which a tile's own error is remembered. */
  biasS: 300,
  /** Chance from which a foreseen load counts as one. */
  alarm: 0.5,
});

export type PerHorizon<T> = readonly [T, T, T];

/** Of the sum of all players: a node or a pod takes minutes. */
export const TOTAL_HORIZONS_S = [60, 300, 900] as const;

export const TOTAL = Object.freeze({
  everyS: 10,
  /** A longer gap begins anew. */
  gapS: 60,
  levelGain: 0.5,
  trendGain: 0.05,
  damping: 0.985,
  /** Looks at a time of day after which its memory weighs as much as the trend. */
  doubt: 180,
  mostSeen: 2000,
  /** Most weight of the memory beside the trend. */
  remembered: 0.7,
  memoryS: 21_600,
  leastSamples: 60,
});
