/** Rate classes: every class comes to its turn, exactly as often as it says, also where only a share is served. */
import t from 'tap';
import { CLASSES, CLASS_FRAMES, framesBetween, isTurn } from '../../src/base/rates.js';

t.test('each class at its rate, from any phase', async (t) => {
  for (let rate = 0; rate < CLASSES; rate++) {
    for (const phase of [0, 1, 7, 1_000_003]) {
      let turns = 0;
      for (let n = 1; n <= 4000; n++) if (isTurn(rate, n, phase, 100)) turns++;
      t.equal(turns, 4000 / CLASS_FRAMES[rate]!, `class ${rate}, phase ${phase}`);
    }
  }
});

t.test('a share of the rate', async (t) => {
  for (const [percent, expected] of [
    [50, 200],
    [30, 120],
    [1, 4],
    [0, 0],
  ] as const) {
    let turns = 0;
    for (let n = 1; n <= 800; n++) if (isTurn(1, n, 0, percent)) turns++;
    t.equal(turns, expected, `${percent} %`);
  }
  t.equal(framesBetween(0, 100), 1);
  t.equal(framesBetween(1, 50), 4);
  t.equal(framesBetween(4, 0), 40_000);
});
