/** What there is to measure: the benchmarks by name, what their flags mean, and the help of each. */
import type { Command } from '../src/base/flags.js';

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

export const NAMES = [
  'capacity',
  'crowd',
  'door',
  'fanout',
  'forecast',
  'geo',
  'growth',
  'handover',
  'hogs',
  'idle',
  'kills',
  'map',
  'map-frames',
  'peers',
  'pictures',
  'recovery',
  'restart',
  'soak',
  'split',
  'store',
  'threads',
  'tick',
  'verify',
];

/** A flag means the same in every benchmark that has it. */
const MEANINGS: Readonly<Record<string, readonly [argument: string, help: string]>> = {
  accounts: ['N', 'new accounts that log in together'],
  actions: ['R', 'actions a second of each client'],
  attackers: ['N', 'guests who come one after the other, each to a corner where nobody was'],
  bots: ['N', 'bots on the server'],
  budgets: ['N,N', 'bytes a second that a client is sent at most, one after the other'],
  bytes: ['N', 'bytes a second that a client is sent at most'],
  clients: ['N', 'sockets'],
  cpu: ['N', 'programs that compute without a pause'],
  disk: ['N', 'programs that write large blocks and wait for the disk'],
  entities: ['N', 'entities in the world'],
  every: ['S', 'seconds between two disturbances, on average'],
  'far-cells': ['N', 'side of the view in cells, 3 = without far rings'],
  'frame-rate': ['N', 'frames a second of the server'],
  from: ['N', 'fewest clients tried'],
  gateways: ['N', 'gateway threads of the server'],
  ghosts: ['N', 'sockets that are cut right after their Hello'],
  guests: ['N', 'guests among the entities, who have to come back'],
  how: ['NAME', 'one way only'],
  'lateness-ms': ['MS', 'p99 of lateness that is still carried'],
  layout: ['NAME', 'how the clients stand'],
  memory: ['N', 'programs that take memory and give it back'],
  minutes: ['N', 'how long'],
  neighbours: ['N', 'clients that each one sees'],
  out: ['DIR', 'where they are put'],
  pairs: ['N', 'comparisons, one after the other'],
  places: ['N', 'places for entities in the world'],
  players: ['N', 'players'],
  process: ['N', 'programs that start processes one after the other'],
  profile: ['DIR', 'leaves a CPU profile of the server there'],
  ramp: ['N', 'clients that connect in a second'],
  rate: ['N', 'transfers a second'],
  ratio: ['R', "pixels of the device for one of the page's"],
  rounds: ['N', 'how often it is measured'],
  scenario: ['NAME', 'what the bots do: see npm run bots -- --help'],
  seconds: ['S', 'time measured, each time'],
  seed: ['N', 'of everything random'],
  shards: ['N', 'shard threads of the server'],
  side: ['M', 'metres of the square that they stand on'],
  sizes: ['N,N', 'entities or clients, one size after the other'],
  speed: ['R', 'metres a second that they walk'],
  'tick-ms': ['MS', 'p99 of the tick that is still carried'],
  tiles: ['N', 'tiles that are awake'],
  times: ['N', 'how often it is done'],
  to: ['N', 'most clients tried'],
  trace: ['FILE', 'a CSV file of your own in place of the traces'],
  updates: ['R', 'updates a second and client that are asked at least'],
  viewers: ['N', 'open maps'],
  warm: ['S', 'seconds before the measuring'],
  watchers: ['N', 'clients whose view is looked at'],
  width: ['PX', 'width of the window'],
};

export async function load(name: string): Promise<Bench> {
  return (await import(new URL(`./${name}.js`, import.meta.url).href)) as Bench;
}

/** The flags of one benchmark, or those that all share. */
export function command(bench: Bench | null): Command {
  const own = (bench?.flags ?? []).map((name) => {
    const [argument, help] = MEANINGS[name] ?? ['X', ''];
    return { name, argument, help };
  });
  const examples: [string, string][] =
    bench === null
      ? [
          ['npm run bench', 'what there is'],
          ['npm run bench -- tick', 'the tick of one shard over sizes'],
          ['npm run bench -- fanout --help', 'the flags of one'],
        ]
      : [
          [`npm run bench -- ${bench.name}`, 'as it is meant'],
          [`npm run bench -- ${bench.name} --json`, 'for scripts'],
        ];
  return {
    name: 'npm run bench',
    about: bench === null ? 'Benchmarks; without a name it lists them.' : `${bench.name}: ${bench.describe}`,
    usage: bench === null ? '-- NAME [flags]' : `-- ${bench.name} [flags]`,
    words: ['name'],
    flags: [{ name: 'json', argument: '', help: 'one JSON object on standard output' }, ...own],
    examples,
    exits: ['1 it failed'],
  };
}
