/** The view of those who sleep, copied from the view before, against their records: after every tick, row by row. */
import t from 'tap';
import { hash2 } from '../../src/base/random.js';
import { cellNumber } from '../../src/geo/cell.js';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { HEADER, HOT } from '../../src/memory/record.js';
import { ROW } from '../../src/memory/view.js';
import type { GameModule } from '../../src/world/facade.js';
import type { Core } from '../../src/shard/core.js';
import { Planet } from './planet.js';

const AREA = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const X = AREA.east - 60;
const Y = AREA.south + 500;
const HERD = 40;

/** A herd about a border: each step stands, walks, is painted, is gone or sleeps, by its id and the tick. */
const herd: GameModule = {
  name: 'herd',
  items: ['bell'],
  kinds: ['player', 'cow'],
  components: { colour: { type: 'u8', public: true } },
  actions: {
    drive: {
      kind: 1,
      payload: 'none',
      apply(world, e) {
        for (let i = 0; i < HERD; i++) world.spawn(1, world.x(e) + i * 3, world.y(e) + (i % 7) * 40);
        return 0;
      },
    },
  },
  step(world, e) {
    if (world.kind(e) === 0) return;
    const draw = hash2(world.id(e), world.tick) % 16;
    if (draw < 4) world.move(e, world.x(e) + draw * 20 - 30, world.y(e));
    else if (draw === 4) world.columns.colour!.set(e, world.tick % 200);
    else if (draw === 5) world.despawn(e);
    if (draw === 5) return;
    world.sleep(e); // be it in the tick in which it walked
    if (draw >= 12) world.columns.colour!.set(e, world.columns.colour!.get(e)); // wakes it again
  },
};

/** @throws Error where a view is not what the records of its shard say; @returns rows that were looked at */
function checkViews(planet: Planet): number {
  const { arena } = planet.world;
  let rows = 0;
  planet.shards.forEach(({ core }, s) => {
    const view = planet.world.views[s]!;
    view.open();
    const shown = new Map<number, number>();
    for (let c = 0; c < view.placedCount; c++)
      for (let row = view.start(c); row < view.start(c) + view.count(c); row++, rows++) {
        const byte = view.rowByte(row);
        const slot = view.i32[(byte + ROW.slot) >> 2]!;
        if (shown.has(slot)) throw new Error(`slot ${slot} has two rows`);
        shown.set(slot, row);
        if (!core.owned.has(slot)) continue; // handed over in this tick
        const hot = arena.hot(slot);
        const record = [
          arena.f64[(arena.header(slot) + HEADER.id) >> 3],
          arena.f64[(hot + HOT.x) >> 3],
          arena.f64[(hot + HOT.y) >> 3],
          arena.u32[(hot + HOT.components) >> 2],
          arena.u32[(arena.header(slot) + HEADER.epoch) >> 2],
          cellNumber(arena.f64[(hot + HOT.x) >> 3]!, arena.f64[(hot + HOT.y) >> 3]!),
        ];
        const told = [
          view.f64[(byte + ROW.id) >> 3],
          view.f64[(byte + ROW.x) >> 3],
          view.f64[(byte + ROW.y) >> 3],
          view.u32[(byte + ROW.pub0) >> 2],
          view.u32[(byte + ROW.epoch) >> 2],
          view.cellAt(c),
        ];
        if (String(record) !== String(told)) throw new Error(`slot ${slot} is ${record}, shown ${told}`);
      }
    for (let i = 0; i < core.owned.count; i++)
      if (!shown.has(core.owned.slots[i]!)) throw new Error(`slot ${core.owned.slots[i]} is not shown`);
  });
  return rows;
}

/** @param plant told of each shard's core */
function play(seed: number, plant: (core: Core) => void): { rows: number; still: number } {
  const planet = new Planet(herd, { seed });
  for (const { core } of planet.shards) plant(core);
  planet.assign(X, Y, 0);
  planet.assign(AREA.east + 50, Y, 1);
  const player = planet.join(X, Y);
  planet.run(2);
  let rows = 0;
  let still = 0;
  for (let tick = 0; tick < 160; tick++) {
    if (tick % 40 === 0) planet.act(player, 'drive');
    if (tick === 90) planet.kill(tick % 2);
    planet.run(1);
    rows += checkViews(planet);
    for (const { core } of planet.shards)
      for (let i = 0; i < core.owned.count; i++) still += core.isStill(core.owned.slots[i]!) ? 1 : 0;
  }
  return { rows, still };
}

t.test('who sleeps is shown as its record says, wherever it was, whoever has it', (t) => {
  for (const seed of [1, 2, 3]) {
    const { rows, still } = play(seed, () => {});
    t.ok(rows > 2000 && still > 500, `${rows} rows, ${still} of sleepers`);
  }
  t.end();
});

t.test(
  'a sleeper that is taken for still though it walked in the tick in which it fell asleep is found',
  (t) => {
    const plant = (core: Core) => {
      const seen = new Set<number>();
      core.isStill = (slot) => {
        const wasSeen = seen.has(slot);
        seen.add(slot);
        return wasSeen && core.isAsleep(slot);
      };
    };
    t.throws(() => play(1, plant), /shown/);
    t.end();
  },
);
