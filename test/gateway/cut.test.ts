/** Properties of cuts: each place once, budgets held whatever stands around, the nearest fresh, everybody in time. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { CLASSES, SLOWEST } from '../../src/base/rates.js';
import { CELL_COLUMNS, CELL_ROWS, cellOf, cellsAround } from '../../src/geo/cell.js';
import {
  LEAVES,
  WHOLE,
  cellOfKey,
  firstLeaf,
  leavesOf,
  rateOfKey,
  squareOfKey,
  streamKey,
} from '../../src/geo/square.js';
import {
  EVERYTHING,
  MOST_AT_ONCE,
  type Reach,
  RINGS,
  addToRings,
  chooseReach,
  classOf,
  costOf,
  cutAround,
  inParts,
  isCrowded,
  isWhole,
} from '../../src/gateway/cut.js';
import { Purse } from '../../src/gateway/purse.js';
import { Second } from '../../src/gateway/second.js';

const FRAMES_PER_S = 10;
const LAST = RINGS - 1;
const BUDGET = 55_000;
const runs = { numRuns: 200, seed: 7 };

const reaches = fc
  .array(fc.integer({ min: -1, max: LAST }), { minLength: 4, maxLength: 4 })
  .map((r) => r.sort((a, b) => a - b) as unknown as Reach);
const centres = fc.record({
  column: fc.oneof(fc.constantFrom(0, CELL_COLUMNS - 1), fc.nat(CELL_COLUMNS - 1)),
  row: fc.oneof(fc.constantFrom(0, CELL_ROWS - 1), fc.nat(CELL_ROWS - 1)),
  leaf: fc.nat(LEAVES - 1),
});
/** Entities by ring: anything from a desert to everybody at one place. */
const crowds = fc
  .array(fc.tuple(fc.nat(LAST), fc.integer({ min: 1, max: 4000 })), { maxLength: 20 })
  .map((heaps) => {
    const rings = { bytes: new Float64Array(RINGS), leaves: new Float64Array(RINGS) };
    for (const [ring, movers] of heaps) {
      rings.bytes[ring]! += movers * 18;
      rings.leaves[ring] = Math.max(1, 8 * ring);
    }
    return rings;
  });

t.test('every place in view is in exactly one square, at the class of its ring', (t) => {
  fc.assert(
    fc.property(centres, reaches, ({ column, row, leaf }, reach) => {
      const centre = cellOf(column, row);
      const seen = new Map<number, number>();
      for (const key of cutAround(centre, leaf, reach)) {
        const first = firstLeaf(squareOfKey(key));
        for (let i = first; i < first + leavesOf(squareOfKey(key)); i++) {
          const place = cellOfKey(key) * LEAVES + i;
          assert.ok(!seen.has(place), 'twice');
          seen.set(place, rateOfKey(key));
        }
      }
      const around = new Float64Array(9);
      const cells = cellsAround(centre, 3, around);
      assert.equal(seen.size, cells * LEAVES);
      assert.equal(seen.get(centre * LEAVES + leaf), classOf(reach, 0), 'its own leaf');
      // The rings of a single leaf say the same as the cut.
      for (let i = 0; i < cells; i++) {
        for (const at of [0, 21, 63]) {
          const rings = { bytes: new Float64Array(RINGS), leaves: new Float64Array(RINGS) };
          const bytes = new Float64Array(LEAVES);
          bytes[at] = 1;
          addToRings(rings, centre, leaf, around[i]!, { bytes });
          assert.equal(seen.get(around[i]! * LEAVES + at), classOf(reach, rings.bytes.indexOf(1)));
        }
      }
    }),
    runs,
  );
  t.end();
});

t.test(
  'nearest first: a key never comes before a nearer one; one class nowhere is one cell everywhere',
  (t) => {
    const centre = cellOf(1000, 1000);
    t.equal(cutAround(centre, 0, EVERYTHING).length, 9);
    t.equal(cellOfKey(cutAround(centre, 63, EVERYTHING)[0]!), centre);
    const rates = cutAround(centre, 27, [0, 1, 3, LAST]).map(rateOfKey);
    t.same(rates, rates.toSorted(), 'nearer ones are not slower');
    t.end();
  },
);

t.test('the budget holds for any crowd; everybody comes in two seconds as long as it can be', (t) => {
  fc.assert(
    fc.property(crowds, (rings) => {
      const reach = chooseReach(rings, BUDGET, FRAMES_PER_S);
      const least = costOf(rings, [-1, -1, -1, -1], FRAMES_PER_S);
      assert.ok(costOf(rings, reach, FRAMES_PER_S) <= Math.max(BUDGET, least));
      for (let c = 1; c <= SLOWEST; c++) assert.ok(reach[c]! >= reach[c - 1]!);
      const all = costOf(rings, [-1, -1, -1, LAST], FRAMES_PER_S) <= BUDGET;
      assert.equal(reach[SLOWEST] === LAST, all, 'all at class 3 or better, if that fits');
      assert.equal(isWhole(reach), costOf(rings, EVERYTHING, FRAMES_PER_S) <= BUDGET);
      const fresh = costOf(rings, [-1, 1, 1, LAST], FRAMES_PER_S) <= BUDGET;
      if (fresh)
        assert.ok(reach[1]! >= 1, 'the own leaf and those around it five times a second, if that fits');
    }),
    { ...runs, numRuns: 1000 },
  );
  t.equal(classOf([-1, -1, -1, -1], 0), CLASSES - 1);
  t.end();
});

t.test('a purse lends now and then: a gap is mended also where too much passes', (t) => {
  const purse = new Purse(65_536, 0);
  const given: number[] = [];
  for (let now = 100; now <= 10_000; now += 100) {
    purse.note((now / 1000) * 100_000, now);
    if (purse.borrow(10_000, now)) given.push(now);
  }
  // The first are paid from what it has saved.
  t.same(
    given.filter((at) => at > 1000),
    [2300, 4300, 6300, 8300],
  );
  t.end();
});

t.test('a purse: never more than its share over time, whatever is asked for', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(300), fc.nat(40_000), fc.nat(20_000)), { maxLength: 200 }),
      (asks) => {
        const purse = new Purse(65_536, 0);
        let now = 0;
        let passed = 0;
        let spent = 0;
        for (const [ms, bytes, streamed] of asks) {
          now += ms;
          passed += ms === 0 ? 0 : Math.min(streamed, (ms / 1000) * 60_000);
          purse.note(passed, now);
          if (bytes <= 32_768 && purse.spend(bytes)) spent += bytes;
        }
        assert.ok(spent + passed <= 65_536 * (now / 1000 + 0.5) + 1);
      },
    ),
    runs,
  );
  t.end();
});

t.test('a second: what was noted in it, and at most a tenth of a second more', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(700), fc.nat(1000)), { maxLength: 60 }), (steps) => {
      const second = new Second();
      const noted: { at: number; amount: number }[] = [];
      let now = 1e6;
      for (const [ms, amount] of steps) {
        now += ms;
        second.add(amount, now);
        noted.push({ at: now, amount });
        const since = (from: number) =>
          noted.filter(({ at }) => at > from).reduce((sum, one) => sum + one.amount, 0);
        const sum = second.sum(now);
        assert.ok(sum >= since(now - 1000) && sum <= since(now - 1101), `${sum} at ${now}`);
      }
    }),
    runs,
  );
  t.end();
});

t.test('a square in which many stand comes in parts: the same ground, in the same order', (t) => {
  const cell = cellOf(1000, 1000);
  const entities = new Float64Array(LEAVES);
  entities[0] = 500;
  entities[63] = MOST_AT_ONCE;
  const heap = { total: 500 + MOST_AT_ONCE, entities };
  const parts = inParts([streamKey(cell, WHOLE, 2), streamKey(cell + 1, WHOLE, 3)], (at) =>
    at === cell ? heap : { total: MOST_AT_ONCE, entities },
  );
  t.equal(parts.at(-1), streamKey(cell + 1, WHOLE, 3), 'as many as are told at once: whole');
  const cut = parts.slice(0, -1);
  t.ok(cut.every((key) => cellOfKey(key) === cell && rateOfKey(key) === 2));
  t.equal(
    cut.reduce((leaves, key) => leaves + leavesOf(squareOfKey(key)), 0),
    LEAVES,
  );
  t.equal(leavesOf(squareOfKey(cut[0]!)), 1, 'the heap lies in a leaf');
  t.equal(leavesOf(squareOfKey(cut.at(-1)!)), LEAVES / 4, 'the others stay together');
  const many = { total: 2 * MOST_AT_ONCE, entities };
  t.notOk(isCrowded([cell], () => many));
  t.ok(isCrowded([cell], () => ({ ...many, total: many.total + 1 })));
  t.notOk(
    isCrowded(
      cut.filter((key) => leavesOf(squareOfKey(key)) === 1),
      () => ({ total: 9999, entities: entities.fill(9999) }),
    ),
    'a leaf cannot be cut',
  );
  t.end();
});
