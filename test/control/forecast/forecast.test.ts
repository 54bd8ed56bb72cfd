/** Foresight: better than "as now" on a march, silent on nonsense, the same to the bit, and never in the way. */
import fc from 'fast-check';
import t from 'tap';
import { LIMITS } from '../../../src/base/limits.js';
import { Forecast, type LeafLook } from '../../../src/control/forecast/forecast.js';
import { ROW, march } from './march.js';

function run(seconds: number, look: (second: number) => LeafLook[], forecast = new Forecast(LIMITS)) {
  for (let s = 0; s < seconds; s++) forecast.step(s, look(s));
  return forecast;
}

t.test(
  'a march is foreseen: less error than "as now" at each horizon, chances better, alarms before',
  (t) => {
    const forecast = run(3600, (s) => march(s, 60, 240, 6, 60));
    for (const { horizonS, skill, brierSkill, trusted, samples } of forecast.scores) {
      t.ok(samples > 500, `${horizonS} s: ${samples} samples`);
      t.ok(skill > 0.2, `${horizonS} s: skill ${skill}`);
      t.ok(brierSkill > 0, `${horizonS} s: Brier skill ${brierSkill}`);
      t.ok(trusted);
    }
    const { hits, misses, leadS } = forecast.scores[1];
    t.ok(hits > misses, `${hits} hits, ${misses} misses`);
    t.ok(leadS > 10 && leadS <= 90, `${leadS} s ahead`);
    t.end();
  },
);

t.test('who stands is foreseen as now, and nothing is trusted that was not earned', (t) => {
  const standing: LeafLook[] = [{ tile: ROW[0], players: 40, came: 0, ahead: [40, 40, 40], full: 100 }];
  const forecast = run(1200, () => standing);
  t.same(
    forecast.of(ROW[0])!.players.map((n) => Math.round(n)),
    [40, 40, 40],
  );
  t.same(
    forecast.scores.map(({ trusted }) => trusted),
    [false, false, false],
    'persistence made no error: there is no skill',
  );
  t.equal(forecast.trustedChance(ROW[0], 0), 0);
  t.end();
});

t.test('drift that lies is found out: the gate stays shut', (t) => {
  // All are said to leave, and nobody does; numbers move a little so that there is something to be wrong about.
  const forecast = run(2400, (s) => [
    { tile: ROW[0], players: 50 + (s % 7 === 0 ? 1 : 0), came: 0, ahead: [0, 0, 0], full: 60 },
    { tile: ROW[1], players: 0, came: 0, ahead: [50, 50, 50], full: 60 },
  ]);
  t.equal(forecast.trustedChance(ROW[1], 1), 0);
  t.ok(
    forecast.of(ROW[1])!.players[0] < 10,
    `it has learned that nobody comes: ${forecast.of(ROW[1])!.players[0]}`,
  );
  t.end();
});

t.test('the same looks give the same weights to the bit', (t) => {
  const bits = () =>
    run(900, (s) => march(s, 40, 200, 5, 50)).weights.map((weights) =>
      Buffer.concat(Object.values(weights).map((one) => Buffer.from(one.buffer))).toString('hex'),
    );
  const first = bits();
  t.same(bits(), first);
  t.not(first[0], first[1], 'horizons learn apart');
  t.end();
});

t.test('a tile that was split is scored by its parts, one that was merged not at all', (t) => {
  const parent = { z: 12, x: 2000, y: 1000 };
  const parts = [0, 1, 2, 3].map((q) => ({ z: 13, x: 4000 + (q & 1), y: 2000 + (q >> 1) }));
  const whole: LeafLook = { tile: parent, players: 40, came: 0, ahead: [40, 40, 40], full: 100 };
  const split = (s: number): LeafLook[] =>
    s < 20 ? [whole] : parts.map((tile) => ({ tile, players: 11, came: 0, ahead: [11, 11, 11], full: 100 }));
  const forecast = run(49, split);
  t.equal(forecast.scores[0].samples > 15, true, 'looks at the whole were scored');
  t.ok(Math.abs(forecast.scores[0].maePersistence - 4) < 0.01, '40 were foreseen and 44 came');
  const merged = run(49, (s) => split(s < 20 ? 30 : 0));
  t.equal(merged.scores[0].samples, 0, 'the parts of what is whole now are not known');
  t.end();
});

t.test('poison: whatever comes, numbers stay numbers, and a jump of time shuts nothing for good', (t) => {
  const odd = fc.oneof(
    fc.constantFrom(Number.NaN, Infinity, -Infinity, -5, 0, 1e308, 1e-308),
    fc.double({ min: 0, max: 1e6, noNaN: true }),
  );
  const look = fc.array(
    fc.record({
      tile: fc.constantFrom(...ROW),
      players: odd,
      came: odd,
      ahead: fc.tuple(odd, odd, odd),
      full: fc.oneof(fc.constant(60), odd),
    }),
    { maxLength: 6 },
  );
  const times = fc.oneof(fc.constant(1), fc.constantFrom(Number.NaN, -3, 0, 7, 1e9, Infinity));
  fc.assert(
    fc.property(fc.array(fc.tuple(times, look), { maxLength: 60 }), (steps) => {
      const forecast = run(300, (s) => march(s, 40, 100, 6, 50));
      let at = 300;
      for (const [passed, leaves] of steps) {
        at += passed;
        const once = new Map(leaves.map((leaf) => [leaf.tile.x, leaf]));
        forecast.step(at, [...once.values()]);
        if (!Number.isFinite(at)) at = 300;
      }
      for (const { firm, free, chance, errors } of forecast.weights) {
        if (![...firm, ...free, ...chance, ...errors].every(Number.isFinite)) return false;
      }
      return ROW.every((tile) => {
        const outlook = forecast.of(tile);
        if (outlook === undefined) return true;
        return (
          [...outlook.players, ...outlook.hot].every(Number.isFinite) &&
          outlook.hot.every((p) => p >= 0 && p <= 1)
        );
      });
    }),
    { numRuns: 60, seed: 5 },
  );
  t.end();
});
