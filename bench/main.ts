/**
 * `npm run bench -- NAME [--json]`: runs one named benchmark; without a name it lists them. Each module answers one
 * question, compares against a floor or a peer of the same run, and prints its conditions. Progress goes to standard
 * error; exit code 0, 1 when it failed, 12 for a wrong name or flag.
 */
import { cpus, release } from 'node:os';
import { monotonicClock, systemTimers } from '../src/base/clock.js';
import { BlueMarbleError } from '../src/base/errors.js';
import { type Flags, helpOf, readFlags, tellRefusal } from '../src/base/flags.js';
import { type Bench, type BenchArgs, command, load, NAMES } from './benches.js';

const PROGRESS_MS = 5_000;

async function list(): Promise<void> {
  for (const name of NAMES) console.log(`${name.padEnd(10)} ${(await load(name)).describe}`);
}

async function run(bench: Bench, flags: Flags): Promise<void> {
  const json = flags.has('json');
  if (!json) console.error(bench.describe);
  const values: BenchArgs['values'] = {};
  for (const name of bench.flags ?? []) if (flags.has(name)) values[name] = flags.text(name, '');
  const clock = monotonicClock();
  const begun = clock.now();
  const stop = systemTimers().every(PROGRESS_MS, () => {
    process.stderr.write(`${bench.name}: at work for ${Math.round((clock.now() - begun) / 1000)} s\n`);
  });
  const figures = await bench.run({ json, values }).finally(stop);
  const conditions = {
    bench: bench.name,
    node: process.version,
    cores: cpus().length,
    cpu: cpus()[0]?.model,
    kernel: release(),
  };
  if (json) console.log(JSON.stringify({ ...conditions, ...figures }));
  else console.dir({ ...conditions, ...figures }, { depth: 6 });
}

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const name =
    argv.find((arg) => NAMES.includes(arg)) ?? argv.slice(0, 1).find((arg) => !arg.startsWith('-'));
  if (name !== undefined && !NAMES.includes(name))
    throw new BlueMarbleError('BAD_FLAG', `there is no benchmark "${name}": there are ${NAMES.join(', ')}`);
  const bench = name === undefined ? null : await load(name);
  const flags = readFlags(argv, command(bench));
  if (flags === 'help') process.stdout.write(helpOf(command(bench)));
  else if (bench === null) await list();
  else await run(bench, flags);
}

try {
  await main();
} catch (error) {
  process.exitCode = tellRefusal(error);
}
