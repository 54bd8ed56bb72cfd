/** The rungs of the degrade ladder: what a tile on each of them is served with. Pure. */
import type { Degrade, PlannerLimits } from './types.js';

export interface Rung {
  readonly farRate: number;
  readonly nearRate: number;
  readonly dilation: number;
  /** Expected CPU time of a due tick, as a share of the CPU time on rung 0. */
  readonly cost: number;
}

const RATE_RUNGS: readonly Rung[] = [
  { farRate: 1, nearRate: 1, dilation: 1, cost: 1 },
  { farRate: 0.5, nearRate: 1, dilation: 1, cost: 0.9 },
  { farRate: 0.25, nearRate: 1, dilation: 1, cost: 0.85 },
  { farRate: 0.25, nearRate: 0.5, dilation: 1, cost: 0.75 },
];
/** The last rung before time slows down. */
export const LAST_RATE = RATE_RUNGS.length - 1;
const DILATIONS = [0.8, 0.6, 0.45, 0.3, 0.2, 0.1];

export function rungs(limits: PlannerLimits): readonly Rung[] {
  const last = RATE_RUNGS[LAST_RATE];
  const factors = [...DILATIONS.filter((f) => f > limits.minDilationShare), limits.minDilationShare];
  return [...RATE_RUNGS, ...factors.map((f) => ({ ...last, dilation: f }))];
}

export function rungOf(rung: number, limits: PlannerLimits): Degrade {
  const { farRate, nearRate, dilation } = rungs(limits)[rung];
  return { rung, farRate, nearRate, dilation };
}
