/** A step that throws: undone each time, left out after some times in a row, tried again later; everybody else lives on. */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import type { FaultReport } from '../../src/shard/faults.js';
import type { Entity, GameModule, World } from '../../src/world/facade.js';
import { SHARD_GAUGE } from '../../src/memory/shard-block.js';
import { readColumn } from './column.js';
import { Planet } from './planet.js';

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const Y = tile.south + 900;
const X = tile.east - 50;
const TPS = LIMITS.tickRateHz;

function sickly() {
  const sick = { id: 0, tried: 0 };
  const module: GameModule = {
    name: 'sickly',
    items: [],
    kinds: ['player'],
    components: { n: 'u32' },
    actions: { hop: { kind: 1, payload: 'none', apply: (world, e) => world.move(e, 1, 0) ?? 0 } },
    step(world: World, e: Entity) {
      world.columns.n!.set(e, world.columns.n!.get(e) + 1);
      if (world.id(e) !== sick.id) return;
      sick.tried++;
      throw new Error('ill');
    },
  };
  const reports: FaultReport[] = [];
  const planet = new Planet(module, { tellFaults: (report) => reports.push(report) });
  planet.assign(X, Y, 0);
  planet.assign(tile.east + 50, Y, 1);
  const [patient, other] = [planet.join(X, Y), planet.join(X, Y)];
  planet.run(3);
  const made = (slot: number) => readColumn(planet.world.arena, planet.game, 'n', slot);
  return { planet, sick, reports, patient, other, made };
}

t.test(
  'frozen after some throws in a row, tried again after a while, well as soon as it does not throw',
  (t) => {
    const { planet, sick, reports, patient, other, made } = sickly();
    const before = made(patient.slot);
    sick.id = patient.id;
    planet.run(4 * TPS);
    t.equal(sick.tried, LIMITS.stepThrows, 'then it is left out');
    t.equal(made(patient.slot), before, 'each was undone');
    t.equal(made(other.slot), made(patient.slot) + 4 * TPS, 'the other one lives on');
    t.equal(planet.world.shardBlocks[0]!.gauge(SHARD_GAUGE.frozen), 1);
    t.match(reports.at(-1), {
      frozen: 1,
      examples: [{ kind: 'player', entity: patient.id, place: /frozen\.test/ }],
    });
    t.equal(planet.counter('gameFaults'), LIMITS.stepThrows);
    planet.act(patient, 'hop');
    planet.run(2);
    t.equal(planet.outcome(patient, 1), 0, 'its actions go on');
    planet.run(2 * LIMITS.frozenS * TPS);
    t.equal(sick.tried, LIMITS.stepThrows + 1, 'tried once');
    sick.id = 0; // another version of the game, so to say
    planet.run(2 * LIMITS.frozenS * TPS);
    t.ok(made(patient.slot) > before, 'it is stepped again');
    t.equal(planet.world.shardBlocks[0]!.gauge(SHARD_GAUGE.frozen), 0);
    t.match(reports.at(-1), { frozen: 0, examples: [] });
    t.equal(planet.counter('ticksMissed') + planet.counter('ticksDoubled'), 0);
    t.end();
  },
);

t.test('whoever takes it over tries it anew: another shard, a replacement', (t) => {
  const { planet, sick, patient } = sickly();
  sick.id = patient.id;
  planet.run(2 * TPS);
  t.equal(sick.tried, LIMITS.stepThrows);
  planet.kill(0);
  planet.run(2 * TPS);
  t.equal(sick.tried, 2 * LIMITS.stepThrows);
  planet.act(patient, 'hop');
  for (let i = 0; i < 60; i++) {
    planet.act(patient, 'hop');
    planet.run(2);
  }
  planet.run(2 * TPS);
  t.equal(planet.ownerOf(patient.slot), 1, 'it can still be handed over');
  t.equal(sick.tried, 3 * LIMITS.stepThrows);
  t.equal(planet.world.shardBlocks[0]!.gauge(SHARD_GAUGE.frozen), 0, 'and is no alarm of the old one');
  t.end();
});

t.test(
  'a flood of errors is few looks at traces and one report a second, and all of them are counted',
  (t) => {
    const { planet, reports } = sickly();
    const { core } = planet.shards[0]!;
    for (let tick = 0; tick < 3 * TPS; tick++) {
      for (let i = 0; i < 50; i++) core.faults.note(new Error(`nr ${i}`), "action 'x'", i);
      planet.step();
    }
    planet.run(2 * TPS);
    t.ok(reports.length <= 5, `${reports.length} reports`);
    const faults = reports.flatMap((report) => report.faults);
    t.ok(faults.length <= 10, `${faults.length} lines`);
    t.equal(
      faults.reduce((sum, { count }) => sum + count, 0),
      150 * TPS,
    );
    t.end();
  },
);
