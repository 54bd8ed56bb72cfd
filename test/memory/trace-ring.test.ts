/** The ring of traces: order, overwriting counted, the wrap of its counter, an entry that is being overwritten. */
import t from 'tap';
import { TRACE_WORDS, TraceReader, TraceRing } from '../../src/memory/trace-ring.js';
import { TransitStamps } from '../../src/memory/transit-stamps.js';

function write(ring: TraceRing, value: number): void {
  const at = ring.begin();
  ring.values[at] = value;
  ring.values[at + TRACE_WORDS - 1] = value;
  ring.commit();
}

function readAll(reader: TraceReader): number[] {
  const seen: number[] = [];
  reader.read((entry) => {
    if (entry[0] !== entry[TRACE_WORDS - 1]) throw new Error('a torn entry');
    seen.push(entry[0]);
  });
  return seen;
}

t.test('what was written is read once, in order, up to the last place', async (t) => {
  for (const start of [0, 2 ** 31 - 3, -2]) {
    const ring = TraceRing.create(8, start);
    const reader = new TraceReader(TraceRing.from(ring.sab));
    t.same(readAll(reader), []);
    for (let i = 1; i <= 7; i++) write(ring, i);
    t.same(readAll(reader), [1, 2, 3, 4, 5, 6, 7], `places − 1 entries from ${start}`);
    t.equal(reader.lost, 0);
    write(ring, 8);
    t.same(readAll(reader), [8]);
    t.same(readAll(reader), []);
  }
});

t.test('a slow reader is told how many it has missed', async (t) => {
  for (const start of [0, 2 ** 31 - 3]) {
    const ring = TraceRing.create(8, start);
    const reader = new TraceReader(ring);
    for (let i = 1; i <= 20; i++) write(ring, i);
    const seen = readAll(reader);
    t.same(seen, [14, 15, 16, 17, 18, 19, 20], 'the place being written next is not trusted');
    t.equal(reader.lost, 13);
    t.equal(seen.length + reader.lost, 20);
  }
});

t.test('an entry that is overwritten while it is copied is not shown', async (t) => {
  const ring = TraceRing.create(8);
  for (let i = 0; i < 3; i++) write(ring, i);
  const entry = new Float64Array(TRACE_WORDS);
  t.equal(ring.copy(0, entry), true);
  for (let i = 3; i < 8; i++) write(ring, i);
  t.equal(ring.copy(0, entry), false, 'the writer may be on it');
  t.equal(ring.copy(1, entry), true);
});

t.test('an entry begins empty, and a half-written one is never seen', async (t) => {
  const ring = TraceRing.create(8);
  const reader = new TraceReader(ring);
  for (let i = 0; i < 8; i++) write(ring, 99);
  readAll(reader);
  const at = ring.begin();
  t.equal(ring.values[at + 5], 0);
  ring.values[at] = 1;
  t.same(readAll(reader), []);
});

t.test('stamps stand by slot', async (t) => {
  const stamps = TransitStamps.create(4);
  stamps.decided(3, 2, 10);
  stamps.locked(3, 11);
  stamps.pushed(3, 12);
  const other = TransitStamps.from(stamps.sab);
  t.same([other.decidedAt(3), other.lockedAt(3), other.pushedAt(3), other.from(3)], [10, 11, 12, 2]);
  t.equal(other.decidedAt(2), 0);
});
