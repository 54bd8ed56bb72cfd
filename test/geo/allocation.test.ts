import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { cellNumber, cellsAround } from '../../src/geo/cell.js';
import { tileIndex } from '../../src/geo/tile.js';
import { dx, HALF_WIDTH, WIDTH, wrapX } from '../../src/geo/world.js';

const WARM_CALLS = 100_000;
const CALLS = 2_000; // few, so that most rounds see no collection
const cells = new Float64Array(64);
const xs = Float64Array.from({ length: 1024 }, (_, i) => -HALF_WIDTH + (WIDTH * i) / 1024);
const out = new Float64Array(1);

const ys = xs.map((_, i) => xs[(i * 7) & 1023] / 2);

/** Bytes of heap that a round of calls leaves behind: the median of many, since in some of them V8 collects. */
function growth(call: (i: number) => void): number {
  for (let i = 0; i < WARM_CALLS; i++) call(i & 1023);
  const rounds: number[] = [];
  while (rounds.length < 101) {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < CALLS; i++) call(i & 1023);
    rounds.push(process.memoryUsage().heapUsed - before);
  }
  return rounds.sort((a, b) => a - b)[50];
}

// Numbers are taken from arrays inside: a float64 argument of a call that V8 does not inline is itself an allocation.
const hot: Record<string, (i: number) => void> = {
  tileIndex: (i) => {
    out[0] = tileIndex(xs[i], ys[i], LIMITS.baseTileLevel);
  },
  cellNumber: (i) => {
    out[0] = cellNumber(xs[i], ys[i]);
  },
  'dx and wrapX': (i) => {
    out[0] = dx(xs[i], wrapX(xs[i] + ys[i]));
  },
  cellsAround: (i) => {
    out[0] = cellsAround(cellNumber(xs[i], ys[i]), LIMITS.viewCells, cells);
  },
};

t.test('the functions of the tick path allocate nothing', async (t) => {
  for (const [name, call] of Object.entries(hot)) {
    const bytes = growth(call);
    t.ok(bytes < CALLS, `${name}: ${bytes} bytes after ${CALLS} calls, less than one a call`);
  }
  let kept: object = {};
  const bytes = growth((i) => {
    kept = { x: xs[i], y: ys[i] };
  });
  t.ok(bytes >= 8 * CALLS && kept !== undefined, `an object a call would show: ${bytes} bytes`);
});
