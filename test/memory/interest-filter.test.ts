/** The counting filter: never says no to a watched cell, and forgets what is no longer watched. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { InterestFilter } from '../../src/memory/interest-filter.js';

t.test('every watched cell is wanted; with nobody watching nothing is', (t) => {
  const cell = fc.integer({ min: 0, max: 2 ** 35 - 1 });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, fc.boolean()), { maxLength: 60 }), (steps) => {
      const filter = InterestFilter.create(16); // small: places are shared
      const watched: number[] = [];
      for (const [cell, isAdd] of steps) {
        if (isAdd) {
          filter.add(cell);
          watched.push(cell);
        } else {
          const last = watched.pop();
          if (last !== undefined) filter.remove(last);
        }
        for (const one of watched) assert.ok(filter.wants(one));
      }
      for (const one of watched) filter.remove(one);
      for (const [cell] of steps) assert.ok(!filter.wants(cell));
    }),
    { numRuns: 100 },
  );
  t.end();
});

t.test('at its full size neighbouring cells seldom share a place', (t) => {
  const filter = InterestFilter.create();
  for (let column = 0; column < 100; column++)
    for (let row = 0; row < 100; row++) filter.add(row * 2 ** 18 + column);
  let wrong = 0;
  for (let column = 100; column < 200; column++)
    for (let row = 0; row < 100; row++) {
      if (filter.wants(row * 2 ** 18 + column)) wrong++;
    }
  t.ok(wrong < 800, `${wrong} of 10 000 cells wanted by mistake with 10 000 watched in 262 144 places`);
  t.end();
});

t.test('removing more than was added is an error', (t) => {
  const filter = InterestFilter.from(InterestFilter.create().sab);
  filter.add(5);
  filter.remove(5);
  t.throws(() => filter.remove(5), { message: /I7/ });
  t.throws(() => InterestFilter.from(new SharedArrayBuffer(64)), { message: /magic/ });
  t.throws(() => InterestFilter.create(100), { message: /power of two/ });
  t.end();
});
