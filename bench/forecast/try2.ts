import { scenarioOf } from './traces.js';
import { Stage } from './stage.js';
import { Forecast } from '../../src/control/forecast/forecast.js';
import { LIMITS } from '../../src/base/limits.js';
import { formatTile } from '../../src/geo/address.js';
const trace = scenarioOf('crowd', 1000, 1800, 300);
const stage = new Stage(trace.level, trace.full);
const f = new Forecast(LIMITS);
for (let s = 0; s < 1800; s++) {
  const leaves = stage.look(s, trace.at(s));
  f.step(s, leaves);
  if (s % 20 === 0 && (s < 200 || (s > 1150 && s < 1420)))
    console.log(
      s,
      leaves
        .map(
          (l) =>
            `${formatTile(l.tile).slice(-4)} ${l.players} a${l.ahead[0]} f${f.of(l.tile)!.players[0].toFixed(0)}`,
        )
        .join(' | '),
      [...f.weights[0].model].map((w) => w.toFixed(2)).join(' '),
      f.scores[0].skill.toFixed(2),
    );
}
