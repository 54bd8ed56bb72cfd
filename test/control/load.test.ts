/** Load out of shared memory: leaves, squares, who carries what share of a thread's time; and the table behind it. */
import t from 'tap';
import { LoadSampler } from '../../src/control/load.js';
import { ThreadCpu } from '../../src/control/thread-cpu.js';
import { tileColumns } from '../../src/geo/tile.js';
import { LoadTable } from '../../src/memory/load-table.js';
import { packService } from '../../src/memory/service.js';
import { SHARD_GAUGE, SHARD_STATE } from '../../src/memory/shard-block.js';
import { createSharedWorld } from '../../src/memory/shared-world.js';
import { FakeTime } from './fakes.js';

const BASE_COLUMNS = tileColumns(11);
const COLUMNS = tileColumns(13);

/** Square of the deepest level: base tile (column, row), and column and row in it, 0…3. */
function square(baseX: number, baseY: number, x: number, y: number): number {
  return (baseY * 4 + y) * COLUMNS + baseX * 4 + x;
}

function setUp() {
  const time = new FakeTime();
  const world = createSharedWorld({ shards: 2, gateways: 1, startMs: time.now(), maxEntities: 64 });
  const cpuMs = new Map([
    [71, 0],
    [72, 0],
  ]);
  const cpu = new ThreadCpu(time, (path) => {
    const ms = cpuMs.get(Number(/task\/(\d+)\//.exec(path)?.[1]));
    return ms === undefined ? null : `${ms * 1e6} 0 1\n`;
  });
  for (const [s, block] of world.shardBlocks.entries()) {
    block.state = SHARD_STATE.RUNNING;
    block.setGauge(SHARD_GAUGE.threadId, 71 + s);
  }
  const load = new LoadSampler({ world, clock: time, cpu, startedMs: time.now(), canStart: (s) => s === 1 });
  /** A quarter of a second in which the threads use so many ms. */
  const pass = (...used: number[]) => {
    load.measure();
    for (const [s, ms] of used.entries()) cpuMs.set(71 + s, cpuMs.get(71 + s)! + ms);
    time.advance(250);
    load.measure();
  };
  return { time, world, load, pass };
}

function fill(table: LoadTable, rows: readonly (readonly [square: number, player: number, n: number])[]) {
  table.begin();
  for (const [at, player, n] of rows) for (let i = 0; i < n; i++) table.add(at, player, player);
  table.publish(5);
}

t.test('the table: what was published last, counted by square; places full', (t) => {
  const table = LoadTable.create(2);
  const rows: number[] = [];
  t.equal(table.read(rows), 0, 'nothing yet');
  fill(table, [
    [7, 1, 2],
    [9, 0, 3],
    [7, 0, 1],
    [11, 1, 1],
  ]);
  t.equal(LoadTable.from(table.sab).read(rows), 5);
  t.same(rows, [7, 2, 3, 2, 9, 0, 3, 0], 'the third square found no place');
  table.begin();
  table.add(5, 1, 0);
  t.equal(table.read(rows), 5);
  t.same(rows.length, 8, 'not yet published');
  table.publish(4);
  t.equal(table.read(rows), 4);
  t.same(rows, [5, 1, 1, 0], 'and nothing of the copy before it');
  t.end();
});

t.test('leaves of split tiles though empty, others with content; squares in Morton order', (t) => {
  const { world, load } = setUp();
  const { directory } = world;
  const [a, b, c] = [10 * BASE_COLUMNS + 20, 10 * BASE_COLUMNS + 21, 10 * BASE_COLUMNS + 22];
  for (const tile of [a, b, c]) directory.place(tile, 0);
  directory.split(a, 0, 0, 0, [0, 1, 1, 0]);
  directory.split(a, 3 << 2, 1, 0, [1, 1, 0, 0]);
  fill(world.loadTables[0], [
    [square(20, 10, 3, 3), 1, 4],
    [square(21, 10, 1, 2), 1, 2],
    [square(30, 10, 0, 0), 1, 9], // a tile that nobody has
  ]);
  fill(world.loadTables[1], [[square(20, 10, 3, 3), 0, 5]]);
  const sample = load.sample();
  t.same(
    sample.tiles.map(({ tile: { z, x, y }, shard, players, entities }) => [
      `${z}/${x}/${y}`,
      shard,
      players,
      entities,
    ]),
    [
      ['12/40/20', 0, 0, 0],
      ['12/41/20', 1, 0, 0],
      ['12/40/21', 1, 0, 0],
      ['13/82/42', 1, 0, 0],
      ['13/83/42', 1, 0, 0],
      ['13/82/43', 0, 0, 0],
      ['13/83/43', 0, 4, 9],
      ['11/21/10', 0, 2, 2],
    ],
  );
  t.same(
    sample.shards.map((shard) => shard.tiles),
    [5, 4],
    'the empty tile counts as well',
  );
  // Column 1, row 2: in the south-western quarter (2), there the north-eastern square (1).
  t.same(Array.from(sample.tiles[7].squares), [0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0]);
  t.equal(sample.tiles[6].squares.length, 1);
  t.equal(load.sample(c).tiles.length, 9, 'an empty tile that is asked for');
  t.end();
});

t.test(
  "a thread's time is divided by what is done for it; dilation is added to what a leaf asks for",
  (t) => {
    const { world, load, pass } = setUp();
    const [a, b] = [10 * BASE_COLUMNS + 20, 10 * BASE_COLUMNS + 21];
    world.directory.place(a, 0);
    world.directory.place(b, 0);
    fill(world.loadTables[0], [
      [square(20, 10, 0, 0), 0, 9],
      [square(21, 10, 0, 0), 0, 1],
    ]);
    pass(100, 0);
    let { tiles, shards } = load.sample();
    t.equal(shards[0].busy, 0.4);
    t.ok(Math.abs(tiles[0].busy - 0.36) < 1e-9 && Math.abs(tiles[1].busy - 0.04) < 1e-9);
    world.directory.setService(a, 0, 0, packService(50, 100, 100));
    pass(55, 0);
    ({ tiles, shards } = load.sample());
    t.ok(Math.abs(shards[0].busy - 0.22) < 1e-9, 'half of the heavy one is left out');
    t.ok(Math.abs(tiles[0].busy - 0.36) < 1e-9, 'which asks for as much as before');
    t.ok(Math.abs(tiles[1].busy - 0.04) < 1e-9);
    t.equal(tiles[0].actionsPerSecond, 0);
    fill(world.loadTables[0], [[square(20, 10, 0, 0), 1, 3]]);
    t.equal(load.sample().tiles[0].actionsPerSecond, 12, 'three in five ticks of 50 ms');
    world.shardBlocks[1].state = SHARD_STATE.NONE;
    t.match(load.sample().shards[1], { alive: false, canStart: true, players: 0 });
    t.end();
  },
);

t.test(
  'a thread that is always busy and does half of its ticks is asked for twice its budget or more',
  (t) => {
    const { time, world, load, pass } = setUp();
    const block = world.shardBlocks[0];
    time.advance(1000); // it is behind already
    for (let quarter = 0; quarter < 8; quarter++) {
      block.startAt(Math.floor((quarter + 1) * 2.5));
      pass(250, 250);
    }
    const [behind] = load.sample().shards;
    t.ok(behind.busy >= 2 && behind.busy <= 2.5, `${behind.busy} of its budget`);
    t.end();
  },
);
