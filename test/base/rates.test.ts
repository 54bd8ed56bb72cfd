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

t.test('a share of the rate, but never slower than everyone near must be shown', async (t) => {
  for (const [rate, percent, every] of [
    [0, 100, 1],
    [0, 50, 2],
    [0, 30, 4],
    [0, 0, 20],
    [1, 50, 4],
    [1, 25, 8],
    [2, 25, 20],
    [3, 25, 20],
    [4, 0, 400],
  ] as const) {
    t.equal(framesBetween(rate, percent), every, `class ${rate} at ${percent} %`);
    let turns = 0;
    for (let n = 1; n <= 4000; n++) if (isTurn(rate, n, 3, percent)) turns++;
    t.equal(turns, 4000 / every, `turns of class ${rate} at ${percent} %`);
  }
});
