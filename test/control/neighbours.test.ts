/** A full machine: whose load is the cause decides whether time slows. */
import t from 'tap';
import { initialState } from '../../src/control/planner/observe.js';
import { plan } from '../../src/control/planner/plan.js';
import { type Decision, plannerLimits } from '../../src/control/planner/types.js';
import { childrenOf, formatTile, parseTile } from '../../src/geo/address.js';

const HOME = '11/2048/1023';
const limits = plannerLimits({ capacityPlayers: 500 });

/** Four tiles with three players each, all on one shard, for 40 s. */
function decide(ownShare: number, busy: number, waiting: number): Decision[] {
  const shard = { alive: true, canStart: false, busy, waiting, players: 12, tiles: 4 };
  const tiles = childrenOf(parseTile(HOME)!).map((tile) => ({
    ...{ tile, shard: 0, players: 3, entities: 3, busy: busy / 4, squares: [1, 1, 1, 0] },
  }));
  let state = initialState();
  const all: Decision[] = [];
  for (let timeS = 0; timeS < 40; timeS += 0.25) {
    const made = plan(state, { timeS, tiles, shards: [shard], waiting: 0, ownShare }, limits);
    state = made.state;
    all.push(...made.decisions);
  }
  return all;
}

t.test('waiting that others cause slows nobody, waiting that its own load causes does', async (t) => {
  // Share of the machine that is this server's, CPU time of the shard, its waiting; whether time slows.
  const rows: [ownShare: number, busy: number, waiting: number, slows: boolean][] = [
    [0.02, 0.11, 0.89, false],
    [0.1, 0.3, 0.7, false],
    [0.3, 0.4, 0.6, false],
    [0.1, 0.85, 0.25, true],
    [0.2, 1.2, 0.5, true],
    [1, 0.3, 0.7, true],
    [0.9, 0.25, 0.75, true],
  ];
  for (const [ownShare, busy, waiting, slows] of rows) {
    const made = decide(ownShare, busy, waiting);
    const said = `own ${ownShare}, busy ${busy}, waiting ${waiting}`;
    t.equal(made.filter(({ kind }) => kind === 'saturated').length, 1, `${said}: the machine is full`);
    const steps = made.flatMap((one) => (one.kind === 'degrade' ? [one.degrade.dilation] : []));
    t.equal(Math.min(1, ...steps) < 1, slows, `${said}: time at ${Math.min(1, ...steps)}`);
    if (!slows) t.same(steps, [], `${said}: served in full`);
  }
});

t.test(
  'a crowd that fills the machine slows its own time, not that of a lonely tile on another shard',
  async (t) => {
    const shards = [0.6, 0.02].map((busy) => ({
      alive: true,
      canStart: false,
      busy,
      waiting: 0.9,
      players: 300,
      tiles: 1,
    }));
    const [crowd, lonely] = [HOME, '11/2060/1023'].map((tile) => parseTile(tile)!);
    const tiles = [
      { tile: crowd, shard: 0, players: 300, entities: 300, busy: 0.6, squares: [300, ...Array(15).fill(0)] },
      {
        tile: lonely,
        shard: 1,
        players: 3,
        entities: 3,
        busy: 0.02,
        squares: [1, 1, 1, ...Array(13).fill(0)],
      },
    ];
    let state = initialState();
    const slowed = new Set<string>();
    for (let timeS = 0; timeS < 40; timeS += 0.25) {
      const made = plan(state, { timeS, tiles, shards, waiting: 0.9, ownShare: 1 }, limits);
      state = made.state;
      for (const one of made.decisions)
        if (one.kind === 'degrade' && one.degrade.dilation < 1) slowed.add(formatTile(one.tile));
    }
    t.same([...slowed], [HOME]);
  },
);
