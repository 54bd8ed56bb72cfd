/** The game throws in the middle of everything else: nothing is left of such a call, whatever it was; and what is left is found. */
import t from 'tap';
import { CALM } from './faults.js';
import { Simulation } from './simulation.js';

const TICKS = 250;
const LEFT = 'I3: a call of the game that throws has left something behind';

t.test('calls of every kind throw, under deaths, stalls and reshapes', async (t) => {
  const hooks = new Set<string>();
  let stumbles = 0;
  for (let seed = 1; seed <= 6; seed++) {
    const planted = (sim: Simulation) => {
      sim.mix = { ...sim.mix, stumble: 0.3, far: 0.5 };
    };
    const sim = new Simulation({ seed, ticks: TICKS, plant: planted, planner: false });
    stumbles += (await sim.run()).stumbles;
    for (const hook of sim.whim.hooks) hooks.add(hook);
  }
  t.ok(stumbles > 150, `${stumbles} calls have thrown`);
  const often = ['apply', 'step', 'populate', 'spawnPlayer', 'mayReceive', 'received'];
  for (const hook of often) t.ok(hooks.has(hook), `${hook} among them (${[...hooks]})`);
});

const BUGS: readonly [what: string, plant: (sim: Simulation) => void][] = [
  [
    'books that are not put back',
    (sim) => {
      for (const { core } of sim.node.shards) core.deeds.note = () => {};
    },
  ],
  [
    'another bag that is not put back',
    (sim) => {
      for (const { core } of sim.node.shards) core.deeds.saveCold = () => {};
    },
  ],
  [
    'an entity that is made all the same',
    (sim) => {
      for (const { core } of sim.node.shards) core.deeds.did = () => {};
    },
  ],
];

for (const [what, plant] of BUGS)
  t.test(`found: ${what}`, async (t) => {
    const planted = (sim: Simulation) => {
      sim.mix = { ...CALM, stumble: 0.3 };
      plant(sim);
    };
    let found = '';
    for (let seed = 1; seed <= 10 && found === ''; seed++)
      await new Simulation({ seed, ticks: TICKS, plant: planted, planner: false })
        .run()
        .catch((error: unknown) => {
          // Another checker may have been faster.
          if (String(error).includes(LEFT)) found = String(error);
        });
    t.match(found, LEFT);
  });
