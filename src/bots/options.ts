/**
 * The command line of the bots: one table of flags, checked here and nowhere else. Throws BAD_FLAG with one sentence
 * that says what would be right.
 */
import { parseArgs } from 'node:util';
import { BlueMarbleError } from '../base/errors.js';

export const SCENARIOS = ['roam', 'border', 'crowd', 'cities', 'trade', 'pulse', 'metre'] as const;
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

export const BOTS_HELP = `usage: npm run bots -- --url ws://127.0.0.1:7777 --players N --seconds S --scenario NAME
  --url URL                game port of the server (ws:// or wss://)
  --admin URL              admin port; default: the game port + 1 on the same host; "none" to do without
  --players N              bots, 1 or more; more than ${PLAYERS_PER_PROCESS} are split over processes
  --seconds S              time under full load; 0 = until interrupted
  --scenario NAME          ${SCENARIOS.join(', ')}
  --border NAME            where the border scenario walks: ${BORDERS.join(', ')}
  --json                   one JSON object on stdout instead of the table
  --full-view SHARE        share of bots that check their whole view, 0…1 (0.05)
  --ramp N                 bots started a second (250; crowd, pulse, metre: 50)
  --actions-per-second N   actions of each bot besides walking (0.5)
  --seed N                 seed of everything random (1)
  --linger S               after the bots have left, watch until the tiles are whole again, at most S seconds (0)
  --processes N            processes to split over
  --at LON,LAT             a place of the scenario; may be given several times
  --rect W,S,E,N           roam: a rectangle in degrees
  --transport NAME         lean (default) or ws
exit code: 0 all promises held, 1 one broke, 12 a flag is wrong`;

/** @param testBuild whether `--plant` may be used */
export function readOptions(argv: readonly string[], testBuild: boolean): BotOptions {
  const flags = parse(argv);
  const players = whole(flags, 'players', 100, 1, 1_000_000);
  const scenario = choice(flags, 'scenario', SCENARIOS, 'roam');
  const url = flags.get('url')?.[0] ?? 'ws://127.0.0.1:7777';
  if (!/^wss?:\/\/[^/]/.test(url)) bad('url', 'an address that begins with ws:// or wss://');
  const plant = choice(flags, 'plant', PLANTS, 'none');
  if (plant !== 'none' && !testBuild)
    throw new BlueMarbleError('BAD_FLAG', '--plant works in test builds only');
  return {
    url,
    admin: adminUrl(flags.get('admin')?.[0], url),
    players,
    seconds: number(flags, 'seconds', 30, 0, 1e7),
    scenario,
    border: choice(flags, 'border', BORDERS, 'meridian'),
    json: flags.has('json'),
    fullView: number(flags, 'full-view', 0.05, 0, 1),
    ramp: number(flags, 'ramp', ['crowd', 'pulse', 'metre'].includes(scenario) ? 50 : 250, 0.1, 1e6),
    actionsPerSecond: number(flags, 'actions-per-second', 0.5, 0, 50),
    seed: whole(flags, 'seed', 1, 0, 0xffffffff),
    linger: number(flags, 'linger', 0, 0, 3600),
    processes: whole(flags, 'processes', Math.ceil(players / PLAYERS_PER_PROCESS), 1, MAX_PROCESSES),
    at: (flags.get('at') ?? []).map(place),
    rect: flags.has('rect') ? rectangle(flags.get('rect')![0]!) : null,
    transport: choice(flags, 'transport', ['lean', 'ws'] as const, 'lean'),
    plant,
  };
}

type Flags = Map<string, string[]>;
const SWITCHES = ['json', 'help'];
const VALUES = [
  'url',
  'admin',
  'players',
  'seconds',
  'scenario',
  'border',
  'full-view',
  'ramp',
  'actions-per-second',
  'seed',
  'linger',
  'processes',
  'at',
  'rect',
  'transport',
  'plant',
];

function parse(argv: readonly string[]): Flags {
  const options: Record<string, { type: 'string' | 'boolean'; multiple: true }> = {};
  for (const name of SWITCHES) options[name] = { type: 'boolean', multiple: true };
  for (const name of VALUES) options[name] = { type: 'string', multiple: true };
  try {
    // strict: an unknown flag is a mistake, and so is a word without a flag
    const { values } = parseArgs({ args: joined(argv), options, strict: true, allowPositionals: false });
    return new Map(Object.entries(values).map(([name, value]) => [name, (value as unknown[]).map(String)]));
  } catch (error) {
    throw new BlueMarbleError('BAD_FLAG', (error as Error).message);
  }
}

/** `--at -3,4`: a value that begins with a minus must not be taken for a flag. */
function joined(argv: readonly string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const isValue = /^--[a-z-]+$/.test(argv[i]!) && /^-[\d.]/.test(argv[i + 1] ?? '');
    out.push(isValue ? `${argv[i]}=${argv[++i]}` : argv[i]!);
  }
  return out;
}

function bad(name: string, must: string): never {
  throw new BlueMarbleError('BAD_FLAG', `--${name} must be ${must}`);
}

function number(flags: Flags, name: string, fallback: number, min: number, max: number): number {
  const text = flags.get(name)?.at(-1);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max)) bad(name, `a number from ${min} to ${max}`);
  return value;
}

function whole(flags: Flags, name: string, fallback: number, min: number, max: number): number {
  const value = number(flags, name, fallback, min, max);
  if (!Number.isInteger(value)) bad(name, `a whole number from ${min} to ${max}`);
  return value;
}

function choice<T extends string>(flags: Flags, name: string, values: readonly T[], fallback: T): T {
  const text = flags.get(name)?.at(-1) ?? fallback;
  const found = values.find((value) => value === text);
  return found ?? bad(name, `one of ${values.join(', ')}`);
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
