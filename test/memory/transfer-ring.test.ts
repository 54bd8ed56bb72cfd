/** The journal of transfers: overwrites its oldest lines, shows only what was committed, and is taken back with a tick. */
import fc from 'fast-check';
import t from 'tap';
import { HOW, type Transfer, TransferRing } from '../../src/memory/transfer-ring.js';

function push(ring: TransferRing, counter: number, tick: number): void {
  ring.push(5000, counter, 5000, 2 ** 52 + 1, 3, 7, tick, HOW.direct, 0, 0xffff);
}

function read(ring: TransferRing, cursor: number, committed: number): { lines: Transfer[]; cursor: number } {
  const lines: Transfer[] = [];
  return {
    cursor: ring.read(cursor, committed, (line) => {
      lines.push({ ...line });
    }),
    lines,
  };
}

t.test('a line is read as it was written, by any thread', async (t) => {
  const ring = TransferRing.create(4);
  push(ring, 2 ** 32 - 1, 9);
  const { lines } = read(TransferRing.from(ring.sab), 0, 9);
  t.strictSame(lines, [
    {
      source: 5000,
      from: 5000,
      to: 2 ** 52 + 1,
      counter: 2 ** 32 - 1,
      tick: 9,
      item: 3,
      count: 7,
      how: HOW.direct,
      fromKind: 0,
      toKind: 0xffff,
    },
  ]);
  t.throws(() => TransferRing.create(3), /masked/);
});

t.test('a tick that is not committed is not read, and is taken back by a replacement', async (t) => {
  const ring = TransferRing.create(8);
  push(ring, 1, 10);
  push(ring, 2, 11);
  push(ring, 3, 11);
  const first = read(ring, 0, 10);
  t.strictSame(
    first.lines.map((l) => l.counter),
    [1],
  );
  ring.rollBack(10);
  push(ring, 4, 11);
  t.strictSame(
    read(ring, first.cursor, 11).lines.map((l) => l.counter),
    [4],
  );
});

t.test(
  'any pushes, reads and deaths, also over the wrap of the numbers: no line twice, none but committed ones',
  async (t) => {
    let lines = 0;
    const step = fc.oneof(
      fc.constant('push' as const),
      fc.constant('commit' as const),
      fc.constant('die' as const),
      fc.constant('read' as const),
    );
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 20, maxLength: 80 }),
        fc.constantFrom(0, 2 ** 31 - 5, -3),
        (steps, start) => {
          const ring = TransferRing.create(8, start | 0);
          let [tick, counter, cursor] = [1, 0, ring.written];
          let open: number[] = [];
          let top = 0;
          const places = new Map<number, number>();
          const committed: number[] = [];
          const seen: number[] = [];
          const look = () => {
            const got = read(ring, cursor, tick - 1);
            cursor = got.cursor;
            for (const line of got.lines) seen.push(line.counter);
          };
          for (const s of steps) {
            if (s === 'push' && open.length < 7) {
              places.set(++counter, ring.written);
              push(ring, counter, tick);
              top = Math.max(top, (ring.written - (start | 0)) | 0);
              open.push(counter);
            } else if (s === 'commit') {
              committed.push(...open);
              open = [];
              tick++;
            } else if (s === 'die') {
              ring.rollBack(tick - 1);
              open = [];
            } else if (s === 'read') look();
          }
          look();
          // In order, each once, all of them committed; the newest are there, overwritten ones may be missing.
          lines += seen.length;
          const isSubsequence = seen.every((n, i) => committed.includes(n) && (i === 0 || n > seen[i - 1]!));
          const kept = committed.filter((n) => top - ((places.get(n)! - (start | 0)) | 0) < 8);
          return isSubsequence && kept.every((n) => seen.includes(n));
        },
      ),
      { numRuns: 500 },
    );
    t.ok(lines > 500, `${lines} lines read`);
  },
);
