/**
 * Colours of the map. Load goes by lightness first (dark to bright on dark ground, bright to dark on light), so it is
 * read without seeing hues; the last step is hatched besides. Shards take turns among eight hues that are told apart
 * with every usual kind of colour vision (Okabe and Ito, 2008).
 */
import type { Theme } from '../look/scheme.js';

/** Steps of load, by what the planner does there. `from` is a share of capacity or tick budget. */
export const LOAD_STEPS = [
  { from: 0, label: '0' },
  { from: 0.2, label: '20' },
  { from: 0.4, label: '40' },
  { from: 0.6, label: '60' },
  { from: 0.8, label: '80' },
  { from: 1, label: '100 %' },
] as const;

const LOADS: Record<Theme, readonly string[]> = {
  dark: ['#4c4a9a', '#7b4fb0', '#b4539f', '#e0687a', '#f79b5a', '#ffe08a'],
  light: ['#f3c98b', '#ec9f6e', '#dc7061', '#b94a68', '#853071', '#4b1a66'],
};

const SHARDS: Record<Theme, readonly string[]> = {
  dark: ['#56b4e9', '#e69f00', '#00b98a', '#f0e442', '#d37ab5', '#e0713a', '#8f9bff', '#b8c4d6'],
  light: ['#0072b2', '#c67f00', '#00835f', '#8a7f00', '#b0558f', '#c24a00', '#4a55c8', '#5a6b84'],
};

export function loadStep(load: number): number {
  let step = 0;
  while (step + 1 < LOAD_STEPS.length && load >= LOAD_STEPS[step + 1].from) step++;
  return step;
}

export function loadColour(load: number, theme: Theme): string {
  return LOADS[theme][loadStep(load)];
}

export function loadColours(theme: Theme): readonly string[] {
  return LOADS[theme];
}

export function shardColour(shard: number, theme: Theme): string {
  const hues = SHARDS[theme];
  return shard < 0 ? hues[7] : hues[shard % hues.length];
}
