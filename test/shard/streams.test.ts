/** The table of streams against a map: found by key, dense, whatever came and went. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { streamKey } from '../../src/geo/square.js';
import { Streams } from '../../src/shard/streams.js';

t.test('behaves as a map; its places have no holes; a full table says so', (t) => {
  const key = fc
    .tuple(fc.nat(30), fc.nat(1), fc.nat(4))
    .map(([cell, square, rate]) => streamKey(cell * 2 ** 17, square, rate));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), key), { maxLength: 200 }), (steps) => {
      const streams = new Streams(32);
      const map = new Map<number, number>();
      let tick = 0;
      for (const [isNew, key] of steps) {
        const place = streams.findAt(Float64Array.of(key), 0);
        assert.equal(place >= 0, map.has(key));
        if (isNew && place < 0) {
          const made = streams.create(key);
          assert.equal(made < 0, map.size === 16);
          if (made < 0) continue;
          assert.equal(streams.lastTick[made], 0, 'nothing of who had the place before');
          assert.equal(streams.removals[made], -1);
          streams.lastTick[made] = ++tick;
          streams.removals[made] = tick;
          map.set(key, tick);
        } else if (!isNew && place >= 0) {
          streams.remove(place);
          map.delete(key);
        }
        assert.equal(streams.count, map.size);
        for (const [key, tick] of map) {
          const at = streams.findAt(Float64Array.of(key), 0);
          assert.ok(at >= 0 && at < streams.count);
          assert.equal(streams.key[at], key);
          assert.equal(streams.lastTick[at], tick);
          assert.equal(streams.removals[at], tick);
          assert.equal(streamKey(streams.cell[at]!, streams.square[at]!, streams.rate[at]!), key);
        }
      }
    }),
    { numRuns: 300 },
  );
  t.end();
});
