/** The time without news around a death: counted once for each, not for what a bot breaks itself. */
import t from 'tap';
import { DeathGap } from '../../src/bots/death-gap.js';
import { Histogram } from '../../src/bots/histogram.js';

t.test('gaps around deaths', async (t) => {
  // h = an own update, w = a Welcome, b = the bot breaks its socket, e = the end; each with its time.
  const cases: [name: string, story: string, count: number, max: number][] = [
    ['the first Welcome is no death', 'w0 h100 h350 e400', 0, 0],
    ['a Welcome after news is one', 'h100 w150 h1600 e1700', 1, 1500],
    ['two Welcomes before news are one gap', 'h0 w1 w2 h900', 1, 900],
    ['news that never comes again counts to the end', 'h0 w1 e5000', 1, 5000],
    ['without a Welcome as well', 'h0 e5000', 1, 5000],
    ['a socket that it broke itself is none', 'h0 b1 w2 h700', 0, 0],
    ['the next one is', 'b0 w1 h0 w3 h700', 1, 700],
  ];
  for (const [name, story, count, max] of cases) {
    const gaps = new Histogram();
    const gap = new DeathGap(gaps);
    for (const word of story.split(' ')) {
      const now = Number(word.slice(1));
      if (word[0] === 'h') gap.heard(now);
      else if (word[0] === 'e') gap.end(now);
      else if (word[0] === 'b') gap.broke();
      else gap.welcomed();
    }
    t.same([gaps.count, gaps.max], [count, max], name);
  }
});
