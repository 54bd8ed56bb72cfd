/** The scenarios by name. */
import type { ScenarioName } from '../options.js';
import { border } from './border.js';
import { cities } from './cities.js';
import { crowd } from './crowd.js';
import { roam } from './roam.js';
import type { Scenario, ScenarioInput } from './scenario.js';
import { trade } from './trade.js';

const SCENARIO_OF: Record<ScenarioName, (input: ScenarioInput) => Scenario> = {
  roam,
  border,
  crowd,
  cities,
  trade,
};

export function scenario(name: ScenarioName, input: ScenarioInput): Scenario {
  return SCENARIO_OF[name](input);
}
