/**
 * Is the future seen? Traces are replayed second by second through the production objects for drift and forecast, without
 * a server: real trips (Oslo's city bikes, three months), the bots' scenarios, a flock that walks from town to town, and a
 * storm of log-ins. A row for each trace and horizon: mean errors of all methods over the same samples, and how chances
 * and alarms did. Constants were chosen on the first two months; the third scores them.
 *
 * A row needs 200 samples and a persistence error of half a player. It fails where ours is worse than "as now" though the
 * horizon is within 1.2 τ, τ = tile side ÷ speed.
 *
 * Flags: --trace FILE.csv (columns: forecast/files.ts)
 */
import { fileURLToPath } from 'node:url';
import { LIMITS } from '../src/base/limits.js';
import { Forecast } from '../src/control/forecast/forecast.js';
import { HORIZONS_S } from '../src/control/forecast/horizons.js';
import type { BenchArgs } from './benches.js';
import { traceOf } from './forecast/files.js';
import { flock, storm } from './forecast/groups.js';
import { type Method, Methods } from './forecast/methods.js';
import { Stage } from './forecast/stage.js';
import type { Trace } from './forecast/traces.js';
import { scenarioOf } from './forecast/walkers.js';

export const name = 'forecast';
export const describe =
  'How well players of a tile are foreseen, on real trips and on the scenarios of the bots.';
export const flags = ['trace'];

const LEAST_SAMPLES = 200;
const LEAST_ERROR = 0.5;
/** Motion says something up to this many τ. */
const REACH = 1.2;
const MONTHS = ['2022-12', '2023-01', '2024-02'];

export interface ForecastRow {
  readonly trace: string;
  readonly horizonS: number;
  readonly tauS: number;
  readonly skill: number;
  readonly skillHolt: number;
  readonly skillDrift: number;
  readonly mae: number;
  readonly maePersistence: number;
  readonly brierSkill: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly leadS: number;
  readonly samples: number;
  /** At the end of the trace. */
  readonly trusted: boolean;
}

function* traces(): Generator<Trace> {
  for (const month of MONTHS) {
    const path = fileURLToPath(new URL(`./forecast/oslo/${month}.csv`, import.meta.url));
    yield traceOf(path, `oslo ${month}`, 25);
  }
  yield scenarioOf('pulse', { players: 500, seconds: 3000, full: 550 });
  yield scenarioOf('crowd', { players: 600, seconds: 3600, full: 300, rounds: 6 });
  yield scenarioOf('cities', { players: 500, seconds: 900, full: 300 });
  yield scenarioOf('metre', { players: 300, seconds: 900, full: 300 });
  yield flock(150, 3, 3 * 3600, 200);
  yield storm(300, 3 * 3600, 200);
}

/** The rows of one trace, those with too little to say left out. */
export function replay(trace: Trace): ForecastRow[] {
  const stage = new Stage(trace.level, trace.full);
  const forecast = new Forecast(LIMITS, { scoresFade: false });
  const methods = new Methods();
  for (let second = 0; second < trace.seconds; second++) {
    const leaves = stage.look(second, trace.at(second));
    forecast.step(second, leaves);
    methods.step(second, leaves, forecast);
  }
  return HORIZONS_S.flatMap((horizonS, h) => {
    const { samples, mae } = methods.errors(h);
    if (samples < LEAST_SAMPLES || mae.now < LEAST_ERROR) return [];
    const skill = (method: Method) => 1 - mae[method] / mae.now;
    const { brierSkill, hits, misses, falseAlarms, leadS, trusted } = forecast.scores[h];
    return [
      {
        trace: trace.name,
        horizonS,
        tauS: Math.round(trace.tauS),
        skill: skill('ours'),
        skillHolt: skill('holt'),
        skillDrift: skill('drift'),
        mae: mae.ours,
        maePersistence: mae.now,
        brierSkill,
        precision: hits + falseAlarms > 0 ? hits / (hits + falseAlarms) : null,
        recall: hits + misses > 0 ? hits / (hits + misses) : null,
        leadS,
        samples,
        trusted,
      },
    ];
  });
}

function print(rows: readonly ForecastRow[]): void {
  const share = (n: number | null) => (n === null ? '–' : n.toFixed(2)).padStart(6);
  for (const row of rows) {
    process.stdout.write(
      `${row.trace.padEnd(14)} ${String(row.horizonS).padStart(4)} s of ${row.tauS} s  ours ${share(row.skill)}  ` +
        `drift ${share(row.skillDrift)}  Holt ${share(row.skillHolt)}  error ${row.mae.toFixed(2)} / ` +
        `${row.maePersistence.toFixed(2)}  Brier ${share(row.brierSkill)}  precision ${share(row.precision)}  ` +
        `recall ${share(row.recall)}  lead ${row.leadS.toFixed(0)} s  (${row.samples})\n`,
    );
  }
}

export async function run({ json, values }: BenchArgs): Promise<Record<string, unknown>> {
  const { trace } = values;
  const wanted = typeof trace === 'string' ? [traceOf(trace, trace, 25)] : traces();
  const rows: ForecastRow[] = [];
  for (const one of wanted) {
    const found = replay(one);
    if (!json) print(found);
    rows.push(...found);
  }
  const worse = rows.filter(({ horizonS, tauS, skill }) => horizonS <= REACH * tauS && skill <= 0);
  if (worse.length > 0) {
    const names = worse.map((row) => `${row.trace} at ${row.horizonS} s: ${row.skill.toFixed(3)}`);
    throw new Error(`worse than "as now": ${names.join(', ')}`);
  }
  return { forecast: { rows } };
}
