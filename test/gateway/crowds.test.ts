/** Counts of cells: taken anew when due, found again after they were forgotten, and nothing stays of who has left. */
import t from 'tap';
import { Crowds } from '../../src/gateway/crowds.js';
import { cellNumber } from '../../src/geo/cell.js';
import { ROW, type ViewReader } from '../../src/memory/view.js';

const X = 1000;
const Y = 1000;
const CELL = cellNumber(X, Y);

/** A view of one cell with so many movers, all in one place. */
function viewOf(people: { count: number }): ViewReader {
  const f64 = new Float64Array(64);
  f64[ROW.x >> 3] = X;
  f64[ROW.y >> 3] = Y;
  const f32 = new Float32Array(128);
  f32[ROW.vx >> 2] = 1;
  const reader: Partial<ViewReader> = {
    open: () => true,
    find: (cell: number) => (cell === CELL && people.count > 0 ? 0 : -1),
    start: () => 0,
    count: () => people.count,
    rowByte: () => 0,
  };
  return Object.assign(reader, { f64, f32 }) as unknown as ViewReader;
}

t.test('a cell that fills and empties', async (t) => {
  const people = { count: 0 };
  const crowds = new Crowds([viewOf(people)], () => [], 10);
  const counts: Parameters<Crowds['countAll']>[1] = [];
  const look = (now: number) => crowds.countAll([CELL], counts, now)[0]!;
  const empty = look(0);
  t.match(empty, { total: 0, allBytes: 0 });
  people.count = 40;
  t.equal(look(1000).total, 0, 'not due yet');
  t.match(look(2000), { total: 40, isByLeaf: true });
  t.ok(look(2000).allBytes > 0);
  t.equal(
    look(2000).entities.reduce((sum, n) => sum + n, 0),
    40,
  );
  people.count = 0;
  const left = look(2500);
  t.match(left, { total: 0, allBytes: 0, isByLeaf: false });
  t.equal(
    left.entities,
    new Crowds([], () => [], 10).count(CELL, 0).entities,
    'the arrays of nobody are shared',
  );
  t.equal(
    left.entities.reduce((sum, n) => sum + n, 0),
    0,
  );
});

t.test('a count that was forgotten is not gone on with', async (t) => {
  const people = { count: 3 };
  const crowds = new Crowds([viewOf(people)], () => [], 10);
  const counts: Parameters<Crowds['countAll']>[1] = [];
  const [first] = crowds.countAll([CELL], counts, 0);
  crowds.sweep(9000);
  t.equal(crowds.countAll([CELL], counts, 9000)[0], first, 'asked for within ten seconds');
  crowds.sweep(30_000);
  people.count = 5;
  const [second] = crowds.countAll([CELL], counts, 30_000);
  t.not(second, first);
  t.equal(second, crowds.count(CELL, 30_000), 'the one that all ask');
  t.equal(second?.total, 5);
});
