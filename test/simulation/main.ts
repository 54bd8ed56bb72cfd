/**
 * `npm run simulate -- --seeds A..B [--ticks T]` or `--seed S`: runs the simulation for each seed and prints seed,
 * ticks and the hash of its event log. The first seed that breaks an invariant ends it with exit code 1 and the command
 * that repeats it.
 */
import { BlueMarbleError } from '../../src/base/errors.js';
import { type Command, helpOf, readFlags, tellRefusal } from '../../src/base/flags.js';
import { Simulation } from './simulation.js';

const COMMAND: Command = {
  name: 'npm run simulate',
  about: 'A whole node under faults in one thread: the same seed is the same run, always.',
  usage: '-- --seeds A..B [--ticks T]',
  flags: [
    { name: 'seeds', argument: 'A..B', help: 'from one seed to another, both included' },
    { name: 'seed', argument: 'S', help: 'one seed (1)' },
    { name: 'ticks', argument: 'T', help: 'ticks of a run (400)' },
  ],
  examples: [
    ['npm run simulate -- --seeds 1..100', 'a hundred runs'],
    ['npm run simulate -- --seed 7 --ticks 800', 'one again, and longer'],
  ],
  exits: ['1 an invariant broke: the command that repeats it is printed'],
};

/** What is asked for, or the end of the process: help, or a sentence about what is wrong. */
function asked(): { from: number; to: number; ticks: number } {
  try {
    const flags = readFlags(process.argv.slice(2), COMMAND);
    if (flags === 'help') {
      process.stdout.write(helpOf(COMMAND));
      process.exit(0);
    }
    const ticks = flags.whole('ticks', 400, 1, 1e9);
    const seed = flags.whole('seed', 1, 0, 2 ** 32);
    const range = /^(\d+)\.\.(\d+)$/.exec(flags.text('seeds', `${seed}..${seed}`));
    if (range === null) throw new BlueMarbleError('BAD_FLAG', '--seeds must be two numbers, such as 1..100');
    return { from: Number(range[1]), to: Number(range[2]), ticks };
  } catch (error) {
    process.exit(tellRefusal(error));
  }
}

const { from, to, ticks } = asked();
for (let seed = from; seed <= to; seed++) {
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
