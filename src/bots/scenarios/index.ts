/** The scenarios by name. */
import type { ScenarioName } from '../options.js';
import { border } from './border.js';
import { cities } from './cities.js';
import { crowd } from './crowd.js';
import { metre } from './metre.js';
import { planet } from './planet.js';
import { pulse } from './pulse.js';
import { roam } from './roam.js';
import type { Scenario, ScenarioInput } from './scenario.js';
import { trade } from './trade.js';

const SCENARIO_OF: Record<ScenarioName, (input: ScenarioInput) => Scenario> = {
  roam,
  border,
  crowd,
  cities,
  planet,
  trade,
  pulse,
  metre,
};

export function scenario(name: ScenarioName, input: ScenarioInput): Scenario {
  return SCENARIO_OF[name](input);
}
