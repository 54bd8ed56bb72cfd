/**
 * The command line of the bots: one table of flags, checked here and nowhere else. Throws BAD_FLAG with one sentence
 * that says what would be right.
 */
import { BlueMarbleError } from '../base/errors.js';
import { type Command, readFlags } from '../base/flags.js';

export const SCENARIOS = ['roam', 'border', 'crowd', 'cities', 'planet', 'trade', 'pulse', 'metre'] as const;
export type ScenarioName = (typeof SCENARIOS)[number];
export const BORDERS = ['meridian', 'antimeridian', 'pole', 'corner'] as const;
export type BorderName = (typeof BORDERS)[number];
/** Corruptions of what the bots send, for tests of the checker. */
export const PLANTS = ['none', 'loss', 'double', 'swap'] as const;
export type PlantName = (typeof PLANTS)[number];

export interface BotOptions {
  url: string;
  /** '' = there is none: server-side figures are null. */
  admin: string;
  players: number;
  /** Time under full load, after the last bot was started; 0 = until the process is told to stop. */
  seconds: number;
  scenario: ScenarioName;
  border: BorderName;
  json: boolean;
  /** Share of bots that keep and check a whole view. */
  fullView: number;
  /** Bots started a second. */
  ramp: number;
  actionsPerSecond: number;
  seed: number;
  /** After the bots have left: how long to watch the server until its tiles are whole again, seconds. */
  linger: number;
  /** A bot breaks its socket and resumes, on average every so many seconds; 0 = never. */
  dropEvery: number;
  processes: number;
  /** Places, degrees; empty = the scenario's own. */
  at: readonly { lon: number; lat: number }[];
  /** West, south, east, north, degrees. */
  rect: readonly [number, number, number, number] | null;
  transport: 'lean' | 'ws';
  plant: PlantName;
}

/** One process with its sockets stays well below the 20 000 file descriptors that a process usually has. */
export const PLAYERS_PER_PROCESS = 5000;
const MAX_PROCESSES = 64;

export const BOTS_COMMAND: Command = {
  name: 'npm run bots',
  about:
    'Real clients over real sockets that walk, talk, gather and give, and check every promise from outside.',
  usage: '-- [flags]',
  flags: [
    { name: 'url', argument: 'URL', help: 'game port of the server (ws:// or wss://)' },
    {
      name: 'admin',
      argument: 'URL',
      help: 'admin port; default: the game port + 1 on the same host; "none" to do without',
    },
    {
      name: 'players',
      argument: 'N',
      help: `bots, 1 or more; more than ${PLAYERS_PER_PROCESS} are split over processes`,
    },
    { name: 'seconds', argument: 'S', help: 'time under full load; 0 = until interrupted' },
    { name: 'scenario', argument: 'NAME', help: `${SCENARIOS.join(', ')}` },
    { name: 'border', argument: 'NAME', help: `where the border scenario walks: ${BORDERS.join(', ')}` },
    { name: 'json', argument: '', help: 'one JSON object on stdout instead of the table' },
    { name: 'full-view', argument: 'SHARE', help: 'share of bots that check their whole view, 0…1 (0.05)' },
    { name: 'ramp', argument: 'N', help: 'bots started a second (250; crowd, pulse, metre: 50)' },
    { name: 'actions-per-second', argument: 'N', help: 'actions of each bot besides walking (0.5)' },
    { name: 'seed', argument: 'N', help: 'seed of everything random (1)' },
    {
      name: 'linger',
      argument: 'S',
      help: 'after the bots have left, watch until the tiles are whole again, at most S seconds (0)',
    },
    {
      name: 'drop-every',
      argument: 'S',
      help: 'each bot breaks its socket and resumes, on average every S seconds; 0 = never (0)',
    },
    { name: 'processes', argument: 'N', help: 'processes to split over' },
    {
      name: 'at',
      argument: 'LON,LAT',
      help: 'a place of the scenario; may be given several times',
      isList: true,
    },
    { name: 'rect', argument: 'W,S,E,N', help: 'roam: a rectangle in degrees' },
    { name: 'transport', argument: 'NAME', help: 'lean (default) or ws' },
    {
      name: 'plant',
      argument: 'NAME',
      help: `test builds: a corruption that the checks must find: ${PLANTS.join(', ')}`,
    },
  ],
  examples: [
    ['npm run bots -- --players 50 --seconds 20 --scenario border', '50 clients that walk across borders'],
    ['npm run bots -- --players 1000 --scenario crowd --seconds 60', 'all on one spot'],
    ['npm run bots -- --url ws://10.0.0.5:7777 --json > report.json', 'another server, for scripts'],
  ],
  exits: ['1 a promise broke, or the run said nothing'],
};

/** @param testBuild whether `--plant` may be used */
export function readOptions(argv: readonly string[], testBuild: boolean): BotOptions {
  const flags = readFlags(argv, BOTS_COMMAND);
  if (flags === 'help') throw new BlueMarbleError('BAD_FLAG', 'help has no options'); // asked for before
  const players = flags.whole('players', 100, 1, 1_000_000);
  const scenario = flags.choice('scenario', SCENARIOS, 'roam');
  const url = flags.text('url', 'ws://127.0.0.1:7777');
  if (!/^wss?:\/\/[^/]/.test(url)) bad('url', 'an address that begins with ws:// or wss://');
  const plant = flags.choice('plant', PLANTS, 'none');
  if (plant !== 'none' && !testBuild)
    throw new BlueMarbleError('BAD_FLAG', '--plant works in test builds only');
  return {
    url,
    admin: adminUrl(flags.all('admin')[0], url),
    players,
    seconds: flags.number('seconds', 30, 0, 1e7),
    scenario,
    border: flags.choice('border', BORDERS, 'meridian'),
    json: flags.has('json'),
    fullView: flags.number('full-view', 0.05, 0, 1),
    ramp: flags.number('ramp', ['crowd', 'pulse', 'metre'].includes(scenario) ? 50 : 250, 0.1, 1e6),
    actionsPerSecond: flags.number('actions-per-second', 0.5, 0, 50),
    seed: flags.whole('seed', 1, 0, 0xffffffff),
    linger: flags.number('linger', 0, 0, 3600),
    dropEvery: flags.number('drop-every', 0, 0, 3600),
    processes: flags.whole('processes', Math.ceil(players / PLAYERS_PER_PROCESS), 1, MAX_PROCESSES),
    at: flags.all('at').map(place),
    rect: flags.has('rect') ? rectangle(flags.text('rect', '')) : null,
    transport: flags.choice('transport', ['lean', 'ws'] as const, 'lean'),
    plant,
  };
}

function bad(name: string, must: string): never {
  throw new BlueMarbleError('BAD_FLAG', `--${name} must be ${must}`);
}

function place(text: string): { lon: number; lat: number } {
  const [lon, lat, ...rest] = text.split(',').map(Number) as [number, number];
  if (rest.length > 0 || !(Math.abs(lon) <= 180) || !(Math.abs(lat) <= 90)) bad('at', 'LON,LAT in degrees');
  return { lon, lat };
}

function rectangle(text: string): [number, number, number, number] {
  const [west, south, east, north, ...rest] = text.split(',').map(Number) as [number, number, number, number];
  const sound =
    Math.abs(west) <= 180 && Math.abs(east) <= 180 && south < north && south >= -90 && north <= 90;
  if (rest.length > 0 || !sound) bad('rect', 'W,S,E,N in degrees, south below north');
  return [west, south, east, north];
}

/** The admin port stands one above the game port unless told otherwise (the server's default). */
function adminUrl(given: string | undefined, url: string): string {
  if (given === 'none') return '';
  if (given !== undefined) {
    if (!/^https?:\/\/[^/]/.test(given)) bad('admin', 'an address that begins with http://, or none');
    return given.replace(/\/+$/, '');
  }
  const { hostname, port, protocol } = new URL(url);
  const game = port === '' ? (protocol === 'wss:' ? 443 : 80) : Number(port);
  return `http://${hostname}:${game + 1}`;
}
