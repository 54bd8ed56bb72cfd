/** Regions of the arena, and what it refuses. */
import t from 'tap';
import { Arena } from '../../src/memory/arena.js';
import { COLD_BYTES, HEADER_BYTES, HOT_BYTES } from '../../src/memory/record.js';
import { SpscRing } from '../../src/memory/ring.js';

t.test('no two regions of any slots overlap, and all are cache-line aligned', (t) => {
  const arena = Arena.create(3);
  const used = new Uint8Array(arena.sab.byteLength);
  const mark = (from: number, bytes: number) => {
    t.equal(from % 64, 0);
    for (let i = from; i < from + bytes; i++) used[i]++;
  };
  mark(0, 64);
  mark(arena.owner.byteOffset, arena.owner.byteLength);
  for (let slot = 0; slot < 3; slot++) {
    mark(arena.hotByte(slot), HEADER_BYTES);
    mark(arena.hot(slot), HOT_BYTES);
    mark(arena.hotUndo(slot), HOT_BYTES);
    mark(arena.cold(slot), COLD_BYTES);
    mark(arena.coldUndo(slot), COLD_BYTES);
    t.equal(arena.header(slot), arena.hotByte(slot));
  }
  t.notOk(used.includes(2), 'no byte belongs to two regions');
  t.end();
});

t.test('a second handle sees the same bytes', (t) => {
  const a = Arena.create(5);
  const b = Arena.from(a.sab);
  a.f64[a.hot(4) >> 3] = 1.5;
  t.equal(b.capacity, 5);
  t.equal(b.f64[b.hot(4) >> 3], 1.5);
  t.end();
});

t.test('refuses what is no arena, of another version, or too large', (t) => {
  t.throws(() => Arena.from(SpscRing.create(2, 1).sab), { message: /magic/ });
  t.throws(() => Arena.from(new SharedArrayBuffer(8)), { message: /shorter/ });
  const other = Arena.create(1);
  new Int32Array(other.sab)[1]++;
  t.throws(() => Arena.from(other.sab), { message: /version/ });
  t.throws(() => Arena.create(0));
  t.throws(() => Arena.create(2 ** 20), { message: /Int32/ });
  t.end();
});
