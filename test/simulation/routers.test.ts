/**
 * Routers before the node in the simulation: links that are late, stalled, cut, mute in one way or both, routers and nodes
 * that die at any step; seeds pass, and bugs planted into the production objects are found.
 */
import t from 'tap';
import { KeptActions } from '../../src/cluster/kept-actions.js';
import { Simulation, type SimulationOptions } from './simulation.js';

t.setTimeout(300_000);

const TICKS = 300;
const CRASH = 0.01;

function run(seed: number, options: Partial<SimulationOptions> = {}) {
  const plant = (sim: Simulation) => {
    sim.mix = { ...sim.mix, crash: seed % 2 === 0 ? CRASH : 0 };
  };
  return new Simulation({
    seed,
    ticks: TICKS,
    routers: 2,
    planner: false,
    isVolatile: false,
    plant,
    ...options,
  }).run();
}

t.test('seeds pass; the same seed twice gives the same log', async (t) => {
  const hashes: string[] = [];
  for (let seed = 1; seed <= 4; seed++) hashes.push((await run(seed)).hash);
  t.equal(new Set(hashes).size, hashes.length, 'different logs');
  t.equal((await run(2)).hash, hashes[1], 'seed 2 twice');
});

/** Puts something else in the place of a property of a class, until the function is over. */
async function replaced(of: object, name: string, descriptor: PropertyDescriptor, work: () => Promise<void>) {
  const before = Object.getOwnPropertyDescriptor(of, name) as PropertyDescriptor;
  Object.defineProperty(of, name, { configurable: true, ...descriptor });
  try {
    await work();
  } finally {
    Object.defineProperty(of, name, before);
  }
}

const BUGS: readonly {
  bug: string;
  of: object;
  name: string;
  plant: (before: PropertyDescriptor) => PropertyDescriptor;
}[] = [
  {
    bug: 'no replay: what was undecided is not sent again',
    of: KeptActions.prototype,
    name: 'forEach',
    plant: () => ({ value: () => {} }),
  },
];

t.test('planted bugs are found', async (t) => {
  for (const { bug, of, name, plant } of BUGS) {
    const before = Object.getOwnPropertyDescriptor(of, name) as PropertyDescriptor;
    let found = '';
    await replaced(of, name, plant(before), async () => {
      for (let seed = 1; seed <= 40 && found === ''; seed++)
        await run(seed).catch((error: unknown) => {
          found = `seed ${seed}: ${String(error).slice(0, 100)}`;
        });
    });
    t.match(found, /[IP]\d+/, `${bug}: ${found}`);
  }
});
