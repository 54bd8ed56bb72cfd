/** What lets the tiles of a node breathe, put together: load sampling, planner, changes of layout. Main thread only. */
import type { Clock, Timers } from '../base/clock.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { Elastic } from './elastic.js';
import { type ForecastMode, Foreseer } from './forecast/foreseer.js';
import { LoadSampler } from './load.js';
import type { Log } from './log.js';
import type { PlannerLimits } from './planner/types.js';
import { Reshaper } from './reshape.js';
import type { Supervisor } from './supervisor.js';
import type { LayoutWatch } from './traces.js';
import type { ThreadCpu } from './thread-cpu.js';

export interface BreathingParts {
  readonly world: SharedWorld;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly cpu: ThreadCpu;
  readonly supervisor: Supervisor;
  readonly traces: LayoutWatch;
  readonly limits: PlannerLimits;
  readonly forecast: ForecastMode;
}

export interface Breathing {
  readonly load: LoadSampler;
  readonly reshaper: Reshaper;
  readonly elastic: Elastic;
  readonly foreseer: Foreseer;
}

/** Times of samples and decisions count from this call. */
export function makeBreathing({ supervisor, ...parts }: BreathingParts): Breathing {
  const { world, clock, timers, log, cpu, traces, limits, forecast } = parts;
  const startedMs = clock.now();
  const tick = () => world.clock.tickAt(clock.now());
  const reshaper = new Reshaper(world, timers, tick, log, traces, (shard) => supervisor.isStuck(shard));
  const canStart = (shard: number) => supervisor.canStart(shard);
  const load = new LoadSampler({ world, clock, cpu, startedMs, canStart });
  const foreseer = new Foreseer(forecast, limits);
  const threads = supervisor;
  const elastic = new Elastic({ world, clock, startedMs, log, limits, reshaper, foreseer, load, threads });
  return { load, reshaper, elastic, foreseer };
}
