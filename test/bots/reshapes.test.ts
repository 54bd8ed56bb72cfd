/** What the bots make of the decisions and tiles that the admin port tells. */
import t from 'tap';
import { Histogram } from '../../src/bots/histogram.js';
import { type Look, ReshapeMeter, type SeenDecision, SLICE_MS } from '../../src/bots/reshapes.js';

function look(uptimeSeconds: number, decisions: SeenDecision[], tiles: Look['tiles'] = []): Look {
  return { uptimeSeconds, atMs: 5_000 + uptimeSeconds * 1000, decisions, tiles };
}

function decision(timeS: number, kind: string, more: Partial<SeenDecision> = {}): SeenDecision {
  return { timeS, kind, outcome: 'done', ms: 50, numbers: {}, ...more };
}

t.test(
  'counts what was decided during the run, once; peaks by level; merges after the bots have left',
  (t) => {
    const meter = new ReshapeMeter(look(100, []));
    const numbers = { players: 410, capacity: 500 };
    const seen = [
      decision(90, 'split', { tile: '11/0/0' }), // before the run
      decision(110, 'start', { shard: 1 }),
      decision(110, 'start', { shard: 2 }),
      decision(112, 'split', { tile: '11/1/1', numbers }),
      decision(113, 'degrade', { tile: '13/4/4' }),
    ];
    meter.sample(look(115, seen, [{ tile: '11/2/2', players: 430 }]));
    meter.sample(look(116, seen, [{ tile: '13/4/4', players: 900 }]));
    t.notOk(meter.isWhole);
    meter.left();
    const merge = decision(140, 'merge', { tile: '11/1/1', ms: 90 });
    meter.sample(look(141, [...seen, merge, decision(141, 'stop', { shard: 2, outcome: 'failed' })]));
    t.match(meter.figures(), {
      splits: 1,
      merges: 1,
      degrades: 1,
      threadsStarted: 2,
      threadsEnded: 1,
      failed: 1,
      reshapesWithinDwell: 0,
      firstSplitSeconds: 12,
      firstSplitPlayers: 410,
      capacity: 500,
      peakSplittable: 430,
      peakDeepest: 900,
      longestReshapeMs: 90,
      firstMergeAfterLeavingSeconds: 24,
      whole: true,
    });
    meter.sample(look(150, [decision(145, 'split', { tile: '11/1/1' })]));
    t.equal(meter.figures().reshapesWithinDwell, 1, 'five seconds after the merge');
    t.end();
  },
);

t.test('gaps are sorted into those during changes of layout and the others', (t) => {
  const meter = new ReshapeMeter(look(0, []));
  meter.sample(
    look(60, [decision(30, 'split', { tile: '11/1/1' }), decision(40, 'degrade', { tile: '11/1/1' })]),
  );
  const slices = new Map<number, Histogram>();
  const gap = (uptimeS: number, ms: number) => {
    const histogram = new Histogram();
    histogram.record(ms);
    slices.set(Math.floor((5_000 + uptimeS * 1000) / SLICE_MS), histogram);
  };
  gap(29, 100);
  gap(30.5, 300);
  gap(40, 150);
  const { reshape, calm } = meter.gaps(slices);
  t.equal(reshape.max, 300);
  t.equal(calm.max, 150);
  t.end();
});
