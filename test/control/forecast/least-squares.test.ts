/** The parts that learn: weights are found, fade, and stay within what was allowed. */
import t from 'tap';
import { seededRandom } from '../../../src/base/random.js';
import { Chance } from '../../../src/control/forecast/chance.js';
import { LeastSquares } from '../../../src/control/forecast/least-squares.js';

t.test('least squares find the weights of a noisy line, and follow when they change', (t) => {
  const random = seededRandom(3);
  const model = new LeastSquares([0, 0, 0], [10, 10, 10]);
  const x = new Float64Array(3);
  const teach = (weights: readonly number[], samples: number) => {
    for (let i = 0; i < samples; i++) {
      for (let k = 0; k < 3; k++) x[k] = random.next() * 4 - 2;
      const y = weights[0] * x[0] + weights[1] * x[1] + weights[2] * x[2] + (random.next() - 0.5) * 0.1;
      model.forget(0.01);
      model.learn(x, 0, y, 1);
    }
  };
  for (const weights of [
    [1, -2, 0.5],
    [-1, 2, 3],
  ]) {
    teach(weights, 3000);
    for (const [k, w] of weights.entries())
      t.ok(Math.abs(model.weights[k] - w) < 0.05, `${model.weights[k]}, ${w}`);
  }
  t.end();
});

t.test(
  'without news nothing winds up: after an hour of zeros one odd sample moves a weight no further than at first',
  (t) => {
    const x = new Float64Array([0, 0]);
    const model = new LeastSquares([1, 0], [0.1, 0.1]);
    for (let i = 0; i < 10_000; i++) {
      model.forget(0.001);
      model.learn(x, 0, 0, 1);
    }
    x[0] = 1;
    model.learn(x, 0, 100, 1);
    const fresh = new LeastSquares([1, 0], [0.1, 0.1]);
    fresh.learn(x, 0, 100, 1);
    t.equal(model.weights[0], fresh.weights[0]);
    t.end();
  },
);

t.test('a chance learns how often something comes, and stays a chance', (t) => {
  const random = seededRandom(4);
  const chance = new Chance([0, 0.5], 0.1);
  const x = new Float64Array([1, 0]);
  for (let i = 0; i < 20_000; i++) {
    x[1] = random.next() * 4 - 2;
    const p = x[1] > 1 ? 0.9 : x[1] < -1 ? 0.05 : 0.4;
    chance.learn(x, 0, random.next() < p ? 1 : 0);
  }
  const at = (u: number) => {
    x[1] = u;
    return chance.of(x);
  };
  t.ok(at(1.8) > 0.75 && at(-1.8) < 0.2, `${at(1.8)}, ${at(-1.8)}`);
  for (const u of [-1e9, -8, 0, 8, 1e9]) t.ok(at(u) >= 0 && at(u) <= 1);
  t.end();
});
