/**
 * `npm run simulate -- --seeds A..B [--ticks T]` or `--seed S`: runs the simulation for each seed and prints seed,
 * ticks and the hash of its event log. The first seed that breaks an invariant ends it with exit code 1 and the command
 * that repeats it.
 */
import { parseArgs } from 'node:util';
import { Simulation } from './simulation.js';

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, seed: { type: 'string' }, ticks: { type: 'string', default: '400' } },
});
const range = /^(\d+)\.\.(\d+)$/.exec(
  values.seeds ?? `${values.seed ?? 1}..${values.seed ?? values.seeds ?? 1}`,
);
const ticks = Number(values.ticks);
if (range === null || !Number.isInteger(ticks) || ticks < 1) {
  console.error('usage: npm run simulate -- --seeds 1..100 [--ticks 400]   or   --seed 7');
  process.exit(2);
}
for (let seed = Number(range[1]); seed <= Number(range[2]); seed++) {
  try {
    const { ticks: ran, hash, ...counts } = await new Simulation({ seed, ticks }).run();
    const said = Object.entries(counts).filter(([name]) => name !== 'seed');
    console.log(`seed ${seed} ticks ${ran} hash ${hash} ${said.map((pair) => pair.join(' ')).join(' ')}`);
  } catch (error) {
    console.log(
      `seed ${seed} FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    console.log(`repeat it: npm run simulate -- --seed ${seed} --ticks ${ticks}`);
    process.exit(1);
  }
}
