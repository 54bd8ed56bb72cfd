/** The planner's rules one by one, each by the smallest world that shows it. */
import t from 'tap';
import { childrenOf, formatTile, parseTile, type TileAddress } from '../../src/geo/address.js';
import { Directory } from '../../src/memory/directory.js';
import { done, initialState } from '../../src/control/planner/observe.js';
import { admissionWaits, ask, plan, titleOf } from '../../src/control/planner/plan.js';
import {
  type Decision,
  type PlannerLimits,
  plannerLimits,
  type PlannerState,
  type Sample,
  type ShardSample,
  type TileSample,
} from '../../src/control/planner/types.js';

const LIMITS = plannerLimits({ capacityPlayers: 500 });
const HOME = '11/100/100';

function leaf(name: string, shard: number, players: number, more: Partial<TileSample> = {}): TileSample {
  const tile = parseTile(name)!;
  const squares = new Array<number>(4 ** (LIMITS.deepestTileLevel - tile.z)).fill(0);
  return {
    tile,
    shard,
    players,
    entities: players,
    busy: 0,
    squares: squares.map(() => players / squares.length),
    ...more,
  };
}

const shard = (more: Partial<ShardSample> = {}): ShardSample => ({
  alive: true,
  canStart: false,
  busy: 0,
  waiting: 0,
  players: 0,
  tiles: 1,
  ...more,
});
const STOPPED = shard({ alive: false, canStart: true, tiles: 0 });

/** A planner with its state; each `see` is a sample a quarter of a second later. */
class Bench {
  state: PlannerState = initialState();
  timeS = 0;
  all: Decision[] = [];
  constructor(readonly limits: PlannerLimits = LIMITS) {}

  /** Of what the machine gives away. */
  ownShare = 1;
  sample(tiles: TileSample[], shards: ShardSample[], waiting = 0): Sample {
    return { timeS: this.timeS, tiles, shards, waiting, ownShare: this.ownShare };
  }
  see(tiles: TileSample[], shards: ShardSample[], seconds = 0, waiting = 0): Decision[] {
    const made: Decision[] = [];
    const endS = this.timeS + seconds;
    do {
      this.timeS += 0.25;
      const result = plan(this.state, this.sample(tiles, shards, waiting), this.limits);
      this.state = result.state;
      made.push(...result.decisions);
    } while (this.timeS < endS);
    this.all.push(...made);
    return made;
  }
  done(tile: TileAddress, outcome: 'done' | 'failed' = 'done'): void {
    this.state = done(this.state, tile, this.timeS, outcome);
  }
}

const only = <Kind extends Decision['kind']>(decisions: readonly Decision[], kind: Kind) =>
  decisions.filter((d): d is Extract<Decision, { kind: Kind }> => d.kind === kind);
const FOUR = [shard(), shard(), shard(), shard()];

t.test('a tile at 80 % is split, its children on four shards, with the figures that caused it', async (t) => {
  const bench = new Bench();
  t.same(bench.see([leaf(HOME, 2, 399)], FOUR, 20), [], 'below');
  const [split] = only(bench.see([leaf(HOME, 2, 401)], FOUR, 20), 'split');
  t.equal(titleOf(split), `split ${HOME}`);
  t.same(
    split.children.map((c) => formatTile(c.tile)),
    childrenOf(parseTile(HOME)!).map(formatTile),
  );
  t.same(split.children.map((c) => c.shard).sort(), [0, 1, 2, 3]);
  t.match(split.numbers, { threshold: 0.8, players: 401, capacity: 500, children: 4 });
  t.match(split.reason, /^11\/100\/100 has reached load 0\.80 of 0\.8: 12\/200\/200 to shard \d, .*\.$/);
  t.equal(only(bench.all, 'split').length, 1, 'once while it is pending');
});

t.test('the steps of a split of two levels make the directory that was promised', async (t) => {
  const limits = plannerLimits({ capacityPlayers: 100, baseTileLevel: 1, deepestTileLevel: 3 });
  const bench = new Bench(limits);
  const squares = Array.from({ length: 16 }, (_, i) => (i === 6 ? 85 : 1));
  const tile = { z: 1, x: 2, y: 1 };
  const [split] = only(
    bench.see([{ tile, shard: 1, players: 100, entities: 100, busy: 0, squares }], FOUR),
    'split',
  );
  t.equal(split.children.length, 7);
  const directory = Directory.create(1, 3, 8);
  const base = tile.y * directory.columns + tile.x;
  directory.place(base, 1);
  for (const step of split.steps) {
    const depth = step.tile.z - 1;
    const path = depth === 0 ? 0 : ((step.tile.x & 1) | ((step.tile.y & 1) << 1)) << 2;
    t.ok(directory.split(base, path, depth, step.from, step.owners), formatTile(step.tile));
  }
  for (let path = 0; path < 16; path++) {
    const at = {
      z: 3,
      x: tile.x * 4 + (path & 1) + ((path >> 2) & 1) * 2,
      y: tile.y * 4 + ((path >> 1) & 1) + (path >> 3) * 2,
    };
    const child = split.children.find(
      (c) => c.tile.x === at.x >> (3 - c.tile.z) && c.tile.y === at.y >> (3 - c.tile.z),
    );
    t.equal(directory.lookup(base, path), child!.shard, formatTile(at));
  }
});

t.test('1 200 players at 50 a second into a tile for 500: the first split before 500', async (t) => {
  const bench = new Bench();
  const shards = [shard(), STOPPED, STOPPED, STOPPED];
  let players = 0;
  while (only(bench.all, 'split').length === 0 && players < 1200) {
    players += 12.5;
    const seen = shards.map((s, i) =>
      i > 0 && bench.all.some((d) => titleOf(d) === `start shard ${i}`) ? shard() : s,
    );
    bench.see([leaf(HOME, 0, players)], seen);
  }
  t.ok(players < 500, `split at ${players}`);
  t.equal(only(bench.all, 'start').length, 3, 'the threads came first');
  t.same(new Set(only(bench.all, 'split')[0].children.map((c) => c.shard)).size, 4);
});

t.test(
  'a crowd on one spot of the deepest level degrades, in order, and back in reverse order',
  async (t) => {
    const bench = new Bench();
    const at = (busy: number, players = 1200) => [leaf('13/400/400', 0, players, { busy })];
    const served = (decisions: Decision[]) =>
      only(decisions, 'degrade').map((d) => [d.degrade.farRate, d.degrade.nearRate, d.degrade.dilation]);
    t.same(
      served(bench.see(at(0.3), FOUR, 30)),
      [
        [0.5, 1, 1],
        [0.25, 1, 1],
        [0.25, 0.5, 1],
      ],
      'players: rates only',
    );
    t.same(
      served(bench.see(at(20), FOUR, 30)),
      [0.8, 0.6, 0.45, 0.3, 0.2, 0.1].map((f) => [0.25, 0.5, f]),
    );
    t.same(bench.see(at(20), FOUR, 60), [], 'no loop');
    const back = served(bench.see(at(0, 0), FOUR, 60));
    t.same(
      back,
      [[0.2], [0.3], [0.45], [0.6], [0.8], [1]]
        .map(([f]) => [0.25, 0.5, f])
        .concat([
          [0.25, 1, 1],
          [0.5, 1, 1],
          [1, 1, 1],
        ]),
    );
    t.same(only(bench.all, 'split'), []);
  },
);

t.test(
  'a shard that needs more than its tick budget slows its heavy tiles, though none is hot',
  async (t) => {
    const bench = new Bench();
    const names = childrenOf(parseTile(HOME)!).map(formatTile);
    const tiles = names.map((name, q) => leaf(name, 0, 10, { busy: q === 3 ? 0.05 : 0.4 }));
    bench.see(tiles, [shard({ busy: 1.25 })], 5);
    const slowed = new Set(only(bench.all, 'degrade').map((d) => formatTile(d.tile)));
    t.same([...slowed].sort(), names.slice(0, 3).sort());
    t.same(only(bench.all, 'split'), [], 'nothing to split');
  },
);

t.test('an emergency goes on downwards at once, and back only after the dwell', async (t) => {
  const bench = new Bench();
  const [split] = only(bench.see([leaf(HOME, 0, 450)], FOUR), 'split');
  bench.done(split.tile);
  const children = (players: number) => split.children.map((c) => leaf(formatTile(c.tile), c.shard, players));
  t.same(only(bench.see(children(450), FOUR, 10), 'split'), [], 'a proactive one waits');
  const deeper = only(bench.see(children(510), FOUR), 'split');
  t.equal(deeper.length, 4);
  for (const d of deeper) bench.done(d.tile);
  const deepest = deeper.flatMap((d) => d.children.map((c) => leaf(formatTile(c.tile), c.shard, 0)));
  t.same(only(bench.see(deepest, FOUR, 19.5), 'merge'), []);
  t.equal(only(bench.see(deepest, FOUR, 1), 'merge').length, 4);
});

t.test('dilation does not hide the load: a slowed tile is still split', async (t) => {
  const bench = new Bench();
  const slow = [leaf(HOME, 0, 10, { busy: 3 })];
  bench.see(slow, [shard({ busy: 1 })], 1);
  const [split] = only(bench.all, 'split');
  bench.done(split.tile, 'failed');
  const before = bench.all.length;
  bench.see(slow, [shard({ busy: 0.9 })], 19);
  const then = bench.all.slice(before);
  t.ok(only(then, 'degrade').at(-1)!.degrade.dilation <= 0.3);
  t.same(only(then, 'split'), [], 'a failed split rests as well');
  t.equal(only(bench.see(slow, [shard({ busy: 0.9 })], 2), 'split').length, 1);
});

t.test('a full machine: from waiting above 20 % until below 10 %; players still split', async (t) => {
  const bench = new Bench();
  const waits = (waiting: number) => [shard({ busy: 0.9, waiting }), shard({ waiting })];
  const tiles = [leaf(HOME, 0, 10, { busy: 0.9 })];
  t.same(
    bench.see([leaf(HOME, 0, 10)], [shard({ busy: 0.05, waiting: 0.9 })], 30),
    [],
    'not with our own work',
  );
  t.same(bench.see([leaf(HOME, 0, 10)], waits(0.19), 30), []);
  const on = bench.see([leaf(HOME, 0, 10)], waits(0.5), 2);
  t.same(on.map(titleOf).slice(0, 1), ['saturated']);
  const full = bench.see(tiles, waits(0.25), 10);
  t.ok(only(full, 'degrade').length > 0 && only(full, 'split').length === 0);
  t.ok(bench.state.saturated);
  t.equal(only(bench.see([leaf(HOME, 0, 450)], waits(0.25), 10), 'split').length, 1, 'for players');
  t.equal(only(bench.see(tiles, waits(0.09), 30), 'saturated').length, 1);
  t.notOk(bench.state.saturated);
});

t.test(
  'the main thread waits for a core, no shard does: told once either way, with its own number',
  async (t) => {
    const bench = new Bench();
    const see = (seconds: number, waiting: number) =>
      bench.see([leaf(HOME, 0, 10)], [shard(), shard()], seconds, waiting);
    const told = see(2, 0.3);
    t.equal(titleOf(told[0]!), 'saturated');
    t.match(told[0]?.reason, /waits for a core 30 %/);
    t.same(only(see(10, 0.15), 'saturated'), [], 'above half of the bound');
    t.match(only(see(1, 0.04), 'saturated')[0]?.reason, /more than 4 %/);
  },
);

t.test('shards that are full of other tiles merge what they carry nearly all of already', async (t) => {
  const names = childrenOf(parseTile(HOME)!).map(formatTile);
  /** Both shards are equally full with the players of two other tiles each, so nothing is moved. */
  const merges = (players: number[], owners: number[], others: number[]) => {
    const bench = new Bench();
    const siblings = names.map((name, q) => leaf(name, owners[q], players[q]));
    const elsewhere = [0, 1, 2, 3].map((n) => leaf(`11/${300 + 10 * n}/100`, n >> 1, others[n >> 1] / 2));
    const made = bench.see([...siblings, ...elsewhere], [shard(), shard()], 30);
    return only(made, 'merge').map((m) => m.shard);
  };
  t.same(merges([60, 60, 0, 0], [0, 0, 0, 1], [300, 420]), [0], 'all of them are on it');
  t.same(merges([60, 60, 3, 0], [0, 0, 1, 1], [300, 420]), [0], 'what it lacks is next to nothing');
  t.same(merges([60, 0, 60, 0], [0, 0, 1, 1], [360, 360]), [], 'half a load would make one fuller');
});

t.test(
  'siblings merge to the shard with most entities, after the dwell; a merged tile rests as well',
  async (t) => {
    const bench = new Bench();
    const names = childrenOf(parseTile(HOME)!).map(formatTile);
    const siblings = (players: number[]) =>
      names.map((name, q) => leaf(name, q, players[q], { entities: q === 2 ? 90 : 5 }));
    t.same(bench.see(siblings([60, 60, 60, 25]), FOUR, 10), [], '0.41 together');
    const [merge] = only(bench.see(siblings([60, 60, 60, 15]), FOUR, 10), 'merge');
    t.match(merge, { shard: 2, numbers: { threshold: 0.4, entities: 105 } });
    t.equal(formatTile(merge.tile), HOME);
    bench.done(merge.tile);
    const busy = [leaf(HOME, 2, 600)];
    t.same(only(bench.see(busy, FOUR, 19), 'split'), [], 'not even in an emergency');
    t.equal(only(bench.see(busy, FOUR, 2), 'split').length, 1);
    const three = new Bench();
    t.same(three.see(siblings([0, 0, 0, 0]).slice(1), FOUR, 30), [], 'three are no four');
  },
);

t.test('a hot shard without a hot tile gives one away, once', async (t) => {
  const bench = new Bench();
  const tiles = (where: number[]) =>
    ['11/10/10', '11/20/10', '11/30/10'].map((n, i) => leaf(n, where[i], 160));
  const shards = [shard({ players: 480 }), shard()];
  const [move] = only(bench.see(tiles([0, 0, 0]), shards, 10), 'move');
  t.match(move, { from: 0, shard: 1, numbers: { threshold: 0.8 } });
  bench.done(move.tile);
  const after = [shard({ players: 320 }), shard({ players: 160 })];
  t.same(bench.see(tiles([1, 0, 0]), after, 60), []);
});

t.test('an idle shard is emptied into a cool one and its thread ends; pinned ones stay', async (t) => {
  const tiles = (of: number) => [leaf('11/10/10', 0, 190), leaf('11/90/10', of, 5)];
  for (const pinShards of [false, true]) {
    const bench = new Bench(plannerLimits({ capacityPlayers: 500, pinShards }));
    const shards = [shard({ players: 190 }), shard({ players: 5 })];
    t.same(bench.see(tiles(1), shards, 59), []);
    const moved = bench.see(tiles(1), shards, 3);
    t.same(moved.map(titleOf), pinShards ? [] : ['move 11/90/10']);
    if (pinShards) continue;
    bench.done(parseTile('11/90/10')!);
    t.same(bench.see(tiles(0), [shard({ players: 195 }), shard({ tiles: 0 })], 3).map(titleOf), [
      'stop shard 1',
    ]);
  }
  const full = new Bench();
  const shards = [shard({ players: 199 }), shard({ players: 5 })];
  t.same(full.see([leaf('11/10/10', 0, 199), leaf('11/90/10', 1, 5)], shards, 90), [], 'never above 0.4');
});

t.test(
  'a thread that does not start is asked for once a dwell, and holds up no split for long',
  async (t) => {
    const bench = new Bench();
    bench.see([leaf(HOME, 0, 420)], [shard(), STOPPED], 45);
    t.equal(only(bench.all, 'start').length, 1, 'then the tile is split where it is');
    t.ok(only(bench.all, 'split')[0].timeS <= 3);
    t.ok(only(bench.all, 'split')[0].children.every((c) => c.shard === 0));
    const hot = new Bench();
    hot.see(
      ['11/10/10', '11/20/10'].map((n) => leaf(n, 0, 250)),
      [shard({ players: 500 }), STOPPED],
      45,
    );
    t.same(only(hot.all, 'start').length, 3, 'a move has nowhere else to go');
  },
);

t.test('what a person asks for: no threshold, but never against what is under way', async (t) => {
  const bench = new Bench();
  bench.see([leaf(HOME, 0, 5)], FOUR);
  const tile = parseTile(HOME)!;
  const sample = bench.sample([leaf(HOME, 0, 5)], [shard(), shard(), STOPPED]);
  const answer = ask(bench.state, sample, LIMITS, { kind: 'split', tile });
  if (!('decision' in answer)) throw new Error(answer.refused);
  t.equal(titleOf(answer.decision), `split ${HOME}`);
  const refused = (state: PlannerState, request: Parameters<typeof ask>[3]) => {
    const given = ask(state, sample, LIMITS, request);
    return 'refused' in given ? given.refused : given.decision.kind;
  };
  t.equal(refused(answer.state, { kind: 'merge', tile }), 'RESHAPE_IN_PROGRESS');
  t.equal(refused(answer.state, { kind: 'split', tile: parseTile('12/200/200')! }), 'RESHAPE_IN_PROGRESS');
  t.equal(refused(bench.state, { kind: 'merge', tile }), 'NOT_SPLIT_ONCE');
  t.equal(refused(bench.state, { kind: 'split', tile: parseTile('12/200/200')! }), 'NOT_A_LEAF');
  t.equal(refused(bench.state, { kind: 'move', tile, shard: 0 }), 'ALREADY_THERE');
  t.equal(refused(bench.state, { kind: 'move', tile, shard: 2 }), 'SHARD_NOT_ALIVE');
  t.equal(refused(bench.state, { kind: 'move', tile, shard: 9 }), 'SHARD_NOT_ALIVE');
  t.equal(refused(bench.state, { kind: 'move', tile, shard: 1 }), 'move');
  const deep = { ...sample, tiles: [leaf('13/400/400', 0, 5)] };
  t.same(ask(bench.state, deep, LIMITS, { kind: 'split', tile: deep.tiles[0].tile }), {
    refused: 'DEEPEST_LEVEL',
  });
});

t.test('players wait for admission while the split of a tile over its capacity runs', async (t) => {
  const bench = new Bench();
  const tile = parseTile(HOME)!;
  bench.see([leaf(HOME, 0, 700)], FOUR);
  t.ok(admissionWaits(bench.state, tile, LIMITS));
  t.notOk(admissionWaits(bench.state, parseTile('11/101/100')!, LIMITS));
  bench.done(tile);
  t.notOk(admissionWaits(bench.state, tile, LIMITS));
});

t.test('a tile whose shard is dead is left to recovery', async (t) => {
  const bench = new Bench();
  const dead = shard({ alive: false });
  t.same(only(bench.see([leaf(HOME, 0, 600)], [dead, shard()], 5), 'split'), []);
  const names = childrenOf(parseTile(HOME)!).map(formatTile);
  t.same(
    bench.see(
      names.map((n, q) => leaf(n, q & 1, 0)),
      [dead, shard()],
      30,
    ),
    [],
  );
});

t.test('a sample that is none is refused', async (t) => {
  const bench = new Bench();
  bench.see([], FOUR, 1);
  t.throws(
    () => plan(bench.state, { timeS: 0, tiles: [], shards: FOUR, waiting: 0, ownShare: 1 }, LIMITS),
    /never goes back/,
  );
  t.throws(() => bench.see([leaf(HOME, 0, 1), leaf('13/400/400', 0, 1)], FOUR), /I9/);
  t.throws(() => bench.see([leaf(HOME, 0, 1), leaf(HOME, 0, 1)], FOUR), /I9/);
  t.throws(() => bench.see([leaf(HOME, 0, 1, { busy: Number.NaN })], FOUR), /finite/);
  t.throws(() => bench.see([leaf(HOME, 0, 1, { squares: [1] })], FOUR), /squares/);
});
