/** What the map sees of published views: players by square, who went over, the entities of a box. */
import t from 'tap';
import { MOST_DOTS, Sight } from '../../src/admin/sight.js';
import { cellNumber } from '../../src/geo/cell.js';
import { tileIndex } from '../../src/geo/tile.js';
import { HALF_WIDTH, wrapX } from '../../src/geo/world.js';
import { FLAG } from '../../src/memory/player.js';
import { SHARD_STATE } from '../../src/memory/shard-block.js';
import { createSharedWorld, type SharedWorld } from '../../src/memory/shared-world.js';
import { FakeTime } from '../control/fakes.js';

interface Row {
  id: number;
  x: number;
  y: number;
  slot: number;
  kind?: number;
  flags?: number;
}

function publish(world: SharedWorld, shard: number, tick: number, rows: readonly Row[]): void {
  const writer = world.viewWriters[shard];
  writer.begin(tick, 1);
  for (const row of rows) writer.addRow(writer.cell(cellNumber(row.x, row.y)));
  writer.place();
  for (const { id, x, y, slot, kind = 0, flags = 0 } of rows)
    writer.row(writer.cell(cellNumber(x, y)), id, x, y, 1, -1, 0, 0, slot, 1, kind, flags);
  writer.publish();
}

function setUp() {
  const world = createSharedWorld({ shards: 2, gateways: 1, startMs: 0, maxEntities: 4096 });
  for (const block of world.shardBlocks) block.state = SHARD_STATE.RUNNING;
  const time = new FakeTime();
  return { world, time, sight: new Sight(world, time) };
}

t.test('players are counted by square, nobody else is', async (t) => {
  const { world, sight } = setUp();
  t.equal(sight.look().density.size, 0, 'nothing published yet');
  publish(world, 0, 1, [
    { id: 1, x: 100, y: 100, slot: 1 },
    { id: 2, x: 300, y: 100, slot: 2 },
    { id: 3, x: 100, y: 100, slot: 3, kind: 1 },
    { id: 4, x: 100, y: 100, slot: 4, flags: FLAG.OFFLINE },
  ]);
  publish(world, 1, 1, [{ id: 5, x: 200, y: 200, slot: 5 }]);
  t.same([...sight.look().density], [[tileIndex(100, 100, 13), 3]], 'of both shards');
  world.shardBlocks[1].state = SHARD_STATE.DEAD;
  t.same([...sight.look().density.values()], [2], 'what a dead shard left behind does not count');
});

t.test('who has another owner than before is a handover, once', async (t) => {
  const { world, sight } = setUp();
  const player = { id: 7, x: 1000, y: 2000, slot: 9 };
  publish(world, 0, 1, [player]);
  publish(world, 1, 1, []);
  t.same(sight.look().handovers, [], 'the first look compares with nothing');
  publish(world, 0, 2, []);
  publish(world, 1, 2, [{ ...player, x: 1010 }]);
  t.same(sight.look().handovers, [1010, 2000, 0, 1]);
  t.same(sight.look().handovers, [], 'told once');
  publish(world, 1, 3, []);
  publish(world, 0, 3, [{ ...player, id: 8 }]);
  t.same(sight.look().handovers, [], 'another entity in the same place of memory');
  sight.forget();
  publish(world, 0, 4, []);
  publish(world, 1, 4, [{ ...player, id: 8 }]);
  t.same(sight.look().handovers, [], 'after a pause nothing is compared');
});

t.test('a box holds its entities, also over the antimeridian', async (t) => {
  const { world, time, sight } = setUp();
  const near = { id: 11, x: wrapX(HALF_WIDTH - 50), y: 10, slot: 1 };
  const over = { id: 12, x: wrapX(HALF_WIDTH + 50), y: 20, slot: 2, kind: 2 };
  publish(world, 0, 3, [near, { id: 13, x: 0, y: 0, slot: 3 }]);
  publish(world, 1, 4, [over]);
  const box = { west: HALF_WIDTH - 100, south: 0, east: -HALF_WIDTH + 100, north: 40 };
  const dots = sight.dots(box);
  t.same(dots, { tick: 4, total: 2, dots: [11, 50, 10, 1, -1, 0, 0, 12, 150, 20, 1, -1, 2, 1] });
  publish(world, 1, 5, []);
  t.equal(sight.dots(box)?.total, 2, 'one answer for all who look there');
  time.advance(200);
  t.equal(sight.dots(box)?.total, 1);
});

t.test(
  'a crowd is sampled, the same ones each time; and more looks than a second holds are refused',
  async (t) => {
    const { world, time, sight } = setUp();
    const crowd = Array.from({ length: 4000 }, (_, i) => ({ id: i + 1, x: 10 + (i % 50), y: 10, slot: i }));
    publish(world, 0, 1, crowd);
    const box = { west: 0, south: 0, east: 100, north: 100 };
    const first = sight.dots(box);
    t.equal(first?.total, 4000);
    const shown = (first?.dots.length ?? 0) / 7;
    t.ok(shown > MOST_DOTS * 0.8 && shown <= MOST_DOTS, `${shown} shown`);
    time.advance(1000);
    t.same(sight.dots(box)?.dots, first?.dots);
    let looks = 1;
    while (sight.dots({ ...box, north: 100 + looks }) !== null) looks++;
    t.equal(looks, 40);
    time.advance(1000);
    t.ok(sight.dots(box));
  },
);
