/** Several forecasts made one. */
import t from 'tap';
import { Blend } from '../../../src/control/forecast/blend.js';

const said = Float64Array.of(10, 20, 30);

t.test('whoever erred least of late is followed, and the other once that turns', (t) => {
  const blend = new Blend([5, 5, 5]);
  t.equal(blend.mix(said), 20, 'at first all alike');
  const follow = (came: number) => {
    for (let second = 0; second < 600; second++) {
      blend.score(said, 0, came);
      blend.fade(1 / 300);
    }
    return blend.mix(said);
  };
  t.ok(Math.abs(follow(10) - 10) < 0.5, 'the first was right');
  t.ok(Math.abs(follow(30) - 30) < 0.5, 'now the last is');
  t.end();
});

t.test('between two that are equally wrong: the middle', (t) => {
  const blend = new Blend([1, 1, 1]);
  for (let i = 0; i < 100; i++) blend.score(said, 0, 25);
  t.ok(Math.abs(blend.mix(said) - 25) < 0.1);
  t.end();
});

t.test('without news all fades to what was believed at first', (t) => {
  const blend = new Blend([5, 5, 10]);
  const first = blend.mix(said);
  for (let i = 0; i < 100; i++) blend.score(said, 0, 30);
  t.not(blend.mix(said), first);
  for (let i = 0; i < 5000; i++) blend.fade(1 / 300);
  t.ok(Math.abs(blend.mix(said) - first) < 0.01);
  t.end();
});

t.test('errors beyond all numbers are told', (t) => {
  const blend = new Blend([5, 5, 5]);
  for (let i = 0; i < 3; i++) blend.score(Float64Array.of(1e308, 0, 0), 0, 0);
  t.notOk(blend.isSound);
  blend.reset();
  t.ok(blend.isSound);
  t.equal(blend.mix(said), 20);
  t.end();
});
