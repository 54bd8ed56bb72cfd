/** The time without news around a death: counted once for each, not for what a bot breaks itself. */
import t from 'tap';
import { DeathGap } from '../../src/bots/death-gap.js';
import { Histogram } from '../../src/bots/histogram.js';

t.test('gaps around deaths', async (t) => {
  const cases: [string, (gap: DeathGap) => void, number, number][] = [
    ['the first Welcome is no death', (g) => (g.welcomed(), g.heard(100), g.heard(350), g.end(400)), 0, 0],
    ['a Welcome after news is one', (g) => (g.heard(100), g.welcomed(), g.heard(1600), g.end(1700)), 1, 1500],
    [
      'two Welcomes before news are one gap',
      (g) => (g.heard(0), g.welcomed(), g.welcomed(), g.heard(900)),
      1,
      900,
    ],
    [
      'news that never comes again counts to the end',
      (g) => (g.heard(0), g.welcomed(), g.end(5000)),
      1,
      5000,
    ],
    ['without a Welcome as well', (g) => (g.heard(0), g.end(5000)), 1, 5000],
    [
      'a socket that it broke itself is none',
      (g) => (g.heard(0), g.broke(), g.welcomed(), g.heard(700)),
      0,
      0,
    ],
    ['the next one is', (g) => (g.broke(), g.welcomed(), g.heard(0), g.welcomed(), g.heard(700)), 1, 700],
  ];
  for (const [name, play, count, max] of cases) {
    const gaps = new Histogram();
    play(new DeathGap(gaps));
    t.same([gaps.count, gaps.max], [count, max], name);
  }
});
