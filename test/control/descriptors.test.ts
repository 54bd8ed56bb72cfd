/** How many sockets a limit of descriptors leaves room for. */
import t from 'tap';
import { readDescriptors, roomForSockets } from '../../src/control/descriptors.js';

t.test('what is needed otherwise is kept back, of a small limit a quarter', (t) => {
  const rows: readonly [limit: number, open: number, threads: number, room: number][] = [
    [1_000_000, 50, 4, 1_000_000 - 50 - 412],
    [20_000, 50, 64, 20_000 - 50 - 1132],
    [1024, 50, 4, 1024 - 50 - 256],
    [256, 60, 4, 132],
    [64, 60, 4, 16],
    [Number.POSITIVE_INFINITY, 0, 4, Number.POSITIVE_INFINITY],
  ];
  for (const [limit, open, threads, room] of rows)
    t.equal(roomForSockets(limit, open, threads), room, `${limit}`);
  t.end();
});

t.test('this process has a limit, and some open', { skip: process.platform !== 'linux' }, (t) => {
  const { limit, open } = readDescriptors();
  t.ok(open > 2 && open < limit, `${open} of ${limit}`);
  t.end();
});
