/** What a shard needs for a tick, when it does not get done as many as are due. */
import t from 'tap';
import { TickDebt } from '../../src/control/tick-debt.js';

const TICK_MS = 50;
const STEP_MS = 250;

/** Tells of a shard that begins so far behind and does so many ticks in each quarter of a second. */
function told(quarters: number, perQuarter: number, lag: number, incarnation = (_quarter: number) => 1) {
  const debt = new TickDebt(TICK_MS);
  const factors: number[] = [];
  for (let i = 0; i < quarters; i++) {
    const behind = lag + i * (STEP_MS / TICK_MS - perQuarter);
    debt.note(0, incarnation(i), 1000 + i * perQuarter, behind, i * STEP_MS);
    factors.push(debt.factor(0));
  }
  return factors;
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
