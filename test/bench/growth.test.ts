/** The arithmetic of the growth bench, and the bars that it draws. */
import t from 'tap';
import { lineThrough } from '../../bench/growth.js';
import { bars } from '../../bench/plot.js';

t.test('a line through points, and how far the farthest is from it', async (t) => {
  const exact = lineThrough([
    [1, 5],
    [2, 7],
    [4, 11],
  ]);
  t.match(exact, { a: 3, b: 2, off: 0 });
  const bent = lineThrough([
    [0, 10],
    [1, 10],
    [2, 16],
  ]);
  t.ok(Math.abs(bent.a - 9) < 1e-9 && Math.abs(bent.b - 3) < 1e-9, `${bent.a} + ${bent.b} x`);
  t.ok(Math.abs(bent.off - 0.2) < 1e-9, `${bent.off} of the farthest`);
  t.match(lineThrough([[3, 4]]), { a: 4, b: 0, off: 0 }, 'a single point has no slope');
});

t.test('bars are in proportion, and a dot stands where it should', async (t) => {
  const [title, long, short] = bars('growth', [
    { label: '10', value: 8, text: 'eight' },
    { label: '5', value: 2, dot: 4, text: 'two' },
  ]).split('\n') as [string, string, string];
  t.equal(title, 'growth');
  t.equal(long.split('█').length - 1, 60);
  t.equal(short.split('█').length - 1, 15);
  t.equal(short.indexOf('·') - short.indexOf('│'), 31, 'half of the way');
  t.match(short, /^ {1}5 │.* two$/);
});
