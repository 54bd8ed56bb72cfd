/** What a shard needs for a tick, when it does not get done as many as are due: the same at every rate of ticks. */
import t from 'tap';
import { TickDebt } from '../../src/control/tick-debt.js';

const TICK_MS = 50;
/** Between two looks. */
const LOOK_MS = 250;

/** Tells of a shard that begins so far behind and does so many ticks in each quarter of a second. */
function told(quarters: number, perQuarter: number, lag: number, incarnation = (_quarter: number) => 1) {
  const debt = new TickDebt(TICK_MS);
  const factors: number[] = [];
  for (let i = 0; i < quarters; i++) {
    const behind = lag + i * (LOOK_MS / TICK_MS - perQuarter);
    debt.note(0, incarnation(i), 1000 + i * perQuarter, behind, i * LOOK_MS);
    factors.push(debt.factor(0));
  }
  return factors;
}

/**
 * A shard as it is seen from outside, at any rate: whole ticks, seen four times a second.
 * @param needs time that one of its ticks takes, as a share of the tick's length @param behind s that it is late at first
 * @param phase share of a tick by which it begins its ticks later than the clock
 * @returns the factors of the looks of 40 s
 */
function seen(rate: number, needs: number, behind = 0, phase = 0.9): number[] {
  const tickMs = 1000 / rate;
  const debt = new TickDebt(tickMs);
  const factors: number[] = [];
  let done = 1000 - Math.round(behind * rate);
  let doneAt = 0;
  for (let now = 0; now <= 40_000; now += LOOK_MS) {
    const begins = () => Math.max(doneAt, (done + 1 - 1000 + phase) * tickMs);
    while (begins() + needs * tickMs <= now) {
      doneAt = begins() + needs * tickMs;
      done++;
    }
    debt.note(0, 1, done, Math.floor(now / tickMs) + 1000 - done, now);
    factors.push(debt.factor(0));
  }
  return factors;
}

for (const rate of [1, 2, 5, 20, 60]) {
  t.test(`${rate} ticks a second`, (t) => {
    const nothing = (factors: number[]) => factors.every((factor) => factor === 1);
    for (const needs of [0.05, 0.5, 0.95])
      for (const phase of [0, 0.5, 0.99])
        t.ok(nothing(seen(rate, needs, 0, phase)), `${needs} of a tick: on time`);
    for (const needs of [1.5, 2, 3]) {
      const factors = seen(rate, needs);
      const settled = factors.slice(-20);
      const error = Math.max(...settled.map((factor) => Math.abs(factor / needs - 1)));
      t.ok(error < 0.51, `${needs} of a tick is seen as ${settled.at(-1)}`);
      const mean = settled.reduce((sum, factor) => sum + factor, 0) / settled.length;
      t.ok(Math.abs(mean / needs - 1) < 0.2, `and as ${mean.toFixed(2)} on average`);
    }
    t.equal(seen(rate, 60).at(-1), 4, 'one that hardly goes on: bounded');
    const catching = seen(rate, 0.25, 30).slice(24, 36); // four times as fast, half a minute behind at first
    t.ok(
      catching.every((factor) => factor > 0.2 && factor < 0.36),
      `catching up needs a quarter: ${catching[0]}`,
    );
    t.end();
  });
}

t.test('who is on time needs what it uses', (t) => {
  t.same(told(12, 5, 0), new Array(12).fill(1));
  t.same(told(12, 5, 4), new Array(12).fill(1), 'a few ticks late is on time');
  t.equal(new TickDebt(TICK_MS).factor(3), 1, 'nothing is known');
  t.end();
});

t.test('who falls behind needs as much more as it does less, once that is seen for a second', (t) => {
  t.same(told(8, 2.5, 10), [1, 1, 1, 1, 2, 2, 2, 2]);
  t.equal(told(12, 0, 10).at(-1), 4, 'bounded');
  t.end();
});

t.test('who catches up needs less than it uses', (t) => {
  t.equal(told(5, 10, 100).at(-1), 0.5);
  t.equal(told(5, 10, 20).at(-1), 1, 'and has done so when it is on time');
  t.end();
});

t.test('a replacement is judged by what it does itself', (t) => {
  t.same(
    told(9, 2.5, 10, (quarter) => (quarter < 4 ? 1 : 2)),
    [1, 1, 1, 1, 1, 1, 1, 1, 2],
  );
  t.end();
});
