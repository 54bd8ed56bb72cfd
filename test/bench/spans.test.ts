/** Stretches of time as `bench split` adds them up. */
import t from 'tap';
import { Spans } from '../../bench/split/spans.js';

t.test('stretches that touch or overlap are one, those further apart are added', (t) => {
  const spans = new Spans();
  t.equal(spans.ms(10), 0, 'nothing was done');
  spans.add(150, 152);
  for (const begin of [100, 102, 101]) spans.add(begin, begin + 3);
  t.equal(spans.ms(10), 5 + 2);
  t.equal(spans.ms(50), 52, 'a longer breath');
  spans.add(100, 170); // one that holds all others
  t.equal(spans.ms(10), 70);
  t.end();
});
