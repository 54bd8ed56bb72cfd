/**
 * `npm run bench -- NAME [--json]`: runs one named benchmark; without a name it lists them. Each module answers one
 * question, compares against a floor or a peer of the same run, and prints its conditions.
 */
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';

/** What a benchmark module exports. */
export interface Bench {
  name: string;
  describe: string;
  /** Names of the flags that take a value. */
  flags?: readonly string[];
  /** @returns figures and conditions, one JSON object */
  run(args: BenchArgs): Promise<Record<string, unknown>>;
}

export interface BenchArgs {
  json: boolean;
  /** Further flags of the command line, for the benchmarks that take some. */
  values: Record<string, string | boolean | undefined>;
}

const NAMES = [
  'capacity',
  'fanout',
  'geo',
  'handover',
  'map',
  'peers',
  'recovery',
  'split',
  'tick',
  'verify',
];

async function load(name: string): Promise<Bench> {
  return (await import(new URL(`./${name}.js`, import.meta.url).href)) as Bench;
}

async function list(): Promise<void> {
  for (const name of NAMES) console.log(`${name.padEnd(10)} ${(await load(name)).describe}`);
}

const args = process.argv.slice(2);
const name = args.find((arg) => !arg.startsWith('-'));
if (name === undefined) {
  await list();
} else if (!NAMES.includes(name)) {
  console.error(`There is no benchmark "${name}". There are: ${NAMES.join(', ')}.`);
  process.exitCode = 2;
} else {
  const bench = await load(name);
  const options = Object.fromEntries((bench.flags ?? []).map((flag) => [flag, { type: 'string' as const }]));
  const { values } = parseArgs({ allowPositionals: true, strict: false, args, options });
  const json = values.json === true;
  if (!json) console.error(bench.describe);
  const figures = await bench.run({ json, values: values as BenchArgs['values'] });
  const conditions = {
    bench: name,
    node: process.version,
    cores: cpus().length,
    cpu: cpus()[0]?.model,
    kernel: release(),
  };
  if (json) console.log(JSON.stringify({ ...conditions, ...figures }));
  else console.log({ ...conditions, ...figures });
}
