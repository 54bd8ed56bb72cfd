/** The planner held to its promises under any load, and mutants of it that the same properties must catch. */
import t from 'tap';
import { plan } from '../../src/control/planner/plan.js';
import { done } from '../../src/control/planner/observe.js';
import type { PlannerLimits } from '../../src/control/planner/types.js';
import { PROPERTIES } from './planner-properties.js';
import { PLANNER, type Planner } from './planner-world.js';

const RUNS = 40;

for (const [name, property] of Object.entries(PROPERTIES)) {
  t.test(name, async (t) => {
    t.equal(property(PLANNER)(RUNS), undefined);
  });
}

const withLimits = (change: Partial<PlannerLimits>): Planner => ({
  done,
  plan: (state, sample, limits) => plan(state, sample, { ...limits, ...change }),
});

/** Each breaks one rule: by which property it is seen, and what that says. */
const MUTANTS: Record<string, { planner: Planner; seenBy: string; as: RegExp }> = {
  'has no hysteresis': { planner: withLimits({ mergeLoadShare: 0.8 }), seenBy: 'steady load', as: /flaps/ },
  'forgets the dwell': { planner: withLimits({ dwellS: 1e-9 }), seenBy: 'legal', as: /twice within a dwell/ },
  'splits the deepest level': {
    planner: {
      done,
      plan: (state, sample, limits) => {
        const tiles = sample.tiles.map((leaf) => {
          const squares = Array.from(leaf.squares).flatMap((n) => [n / 4, n / 4, n / 4, n / 4]);
          return { ...leaf, squares: leaf.tile.z > limits.deepestTileLevel ? [leaf.players] : squares };
        });
        return plan(
          state,
          { ...sample, tiles },
          { ...limits, deepestTileLevel: limits.deepestTileLevel + 1 },
        );
      },
    },
    seenBy: 'legal',
    as: /deepest level/,
  },
  'ignores what is pending': {
    planner: {
      done,
      plan: (state, sample, limits) => {
        const made = plan({ ...state, pending: [] }, sample, limits);
        return { ...made, state: { ...made.state, pending: [...state.pending, ...made.state.pending] } };
      },
    },
    seenBy: 'legal',
    as: /another reshape holds/,
  },
  'loses a child': {
    planner: {
      done,
      plan: (state, sample, limits) => {
        const made = plan(state, sample, limits);
        const decisions = made.decisions.map((d) =>
          d.kind === 'split' ? { ...d, children: d.children.slice(1) } : d,
        );
        return { ...made, decisions };
      },
    },
    seenBy: 'legal',
    as: /do not cover/,
  },
  'sends tiles to shards that do not run': {
    planner: {
      done,
      plan: (state, sample, limits) => {
        const shards = sample.shards.map((shard) => ({ ...shard, alive: true, canStart: false }));
        return plan(state, { ...sample, shards }, limits);
      },
    },
    seenBy: 'legal',
    as: /does not run|in use was ended/,
  },
  'believes that a full machine has room': {
    planner: { done, plan: (state, sample, limits) => plan(state, { ...sample, waiting: 0 }, limits) },
    seenBy: 'full machine',
    as: /Got error: .*(has reached load|moves|starts)/,
  },
  'takes what others take for its own': {
    planner: { done, plan: (state, sample, limits) => plan(state, { ...sample, ownShare: 1 }, limits) },
    seenBy: 'noisy neighbours',
    as: /degraded: /,
  },
  'takes its own load for that of others': {
    planner: { done, plan: (state, sample, limits) => plan(state, { ...sample, ownShare: 0 }, limits) },
    seenBy: 'its own load fills',
    as: /no relief/,
  },
  'never comes back to the parent': {
    planner: withLimits({ mergeLoadShare: 0 }),
    seenBy: 'merges back',
    as: /still split/,
  },
  'never ends a thread': {
    planner: withLimits({ packLoadShare: 0 }),
    seenBy: 'merges back',
    as: /threads still run/,
  },
  'takes too long to believe a load': {
    planner: withLimits({ loadSmoothingS: 10 }),
    seenBy: 'arrivals',
    as: /not split at/,
  },
  'divides one level at a time': {
    planner: withLimits({ splitLevelsAtOnce: 1 }),
    seenBy: 'arrivals',
    as: /two levels at/,
  },
  'decides by the order of the sample': {
    planner: {
      done,
      plan: (state, sample, limits) => {
        const shards =
          sample.tiles[0].tile.x & 1 ? sample.shards : sample.shards.map((s) => ({ ...s, busy: 0.9 }));
        const made = plan(state, { ...sample, shards }, limits);
        const tag = sample.tiles[0].players;
        return { ...made, decisions: made.decisions.map((d) => ({ ...d, numbers: { ...d.numbers, tag } })) };
      },
    },
    seenBy: 'same inputs',
    as: /other decisions/,
  },
};

for (const [name, { planner, seenBy, as }] of Object.entries(MUTANTS)) {
  t.test(`caught: a planner that ${name}`, async (t) => {
    const property = Object.entries(PROPERTIES).find(([title]) => title.includes(seenBy))![1];
    t.match(property(planner)(200, true), as);
  });
}
