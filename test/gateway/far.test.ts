/** The far rings: what is chosen (properties), what a client is sent of it, in which order, and what it is never sent. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { SLOWEST } from '../../src/base/rates.js';
import { LIMITS } from '../../src/base/limits.js';
import { CELL_COLUMNS, CELL_ROWS, cellNumber, cellOf, cellSize, cellsAround } from '../../src/geo/cell.js';
import { columnOfCell, rowOfCell } from '../../src/geo/cell.js';
import { LEAVES, cellOfKey, firstLeaf, leavesOf, rateOfKey, squareOfKey } from '../../src/geo/square.js';
import { tileIndex, tileNorth, tileWest } from '../../src/geo/tile.js';
import { packService } from '../../src/memory/service.js';
import {
  NO_FAR,
  type FarPlan,
  type Weight,
  chooseFar,
  classOfRing,
  costOfFar,
  farCells,
  farIntervals,
} from '../../src/gateway/far.js';
import type { Interest } from '../../src/gateway/interest.js';
import { Purse } from '../../src/gateway/purse.js';
import { RECORD } from '../../src/memory/player.js';
import { CARD, type FakeSocket, type House, buildHouse } from './fakes.js';
import { enter, frame, turn } from './house.js';
import { ScriptedShard } from './scripted-shard.js';

const FRAMES_PER_S = 10;
const SIZE = cellSize();
const SIDE = LIMITS.mostFarCells;

const centres = fc.record({
  column: fc.oneof(fc.constantFrom(0, 1, CELL_COLUMNS - 1), fc.nat(CELL_COLUMNS - 1)),
  row: fc.oneof(fc.constantFrom(0, 2, CELL_ROWS - 1), fc.nat(CELL_ROWS - 1)),
});
/** Heaps in some of the cells, by place in their order; all in one leaf, or spread. */
const heaps = fc.array(
  fc.record({ at: fc.nat(SIDE * SIDE), movers: fc.nat(3000), standing: fc.nat(3000), isDense: fc.boolean() }),
  { maxLength: 12 },
);

function weigh(movers: number, standing: number, isDense: boolean): Weight {
  const entities = new Float64Array(LEAVES);
  const total = movers + standing;
  if (isDense) entities[17] = total;
  else entities.fill(total / LEAVES);
  return { total, entities, allBytes: movers * 18 };
}
const EMPTY = weigh(0, 0, false);

function costOf(plan: FarPlan, weightOf: (cell: number) => Weight): number {
  let cost = 0;
  for (const [cell, served] of plan.cells)
    cost += costOfFar(weightOf(cell), served.rate, served.depth, FRAMES_PER_S);
  return cost;
}

t.test('far cells and the near view together are the far square, each cell once, nearest first', (t) => {
  fc.assert(
    fc.property(centres, fc.constantFrom(5, 7), ({ column, row }, side) => {
      const centre = cellOf(column, row);
      const around = new Float64Array(side * side);
      const near = [...around.subarray(0, cellsAround(centre, 3, around))];
      const far = farCells(centre, side);
      const all = around.subarray(0, cellsAround(centre, side, around));
      assert.deepEqual([...near, ...far.cells].sort(), [...all].sort());
      const rings = [...far.rings];
      assert.deepEqual(rings, rings.toSorted());
    }),
  );
  t.end();
});

t.test('each place in at most one square, nearer never slower than farther, cost within the room', (t) => {
  fc.assert(
    fc.property(
      centres,
      heaps,
      fc.nat(60_000),
      fc.nat(SLOWEST + 1),
      ({ column, row }, piles, room, floor) => {
        const far = farCells(cellOf(column, row), SIDE);
        const cells = [...far.cells];
        const weights = new Map<number, Weight>();
        for (const { at, movers, standing, isDense } of piles)
          if (at < cells.length) weights.set(cells[at]!, weigh(movers, standing, isDense));
        const weightOf = (cell: number) => weights.get(cell) ?? EMPTY;
        const rooms = { kept: room * 1.1, added: room };
        const given = cells.map(weightOf);
        const plan = chooseFar(far, given, rooms, floor, FRAMES_PER_S, NO_FAR);
        assert.ok(costOf(plan, weightOf) <= room);
        const places = new Set<number>();
        for (const key of plan.keys)
          for (let leaf = 0; leaf < leavesOf(squareOfKey(key)); leaf++) {
            const place = cellOfKey(key) * LEAVES + firstLeaf(squareOfKey(key)) + leaf;
            assert.ok(!places.has(place), 'twice');
            places.add(place);
          }
        assert.equal(places.size, plan.cells.size * LEAVES, 'a cell that is shown is shown whole');
        // The cells that are shown are the nearest ones.
        assert.deepEqual([...plan.cells.keys()], cells.slice(0, plan.cells.size));
        const rates = plan.keys.map(rateOfKey);
        assert.deepEqual(rates, rates.toSorted(), 'nearer never slower');
        for (const [i, cell] of cells.slice(0, plan.cells.size).entries()) {
          const ring = far.rings[i]!;
          const { rate } = plan.cells.get(cell)!;
          assert.ok(rate >= floor && rate >= classOfRing(ring) && rate <= SLOWEST);
        }
        if (piles.length === 0 && floor <= SLOWEST) assert.equal(plan.cells.size, cells.length, 'empty: all');
        assert.equal(chooseFar(far, given, rooms, floor, FRAMES_PER_S, plan), plan, 'it stays as it is');
      },
    ),
    { numRuns: 500, seed: 3 },
  );
  t.end();
});

t.test(
  'a crowd far away comes in parts that a client can be sent at once; cut only as long as needed',
  (t) => {
    const far = farCells(cellOf(1000, 1000), SIDE);
    const cells = [...far.cells];
    const room = { kept: 1e6, added: 1e6 };
    const planFor = (total: number, known: FarPlan) =>
      chooseFar(
        far,
        cells.map((_, i) => (i === 0 ? weigh(0, total, false) : EMPTY)),
        room,
        0,
        10,
        known,
      );
    const depthOf = (plan: FarPlan) => plan.cells.get(cells[0]!)!.depth;
    const cut = planFor(1700, NO_FAR);
    t.equal(depthOf(cut), 2, '16 parts of 106');
    t.equal(planFor(1200, cut), cut, 'a few less: it stays');
    t.equal(depthOf(planFor(400, cut)), 0);
    t.end();
  },
);

t.test('clients are told the rates of the rings', (t) => {
  t.same([farIntervals(3, 2), farIntervals(5, 2), farIntervals(7, 2)], [[], [10], [10, 40]]);
  t.end();
});

t.test('far key frames take only what is saved beyond a half', (t) => {
  const purse = new Purse(65_536, 0);
  t.notOk(purse.spare(16_385));
  t.ok(purse.spare(16_384));
  t.notOk(purse.spare(1));
  t.ok(purse.spend(16_384), 'near squares have the rest');
  t.end();
});

// ---- what a client is sent ----

const HERE = (() => {
  const cell = cellNumber(1000, 1000);
  const x = tileWest(columnOfCell(cell), LIMITS.cellLevel) + SIZE / 2;
  return { cell, x, y: tileNorth(rowOfCell(cell), LIMITS.cellLevel) - SIZE / 2 };
})();
const keysOf = (socket: FakeSocket) =>
  [...socket.topics].filter((topic) => !topic.startsWith('@')).map(Number);
const ringOf = (key: number, centre = HERE.cell) =>
  Math.max(
    Math.abs(columnOfCell(cellOfKey(key)) - columnOfCell(centre)),
    Math.abs(rowOfCell(cellOfKey(key)) - rowOfCell(centre)),
  );

function farHouse(farCells: number = SIDE): House {
  return buildHouse({ parts: { card: { ...CARD, farCells, farIntervals: farIntervals(farCells, 2) } } });
}

function stand(house: House, shard: ScriptedShard, socket: FakeSocket, x: number, y: number): Promise<void> {
  const slot = shard.slotOf(socket.welcome.entity);
  shard.moveTo(slot, x, y);
  shard.run();
  shard.push(slot, RECORD.SELF);
  return turn(house);
}

t.test(
  'a newcomer watches 7 × 7 cells: near ones at the full rate, then 2 a second, then every two seconds',
  async (t) => {
    const house = farHouse();
    const socket = await enter(house, new ScriptedShard(house.world), { spawn: HERE });
    const keys = keysOf(socket);
    t.equal(keys.length, 49);
    t.ok(keys.every((key) => rateOfKey(key) === [0, 0, 2, 3][ringOf(key)]));
    t.equal(new Set(socket.begun).size, 49, 'each cell is announced');
    const rings = socket.begun.map((cell) => ringOf(cell));
    t.same(rings.slice(9), rings.slice(9).toSorted(), 'the nearest first');
    t.ok(rings.slice(0, 9).every((ring) => ring <= 1));
    t.match(socket.welcome, { viewCells: 3, farCells: 7, farIntervals: [10, 40] });
  },
);

t.test('what one client keeps for a moment another one is shown all the same', async (t) => {
  const house = farHouse();
  const shard = new ScriptedShard(house.world);
  const walker = await enter(house, shard, { spawn: HERE });
  await stand(house, shard, walker, HERE.x + SIZE / 2 + 1, HERE.y); // three near cells behind it are kept
  const place = { x: HERE.x + 2 * SIZE, y: HERE.y }; // from here they are far cells
  const socket = await enter(house, shard, { spawn: place });
  t.equal(new Set(keysOf(socket).map(cellOfKey)).size, 49);
});

t.test('nothing beyond the far ring, nor beyond the near view where there is none', async (t) => {
  for (const side of [3, 5, 7]) {
    const house = farHouse(side);
    const socket = await enter(house, new ScriptedShard(house.world), { spawn: HERE });
    t.equal(keysOf(socket).length, side * side);
    t.ok(keysOf(socket).every((key) => ringOf(key) <= Math.floor(side / 2)));
  }
});

t.test('walking on: the rings follow ten metres later, and a step back costs nothing', async (t) => {
  const house = farHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard, { spawn: HERE });
  await stand(house, shard, socket, HERE.x + SIZE / 2 + 1, HERE.y);
  const near = keysOf(socket).filter((key) => rateOfKey(key) === 0);
  t.equal(near.length, 12, 'three new, three kept');
  const { length } = socket.begun;
  await stand(house, shard, socket, HERE.x + SIZE / 2 - 1, HERE.y);
  t.equal(socket.begun.length, length, 'and back: nothing changes');
  const hidden = socket.hidden.length;
  await stand(house, shard, socket, HERE.x + SIZE / 2 + 12, HERE.y);
  const keys = keysOf(socket);
  t.equal(keys.length, 49);
  const there = HERE.cell + 1;
  t.ok(keys.every((key) => rateOfKey(key) === [0, 0, 2, 3][ringOf(key, there)]));
  t.equal(new Set(keys.map(cellOfKey)).size, 49, 'each cell once');
  const left = socket.hidden.slice(hidden).map((cell) => columnOfCell(cell) - columnOfCell(HERE.cell));
  t.same(
    left,
    Array(SIDE).fill(-(SIDE >> 1)),
    'told what it left, lest it should turn round and see it as it was',
  );
});

t.test(
  'who fell behind and comes back elsewhere is told what of its old view is not shown any more',
  async (t) => {
    const house = farHouse();
    const shard = new ScriptedShard(house.world);
    const socket = await enter(house, shard, { spawn: HERE });
    const [connection] = [...house.gateways[0].core.connections];
    (house.gateways[0] as unknown as { interest: Interest }).interest.lookAway(connection!);
    t.same([keysOf(socket), socket.hidden], [[], []]);
    await stand(house, shard, socket, HERE.x + SIZE / 2 + 1, HERE.y);
    t.equal(keysOf(socket).length, 49);
    const left = socket.hidden.map((cell) => columnOfCell(cell) - columnOfCell(HERE.cell));
    t.same(left, Array(SIDE).fill(-(SIDE >> 1)));
  },
);

t.test('who takes more than there is loses the far rings first, and is told', async (t) => {
  const house = farHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard, { spawn: HERE });
  const [connection] = [...house.gateways[0].core.connections];
  connection!.purse.rate = 2 * LIMITS.clientBytesPerS;
  const hidden = socket.hidden.length;
  (house.gateways[0] as unknown as { interest: Interest }).interest.review(connection!);
  t.equal(keysOf(socket).length, 9, 'the near view is whole');
  t.equal(socket.hidden.length - hidden, 40);
  connection!.purse.rate = 0;
  house.time.pass(1000);
  t.equal(keysOf(socket).length, 9, 'not at once again');
});

t.test(
  'an overloaded place: far rings slow down first, the outer cells of the near view after them',
  async (t) => {
    const rates = async (far: number) => {
      const house = farHouse();
      const shard = new ScriptedShard(house.world);
      const { directory } = house.world;
      const tile = tileIndex(HERE.x, HERE.y, LIMITS.baseTileLevel);
      directory.place(tile, 0);
      t.ok(directory.setService(tile, 0, 0, packService(100, 100, far)));
      const socket = await enter(house, shard, { spawn: HERE });
      frame(house, shard);
      return keysOf(socket)
        .filter((key) => ringOf(key) === 1)
        .map(rateOfKey);
    };
    t.ok((await rates(50)).every((rate) => rate === 0));
    t.ok((await rates(25)).every((rate) => rate === 1));
  },
);
