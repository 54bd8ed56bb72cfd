/** Lateness of frames: one frame of several messages counts once, what comes on time is not late, what comes late is. */
import t from 'tap';
import { LATENESS_BINS, Lateness, latenessAt } from '../../bench/fanout/lateness.js';

t.test('messages of one frame are one frame, and only what is beyond the period is late', async (t) => {
  const bins = new Array<number>(LATENESS_BINS).fill(0);
  const lateness = new Lateness(100, bins);
  for (const now of [0, 1, 3, 100, 101, 230, 231, 330, 1e6]) lateness.heard(now);
  t.equal(bins[0], 2, 'at 100 and at 330');
  t.equal(bins[30], 1, 'at 230');
  t.equal(bins[LATENESS_BINS - 1], 1, 'beyond all bins');
  t.equal(
    bins.reduce((sum, n) => sum + n, 0),
    4,
  );
});

t.test('a share of the frames', async (t) => {
  const bins = new Array<number>(LATENESS_BINS).fill(0);
  t.ok(Number.isNaN(latenessAt(bins, 0.99)), 'of none');
  bins[0] = 98;
  bins[7] = 1;
  bins[40] = 1;
  t.equal(latenessAt(bins, 0.98), 0);
  t.equal(latenessAt(bins, 0.99), 7);
  t.equal(latenessAt(bins, 1), 40);
});
