import fc from 'fast-check';
import t from 'tap';
import { hash2, seededRandom } from '../../src/base/random.js';

t.test('one seed gives one sequence, for ever', async (t) => {
  const random = seededRandom(1);
  t.strictSame([random.u32(), random.u32(), random.u32()], [4287205698, 1132118262, 3083075856]);
  t.equal(hash2(1, 2), 4271383548);
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const a = seededRandom(seed);
      const b = seededRandom(seed);
      for (let i = 0; i < 20; i++) if (a.u32() !== b.u32()) return false;
      return true;
    }),
  );
});

t.test('neighbouring seeds have nothing in common', async (t) => {
  const firsts = new Set(Array.from({ length: 10_000 }, (_, seed) => seededRandom(seed).u32()));
  t.ok(firsts.size >= 9_998, `${firsts.size} different first numbers of 10 000 seeds`);
});

t.test('numbers are uniform, in range, and take both ends', async (t) => {
  const random = seededRandom(7);
  const buckets = new Array<number>(16).fill(0);
  for (let i = 0; i < 160_000; i++) buckets[random.int(16)]++;
  for (const [i, n] of buckets.entries()) t.ok(n > 9_500 && n < 10_500, `bucket ${i} holds ${n} of 160 000`);
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, n) => {
      const r = seededRandom(seed);
      const f = r.next();
      const i = r.int(n);
      const u = r.u32();
      return (
        f >= 0 &&
        f < 1 &&
        Number.isInteger(i) &&
        i >= 0 &&
        i < n &&
        Number.isInteger(u) &&
        u >= 0 &&
        u < 2 ** 32
      );
    }),
  );
});

t.test('hash2 changes about half of its bits with any bit of either number', async (t) => {
  for (const side of ['a', 'b'] as const) {
    for (let bit = 0; bit < 32; bit++) {
      let changed = 0;
      for (let i = 0; i < 200; i++) {
        const [a, b] = [Math.imul(i, 0x9e3779b1), Math.imul(i + 1, 0x85ebca77)];
        const other = side === 'a' ? hash2(a ^ (1 << bit), b) : hash2(a, b ^ (1 << bit));
        for (let d = hash2(a, b) ^ other; d !== 0; d &= d - 1) changed++;
      }
      const mean = changed / 200;
      t.ok(mean > 14 && mean < 18, `bit ${bit} of ${side} changes ${mean.toFixed(1)} bits`);
    }
  }
  t.not(hash2(3, 5), hash2(5, 3), 'the order counts');
});
