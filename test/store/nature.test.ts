/** Natural content and the store: what nobody has touched is in no file, what was touched is there once, through restarts. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { CONTENT, ITEM, KIND } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { tileIndex } from '../../src/geo/tile.js';
import { indexOfOrigin, tileOfOrigin } from '../../src/memory/nature.js';
import { HOT } from '../../src/memory/record.js';
import type { Key, TableName } from '../../src/store/engine.js';
import { unsealNumbers } from '../../src/store/frame.js';
import { MapEngine } from '../../src/store/map-engine.js';
import { verifyData } from '../../src/store/verify.js';
import type { GameModule } from '../../src/world/facade.js';
import { type Kept, keep, run } from './keeper.js';

const ITEMS = Object.keys(ITEM).length;
const NODES = CONTENT.groves * CONTENT.nodesPerGrove;
const STONES = 5;
const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const x = (tile.west + tile.east) / 2;
const y = (tile.south + tile.north) / 2;
const index = tileIndex(x, y, LIMITS.baseTileLevel);

/** Another process on the same data. */
function restart(engine: MapEngine, before: Kept): Kept {
  return begin(game, engine, before.planet.tick + 1);
}

function begin(module: unknown, engine: MapEngine, tick: number): Kept {
  const kept = keep(module, engine, { shards: 1, entities: 256, tileSleepS: 2, tick });
  const { world } = kept.planet;
  const { facts } = kept;
  world.ids.begin(1000);
  for (let i = 0; i < facts.generated.length; i += 2)
    world.directory.setGeneratedTick(facts.generated[i]!, facts.generated[i + 1]!);
  for (const origin of facts.touched) world.nature.take(tileOfOrigin(origin), indexOfOrigin(origin));
  facts.itemsCreated.forEach((created, kind) => {
    world.cut.resting[kind] = created - (facts.itemsConsumed[kind] ?? 0);
  });
  return kept;
}

function wake(kept: Kept): void {
  kept.planet.assign(x, y, 0);
  kept.planet.shards[0]!.wakeTileOf(x, y);
  run(kept, 10);
}

/** A player takes one item from a node, and leaves. */
function gather(kept: Kept): void {
  const { planet } = kept;
  const { arena } = planet.world;
  const at = arena.hot(planet.entities(KIND.node, x, y)[0]!) >> 3;
  const player = planet.join(arena.f64[at + (HOT.x >> 3)]! + 1, arena.f64[at + (HOT.y >> 3)]!);
  run(kept, 4);
  planet.act(player, 'gather', { target: planet.idOf(planet.entities(KIND.node, x, y)[0]!) });
  run(kept, 4);
  planet.leave(player);
}

function held(kept: Kept): number {
  const slots = kept.planet.entities(KIND.node, x, y);
  const items = (slot: number) =>
    Array.from({ length: ITEMS }, (_, kind) => kept.planet.items(slot, kind)).reduce((a, b) => a + b, 0);
  return slots.reduce((sum, slot) => sum + items(slot), 0);
}

for (const how of ['asleep', 'awake'] as const)
  t.test(
    `a tile that was seen leaves nothing in the file, what was touched in it is there; stopped ${how}`,
    async (t) => {
      const engine = new MapEngine();
      let kept = keep(game, engine, { shards: 1, entities: 256, tileSleepS: 2 });
      wake(kept);
      run(kept, 20);
      t.equal(engine.count('entities') + engine.count('tiles') + engine.count('touched'), 0, 'seen alone');
      t.strictSame((await verifyData(engine, 'the test')).faults, []);
      const made = held(kept);
      gather(kept);
      run(kept, how === 'asleep' ? 200 : 40);
      t.equal(engine.count('entities'), 1, 'the node from which something was taken');
      t.equal(engine.count('touched'), 1);
      t.strictSame((await verifyData(engine, 'the test')).faults, []);
      for (let start = 0; start < 2; start++) {
        kept = restart(engine, kept);
        wake(kept);
        t.equal(kept.planet.entities(KIND.node, x, y).length, NODES, 'each node once');
        t.ok(held(kept) < made || start > 0, 'and one of them with less');
        run(kept, 20);
        t.strictSame((await verifyData(engine, 'the test')).faults, []);
      }
    },
  );

/** Five stones in the middle of each tile; the first holds one pebble, the second two … */
const stones: GameModule = {
  name: 'stones',
  items: ['pebble'],
  kinds: ['player', 'stone'],
  components: { mark: 'f32' },
  actions: {},
  populate(world, area) {
    for (let i = 0; i < STONES; i++) {
      const stone = world.spawn(1, (area.west + area.east) / 2 + i, (area.south + area.north) / 2);
      if (stone >= 0) world.createItems(stone, 0, i + 1);
    }
  },
  step() {},
};

t.test('a world of format 1, in which all natural content is stored, goes on as it is', async (t) => {
  // Written by the last server of that format, after it had woken one tile of this game.
  const file = new URL('./world-format-1.json', import.meta.url);
  const entries = JSON.parse(readFileSync(file, 'utf8')) as [TableName, Key, string][];
  const engine = new MapEngine();
  const writes = entries.map(([table, key, value]) => ({ table, key, value: Buffer.from(value, 'base64') }));
  engine.commit(writes, () => {});
  t.equal(formatOf(engine), 1);
  const bags = ({ planet }: Kept) =>
    planet
      .entities(1, x, y)
      .map((slot) => planet.items(slot, 0))
      .sort();
  let kept = begin(stones, engine, 100);
  t.equal(formatOf(engine), 2, 'an older server would make its content anew: it refuses it from now on');
  t.equal(kept.facts.entities, STONES);
  for (let start = 0; start < 2; start++) {
    wake(kept);
    t.strictSame(bags(kept), [1, 2, 3, 4, 5], 'each stone once, with what it held');
    run(kept, 120);
    t.equal(kept.planet.world.directory.lookup(index), -1, 'the tile sleeps');
    t.equal(engine.count('entities'), STONES, 'what was stored stays stored');
    t.strictSame((await verifyData(engine, 'the test')).faults, []);
    kept = begin(stones, engine, kept.planet.tick + 1);
  }
  kept.planet.shards[0]!.wakeTileOf(x + 3 * (tile.east - tile.west), y);
  run(kept, 20);
  t.equal(engine.count('entities'), STONES, 'of a tile that nobody had seen before nothing is stored');
  t.strictSame((await verifyData(engine, 'the test')).faults, []);
});

function formatOf(engine: MapEngine): number {
  return unsealNumbers(engine.get('meta', 'format')!)![0]!;
}
