/** Settings of leaves: packing, and what becomes of them when the layout changes under a reader. */
import t from 'tap';
import { Directory } from '../../src/memory/directory.js';
import { dilation, farRate, leastService, nearRate, packService } from '../../src/memory/service.js';

const BASE = 1;
const LEVELS = 2;
const TILE = 6; // column 2, row 1
const HALF = packService(50, 80, 25);
const TENTH = packService(10, 100, 50);

t.test('a word holds three percentages; 0 is everything in full', (t) => {
  t.strictSame([dilation(0), nearRate(0), farRate(0)], [100, 100, 100]);
  t.equal(packService(100, 100, 100), 0);
  t.strictSame([dilation(HALF), nearRate(HALF), farRate(HALF)], [50, 80, 25]);
  t.strictSame(leastService(HALF, TENTH), packService(10, 80, 25));
  t.equal(leastService(0, HALF), HALF);
  for (const wrong of [-1, 101, 0.5, Number.NaN])
    t.throws(() => packService(wrong, 100, 100), { message: /I7/ });
  t.end();
});

function placed(): Directory {
  const directory = Directory.create(BASE, BASE + LEVELS, 8);
  directory.place(TILE, 0);
  return directory;
}

t.test('a leaf has its own setting, at every level; nobody else notices', (t) => {
  const directory = placed();
  t.notOk(directory.setService(5, 0, 0, HALF), 'nobody has that tile');
  t.notOk(directory.setService(TILE, 0, 1, HALF), 'not a leaf: it is not split');
  t.ok(directory.split(TILE, 0, 0, 0, [0, 1, 2, 3]));
  t.notOk(directory.setService(TILE, 0, 0, HALF), 'no leaf any more');
  t.ok(directory.setService(TILE, 0b0100, 1, HALF)); // north-east
  t.strictSame([directory.anyService, directory.anySlow], [1, 1]);
  const other = Directory.from(directory.sab);
  t.equal(other.service(2 * 4 + 2, 4), HALF);
  t.equal(other.service(2 * 4 + 1, 4), 0, 'north-west');
  t.equal(other.service(2 * 4 + 2, 4 + 2), 0, 'south-east');
  t.equal(other.service(0, 0), 0, 'nobody’s');
  t.equal(other.serviceOf(TILE, 0b0110), HALF);
  t.ok(directory.setService(TILE, 0b0100, 1, packService(100, 50, 50)));
  t.strictSame([directory.anyService, directory.anySlow], [1, 0], 'rates, but no slow time');
  t.ok(directory.setService(TILE, 0b0100, 1, 0));
  t.strictSame([directory.anyService, directory.anySlow], [0, 0]);
  t.end();
});

/** Runs `look` right behind each compare-and-swap, where another thread might run. */
function atEachStore(look: () => void, work: () => void): void {
  const real = Atomics.compareExchange;
  const spied = (array: Int32Array, index: number, from: number, to: number): number => {
    const seen = real(array, index, from, to);
    look();
    return seen;
  };
  Object.assign(Atomics, { compareExchange: spied });
  try {
    work();
  } finally {
    Object.assign(Atomics, { compareExchange: real });
  }
}

t.test('children inherit before the store that shows them; a merged tile gets the least of each', (t) => {
  const directory = placed();
  directory.setService(TILE, 0, 0, HALF);
  let looks = 0;
  atEachStore(
    () => {
      looks++;
      for (let path = 0; path < 16; path++) t.equal(directory.serviceOf(TILE, path), HALF, `path ${path}`);
    },
    () => directory.split(TILE, 0, 0, 0, [0, 1, 2, 3]),
  );
  t.equal(looks, 1);
  t.equal(directory.anyService, 4);
  directory.setService(TILE, 0b0100, 1, TENTH);
  directory.setService(TILE, 0b1000, 1, 0);
  atEachStore(
    () => t.equal(directory.serviceOf(TILE), leastService(HALF, TENTH)),
    () => directory.merge(TILE, 0, 0, 0),
  );
  t.strictSame([directory.anyService, directory.anySlow], [1, 1]);
  t.ok(directory.split(TILE, 0, 0, 0, [0, 1, 2, 3]));
  t.equal(directory.serviceOf(TILE, 0b1000), leastService(HALF, TENTH), 'nothing of an older split');
  t.end();
});

t.test('a tile that sleeps forgets its setting; refused changes leave none behind', (t) => {
  const directory = placed();
  directory.setService(TILE, 0, 0, HALF);
  t.notOk(directory.split(TILE, 0, 0, 7, [0, 1, 2, 3]), 'not the owner');
  t.equal(directory.anyService, 1);
  t.notOk(directory.merge(TILE, 0, 0, 0), 'not split');
  t.equal(directory.serviceOf(TILE), HALF);
  t.ok(directory.release(TILE, 0));
  t.equal(directory.anyService, 0);
  t.ok(directory.place(TILE, 1));
  t.equal(directory.serviceOf(TILE), 0);
  t.end();
});
