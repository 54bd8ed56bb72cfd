/** The sparing clock: exact for a few, shared by many, never older than it says. */
import t from 'tap';
import { SparingClock } from '../../src/shard/sparing-clock.js';

t.test('the first sixty-four have a reading each, then sixteen share one; a beginning reads anew', (t) => {
  let readings = 0;
  const clock = new SparingClock({ now: () => ++readings });
  for (let i = 1; i <= 64; i++) t.equal(clock.now(), i);
  const shared = Array.from({ length: 33 }, () => clock.now());
  t.strictSame(shared, [...new Array(16).fill(65), ...new Array(16).fill(66), 67]);
  clock.begin();
  t.equal(clock.now(), 68);
  t.equal(clock.now(), 69);
  t.end();
});
