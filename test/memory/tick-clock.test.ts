/** Ticks and instants agree with one another at every rate, and never by rounding apart. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { TickClock } from '../../src/memory/tick-clock.js';

t.test('the start of tick k lies in tick k, and the instant before it in k − 1', (t) => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e10, noNaN: true }),
      fc.integer({ min: 1, max: 120 }),
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      (start, rate, k) => {
        const clock = TickClock.from(TickClock.create(start, 1000 / rate).sab);
        assert.equal(clock.tickAt(clock.startOf(k)), k);
        assert.equal(clock.tickAt(clock.startOf(k) - 0.01), k - 1);
        assert.equal(clock.ticksPerSecond, rate);
      },
    ),
    { numRuns: 500 },
  );
  t.end();
});

t.test('a rate below one a second counts as one; odd times are refused', (t) => {
  t.equal(TickClock.create(0, 5000).ticksPerSecond, 1);
  for (const tick of [0, -1, Number.NaN, Infinity])
    t.throws(() => TickClock.create(0, tick), { message: /finite/ });
  t.throws(() => TickClock.create(Number.NaN, 50), { message: /finite/ });
  t.throws(() => TickClock.from(new SharedArrayBuffer(128)), { message: /magic/ });
  t.end();
});
