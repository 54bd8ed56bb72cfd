import { readTrips, scenarioOf, type Trace } from './traces.js';
import { Stage } from './stage.js';
import { OtherMethods } from './methods.js';
import { Forecast } from '../../src/control/forecast/forecast.js';
import { LIMITS } from '../../src/base/limits.js';
export function runTrace(trace: Trace) {
  const stage = new Stage(trace.level, trace.full);
  const forecast = new Forecast(LIMITS);
  const others = new OtherMethods();
  const t0 = performance.now();
  for (let s = 0; s < trace.seconds; s++) {
    const leaves = stage.look(s, trace.at(s));
    forecast.step(s, leaves);
    others.step(s, leaves, [1, 2, 10]);
  }
  console.log(trace.name, 'tau', trace.tauS.toFixed(0), (performance.now() - t0).toFixed(0), 'ms');
  for (const [h, s] of forecast.scores.entries()) {
    const o = others.errors[h];
    console.log(
      ' ',
      s.horizonS,
      'skill',
      s.skill.toFixed(3),
      'mae',
      s.mae.toFixed(2),
      'pers',
      s.maePersistence.toFixed(2),
      'brier',
      s.brierSkill.toFixed(3),
      'hits',
      s.hits.toFixed(1),
      'miss',
      s.misses.toFixed(1),
      'false',
      s.falseAlarms.toFixed(1),
      'lead',
      s.leadS.toFixed(0),
      'n',
      s.samples.toFixed(0),
      '| whole: drift',
      (1 - o.drift / o.now).toFixed(3),
      'holt',
      (1 - o.holt / o.now).toFixed(3),
      s.trusted,
    );
    if (process.env.W)
      console.log(
        '    w',
        [...forecast.weights[h].model].map((x) => x.toFixed(3)).join(' '),
        'c',
        [...forecast.weights[h].chance].map((x) => x.toFixed(2)).join(' '),
      );
  }
  console.log(
    '  total',
    forecast.total.scores
      .map((s) => `${s.horizonS}: ${s.skill.toFixed(3)} (${s.mae.toFixed(1)}/${s.maePersistence.toFixed(1)})`)
      .join('  '),
  );
}
const D = process.env.DATA!;
for (const m of process.env.FAST ? ['2022-12'] : ['2022-12', '2023-01'])
  runTrace(readTrips(`${D}/oslo-bike-trips-${m}.csv`, m));
if (process.env.TEST) runTrace(readTrips(`${D}/oslo-bike-trips-2024-02.csv`, 'test 2024-02'));
for (const [n, p, s] of [
  ['pulse', 500, 3000],
  ['crowd', 1000, 1800],
  ['metre', 300, 1200],
  ['roam', 2000, 1800],
] as const)
  runTrace(scenarioOf(n, p, s, 300));
