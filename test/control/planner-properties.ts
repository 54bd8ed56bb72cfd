/** What the planner promises under any load, as properties that a planner, or a mutant of it, is held to. */
import fc from 'fast-check';
import { formatTile } from '../../src/geo/address.js';
import { BASES, CAPACITY, type Crowd, PlannedWorld, type Planner, type Scenario } from './planner-world.js';

const quarters = (min: number, max: number) => fc.integer({ min: min * 4, max: max * 4 }).map((n) => n / 4);
const shares = (max: number) => fc.integer({ min: 0, max: max * 20 }).map((n) => n / 20);

const crowds: fc.Arbitrary<Crowd> = fc.record({
  base: fc.nat(BASES.length - 1),
  low: shares(1),
  high: shares(3),
  periodS: quarters(1, 60),
  spot: fc.integer({ min: -1, max: 15 }),
  cost: shares(2),
});

const NEVER: readonly [number, number] = [Infinity, Infinity];

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(),
  shards: fc.integer({ min: 2, max: 5 }),
  alive: fc.integer({ min: 1, max: 2 }),
  pinShards: fc.boolean(),
  crowds: fc.array(crowds, { minLength: 1, maxLength: 4 }),
  noise: fc.constantFrom(0, 0.05, 0.3),
  delayS: fc.constantFrom(0, 0.5, 5),
  failures: fc.constantFrom(0, 0, 0.2),
  full: fc.constantFrom(NEVER, NEVER, [20, 60] as const),
  ownShare: fc.constantFrom(1, 0.5, 0.05),
  waits: fc.constantFrom(0, 0.3, 0.9),
  emptyS: fc.constantFrom(Infinity, 60),
  endS: fc.constant(150),
});

function expectNone(faults: readonly string[]): void {
  if (faults.length > 0)
    throw new Error(`${faults.length} faults, the first ${faults.slice(0, 3).join('; ')}`);
}

/** Runs a property so often; for a mutant always alike and without shrinking. @returns what went wrong, if anything */
type Check = (numRuns: number, isMutant?: boolean) => string | undefined;

function checkOf<Values>(property: fc.IProperty<Values>): Check {
  return (numRuns, isMutant = false) => {
    const repeatable = isMutant ? { seed: 1, endOnFailure: true } : {};
    return fc.defaultReportMessage(
      fc.check(property, { numRuns, includeErrorInReport: true, ...repeatable }),
    );
  };
}

type Property = (planner: Planner) => Check;

/** Each by its name. */
export const PROPERTIES: Record<string, Property> = {
  'every decision is legal: rest, cover, level, one at a time, live targets, rungs': (planner) =>
    checkOf(
      fc.property(scenarios, (scenario) => expectNone(new PlannedWorld(scenario, planner).run().faults)),
    ),

  'everything merges back once nobody is there': (planner) =>
    checkOf(
      fc.property(scenarios, (scenario) => {
        const empty = { ...scenario, emptyS: 40, endS: 40 + 200, failures: 0, full: NEVER };
        const world = new PlannedWorld(empty, planner).run();
        const left = world.leafNames.filter((name) => !name.startsWith('11/'));
        if (left.length > 0) throw new Error(`still split: ${left.join(' ')}`);
        const degraded = [...world.state.tiles.values()].filter((tile) => tile.rung > 0).length;
        if (degraded > 0) throw new Error(`${degraded} tiles are still degraded`);
        if (!empty.pinShards && world.aliveCount > 1)
          throw new Error(`${world.aliveCount} threads still run`);
        const reshapes = world.reshapes();
        const merged = reshapes.find((d) => d.kind === 'merge' && d.timeS >= 40);
        const wasSplit = reshapes.filter((d) => d.timeS < 40).some((d) => d.kind === 'split');
        const open = reshapes.filter((d) => d.timeS < 40 && d.kind === 'merge').length === 0;
        if (wasSplit && open && !(merged !== undefined && merged.timeS <= 100))
          throw new Error('late first merge');
      }),
    ),

  'a steady load near a threshold reshapes a tile once': (planner) =>
    checkOf(
      fc.property(scenarios, shares(1), fc.integer({ min: -1, max: 15 }), (scenario, level, spot) => {
        // A crowd of 1.5 for 10 s, then about the same load for ever.
        const steady = { base: 0, low: level, high: level, periodS: 60, spot, cost: 0 };
        const crowd = { ...steady, low: 0, high: 1.5 - level, periodS: 1000 };
        const quiet = { ...scenario, noise: 0.04, failures: 0, full: NEVER, emptyS: Infinity, endS: 10 };
        const world = new PlannedWorld({ ...quiet, crowds: [steady, crowd] }, planner).run();
        (world.scenario.crowds[1] as { high: number }).high = 0;
        const before = world.reshapes().length;
        while (world.timeS < 200) world.step();
        expectNone(world.faults);
        const seen = new Map<string, number>();
        for (const d of world.reshapes().slice(before)) {
          const name = `${d.kind} ${formatTile(d.tile)}`;
          seen.set(name, (seen.get(name) ?? 0) + 1);
        }
        const flapping = [...seen].filter(([name, n]) => n > 1 && !name.startsWith('move'));
        const moves = [...seen].filter(([name, n]) => n > 3 && name.startsWith('move'));
        if (flapping.length + moves.length > 0)
          throw new Error(`flaps: ${[...flapping, ...moves].join(' ')}`);
      }),
    ),

  'a full machine neither splits nor moves for CPU time, it degrades': (planner) =>
    checkOf(
      fc.property(scenarios, (scenario) => {
        const crowd = { base: 0, low: 0.5, high: 0.5, periodS: 60, spot: -1, cost: 3 };
        const full = {
          ...scenario,
          crowds: [crowd],
          noise: 0,
          full: [0, Infinity] as const,
          emptyS: Infinity,
          endS: 40,
        };
        const world = new PlannedWorld(full, planner).run();
        expectNone(world.faults);
        const wrong = world.decisions.filter((d) => ['split', 'move', 'start'].includes(d.kind));
        if (wrong.length > 0) throw new Error(wrong[0].reason);
        if (!world.state.saturated || !world.decisions.some((d) => d.kind === 'degrade'))
          throw new Error('no degrade');
      }),
    ),

  'beside noisy neighbours no time slows for tiles that cost little': (planner) =>
    checkOf(
      fc.property(scenarios, shares(1), shares(1), (scenario, ownShare, waits) => {
        // Together they ask for a quarter of a tick, whichever shards have them; the rest of the machine is others'.
        const crowds = [0, 1, 2].map((base) => ({
          ...{ base, low: 0.1, high: 0.8, periodS: 30, spot: -1, cost: 0.1 },
        }));
        const noisy = {
          ...scenario,
          ...{ crowds, noise: 0, full: [0, Infinity] as const, emptyS: Infinity, endS: 60 },
          ...{ ownShare: ownShare / 2, waits },
        };
        const world = new PlannedWorld(noisy, planner).run();
        expectNone(world.faults);
        const slowed = world.decisions.find((d) => d.kind === 'degrade');
        if (slowed !== undefined) throw new Error(`degraded: ${slowed.reason}`);
      }),
    ),

  'a machine that its own load fills is relieved': (planner) =>
    checkOf(
      fc.property(scenarios, (scenario) => {
        const crowd = { base: 0, low: 0.4, high: 0.4, periodS: 60, spot: -1, cost: 1 };
        const own = {
          ...scenario,
          ...{ crowds: [crowd], noise: 0, full: [0, Infinity] as const, emptyS: Infinity, endS: 60 },
          ...{ ownShare: 1, waits: 0.6 },
        };
        const world = new PlannedWorld(own, planner).run();
        expectNone(world.faults);
        if (!world.decisions.some((d) => d.kind === 'degrade' && d.degrade.dilation < 1))
          throw new Error('no relief');
      }),
    ),

  'the same inputs give the same decisions, in whatever order the tiles are told': (planner) =>
    checkOf(
      fc.property(scenarios, (scenario) => {
        const first = new PlannedWorld({ ...scenario, endS: 40 }, planner);
        while (first.timeS < 40) {
          const before = first.state;
          const frozen = JSON.stringify([...before.tiles]);
          const sample = { ...first.sample(), timeS: first.timeS + 0.25 };
          const told = { ...sample, tiles: [...sample.tiles].reverse() };
          const [a, b] = [
            planner.plan(before, sample, first.limits),
            planner.plan(before, told, first.limits),
          ];
          if (JSON.stringify(a.decisions) !== JSON.stringify(b.decisions)) throw new Error('other decisions');
          if (JSON.stringify([...before.tiles]) !== frozen) throw new Error('the state was changed');
          first.step();
        }
      }),
    ),

  'a steady stream of arrivals is split before the capacity is reached': (planner) =>
    checkOf(
      fc.property(fc.integer({ min: 10, max: 50 }), fc.integer({ min: -1, max: 15 }), (perS, spot) => {
        const crowd = { base: 0, low: 0, high: 0, periodS: 1000, spot, cost: 0.5 };
        const world = new PlannedWorld({ ...QUIET, crowds: [crowd] }, planner);
        const players = () => Math.min(1200, perS * world.timeS);
        while (world.reshapes().length === 0 && players() < CAPACITY) {
          crowd.high = (players() + perS / 4) / CAPACITY;
          world.step();
        }
        if (players() >= CAPACITY) throw new Error(`not split at ${players()} players`);
        const { load, hottestChild } = world.reshapes()[0].numbers;
        const levels = new Set(
          world.decisions.flatMap((d) => (d.kind === 'split' ? d.children.map((c) => c.tile.z) : [])),
        );
        if (levels.has(13) !== hottestChild >= 0.8)
          throw new Error(`two levels at ${hottestChild} of ${load}`);
      }),
    ),
};

/** Nothing happens but what a test makes happen. */
export const QUIET: Scenario = {
  seed: 1,
  shards: 4,
  alive: 1,
  pinShards: false,
  crowds: [],
  noise: 0,
  delayS: 0.5,
  failures: 0,
  full: NEVER,
  ownShare: 1,
  waits: 0,
  emptyS: Infinity,
  endS: 0,
};
