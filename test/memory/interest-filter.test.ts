/** The interest filter against a set: it tells exactly what is watched, whatever came and went before. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { InterestFilter, PART_WORDS, hasParts, wholeOf } from '../../src/memory/interest-filter.js';

const PARTS = 680;
/** Cells of 35 bits, and some that share what stands in a tag. */
const cell = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 35 - 1 }),
  fc.tuple(fc.nat(3), fc.nat(15)).map(([low, top]) => top * 2 ** 31 + (low === 3 ? 2 ** 31 - 1 : low)),
);
const part = fc.oneof(fc.nat(7), fc.integer({ min: 8, max: PARTS - 1 }));

/** What the filter tells of a cell, in the way of a shard. */
function partsOf(filter: InterestFilter, cell: number): number[] {
  const word = filter.wordAt(Float64Array.of(cell), 0);
  const found: number[] = [];
  for (let i = 0; i < 8; i++) if (wholeOf(word) & (1 << i)) found.push(i);
  for (let n = 0; hasParts(word) && n < PART_WORDS; n++)
    for (let i = 0; i < 32; i++) if (filter.partsAt(word, n) & (1 << i)) found.push(8 + 32 * n + i);
  return found;
}

/** Lets a filter and a set go through the same steps. @param told of each cell that is touched, after each step */
function compare(
  cells: number,
  lines: number | undefined,
  told: (filter: InterestFilter, cell: number, parts: number[]) => void,
): void {
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, part, fc.nat(99)), { maxLength: 60 }), (steps) => {
      const filter = InterestFilter.create(cells, lines);
      const watched = new Map<string, [number, number]>();
      const of = (cell: number) => [...watched.values()].filter(([c]) => c === cell).map(([, p]) => p);
      for (const [cell, part, pick] of steps) {
        const key = `${cell} ${part}`;
        const old = [...watched.keys()][pick % Math.max(1, watched.size)];
        if (pick % 3 === 0 && old !== undefined) {
          const [goneCell, gonePart] = watched.get(old)!;
          filter.remove(goneCell, gonePart);
          watched.delete(old);
          told(filter, goneCell, of(goneCell));
        } else if (!watched.has(key)) {
          filter.add(cell, part);
          watched.set(key, [cell, part]);
        }
        for (const [c, p] of watched.values()) assert.ok(filter.wants(c, p));
        told(filter, cell, of(cell));
      }
      for (const [c, p] of watched.values()) filter.remove(c, p);
      const words = new Int32Array(filter.sab);
      const left = words.slice(16, words.length - (filter.lines - 1) * PART_WORDS - PART_WORDS);
      for (let i = 0; i < left.length; i++) if (i % 16 !== 8) assert.equal(left[i], 0, 'all is as it was');
    }),
    { numRuns: 300 },
  );
}

t.test('it tells what is watched and nothing else, with full buckets that overflow', (t) => {
  compare(60, undefined, (filter, cell, parts) =>
    assert.deepEqual(
      partsOf(filter, cell),
      [...parts].sort((a, b) => a - b),
    ),
  );
  t.end();
});

t.test('a cell whose parts find no line of their own has all of them, until it has none', (t) => {
  compare(60, 2, (filter, cell, parts) => {
    const found = partsOf(filter, cell);
    for (const part of parts) assert.ok(found.includes(part));
    const whole = (list: number[]) => list.filter((part) => part < 8);
    assert.deepEqual(whole(found), whole(parts).sort());
    if (whole(parts).length === parts.length) assert.deepEqual(found, whole(found));
  });
  t.end();
});

t.test('room: as many cells as it was made for, and a few', (t) => {
  const filter = InterestFilter.create(7);
  for (let cell = 0; cell < 7; cell++) filter.add(cell);
  t.throws(() => filter.add(7), { message: /I7/ });
  filter.remove(3);
  filter.add(7);
  t.ok(filter.wants(7));
  t.notOk(filter.wants(3));
  t.end();
});

t.test('another thread of the same buffer sees the same; wrong buffers and uses are errors', (t) => {
  const filter = InterestFilter.create(10);
  const reader = InterestFilter.from(filter.sab);
  filter.add(5, 300);
  t.ok(reader.wants(5, 300));
  t.notOk(reader.wants(5));
  t.throws(() => filter.add(5, 300), { message: /I7/ });
  t.throws(() => filter.remove(5), { message: /I7/ });
  filter.remove(5, 300);
  t.throws(() => filter.remove(5, 300), { message: /I7/ });
  t.throws(() => InterestFilter.from(new SharedArrayBuffer(64)), { message: /magic/ });
  t.throws(() => InterestFilter.create(10, 8193), { message: /13 bits/ });
  t.end();
});
