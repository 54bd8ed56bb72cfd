/**
 * The options of the server, and the configuration that a node is built from.
 *
 * Contract: `readConfig` returns a complete, validated, frozen `Config`, or the help text, or throws as said in
 * options.ts. Nothing else in BlueMarble reads the command line or the environment.
 */
import { isLoopback, namesOf } from './admin/hosts.js';
import { createPublicKey } from 'node:crypto';
import { LIMITS } from './base/limits.js';
import { FORECAST_MODES, type ForecastMode } from './control/forecast/foreseer.js';
import { ADDRESS_OPTIONS, addressLimits } from './address-options.js';
import type { AddressOptions } from './gateway/addresses.js';
import { LOG_LEVELS, type LogLevel } from './base/log.js';
import { completeLinks, LINK_OPTIONS, type LinkConfig } from './link-options.js';
import {
  choice,
  onOff,
  type Option,
  type OptionInput,
  optionLines,
  readOptions,
  secret,
  type Settings,
  text,
  whole,
} from './options.js';

/** Everything that a node is built from. Rates in Hz, `null` = not given. */
export interface Config extends LinkConfig {
  /** Address of the game port, null = every interface. */
  readonly host: string | null;
  readonly port: number;
  readonly adminHost: string;
  /** Names and addresses that the admin port is asked by beside its own, in one spelling. */
  readonly adminHosts: readonly string[];
  /** Default: `port + 1`; 0 (any free port) when `port` is 0. */
  readonly adminPort: number;
  readonly adminToken: string | null;
  /** What one address may have. */
  readonly addresses: AddressOptions;
  readonly gateways: number;
  readonly shards: number;
  readonly pinShards: boolean;
  readonly shardNice: number;
  /** Data directory; null = in memory. */
  readonly data: string | null;
  readonly memory: boolean;
  /** Snapshot that takes the place of the data at the start; null = none. */
  readonly restore: string | null;
  /** Seconds between snapshots, 0 = none are made by themselves. */
  readonly snapshotEvery: number;
  /** How many of those stay. */
  readonly snapshotsKept: number;
  readonly capacity: number;
  readonly tickRate: number;
  readonly frameRate: number;
  readonly maxEntities: number;
  /** A second. */
  readonly clientBytes: number;
  readonly farCells: number;
  readonly bots: number;
  readonly game: string | null;
  readonly seed: number;
  readonly ticketKey: string | null;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
  /** Collector of traces, null = none. */
  readonly otlpUrl: string | null;
  readonly testFaults: boolean;
  /** Whether load is foreseen, and whether the planner goes by it. */
  readonly forecast: ForecastMode;
  readonly logLevel: LogLevel;
  /** Things that are allowed but probably not meant, one sentence each. */
  readonly warnings: readonly string[];
}

function dataOptions(): readonly Option[] {
  return [
    text(
      'data',
      'DIR',
      'a directory',
      null,
      'keep the world in this directory: it survives a stop and a kill',
    ),
    onOff('memory', 'keep the world in memory only; the default without --data'),
    text('restore', 'NAME', 'the name of a snapshot', null, 'go back to this snapshot of --data first'),
    whole('snapshot-every', 0, 604_800, 0, 'seconds between snapshots of --data; 0: none by itself'),
    whole('snapshots-kept', 1, 1000, 8, 'snapshots without a name of their own that are kept'),
  ];
}

function adminOptions(): readonly Option[] {
  return [
    text('admin-host', 'ADDRESS', 'an address of this machine', '127.0.0.1', 'address of the admin port'),
    text('admin-hosts', 'NAMES', 'names, separated by commas', null, 'further names that it is asked by'),
    secret('admin-token', 8, 'bearer token of POST /api/admin/…; without one it is off'),
  ];
}

/** The table. `cores` decides the default number of shards. */
function optionTable(cores: number): readonly Option[] {
  const shards = Math.min(Math.max(1, cores - 1), LIMITS.maxShards);
  return [
    whole('port', 0, 65535, 7777, 'game port, WebSocket only; 0 takes any free port'),
    text('host', 'ADDRESS', 'an address of this machine', null, 'address of the game port; default: all'),
    whole('admin-port', 0, 65535, null, 'admin port (HTTP); default: game port + 1'),
    ...adminOptions(),
    ...ADDRESS_OPTIONS,
    whole('gateways', 1, LIMITS.maxGateways, 1, 'gateway threads, all on the game port'),
    whole('shards', 1, LIMITS.maxShards, shards, 'shard threads; default: cores - 1, with --bots at least 2'),
    onOff('pin-shards', 'keep exactly --shards threads'),
    whole('shard-nice', -20, 19, 0, 'nice value of the shard threads; below 0 ticks go before what is sent'),
    ...dataOptions(),
    whole(
      'capacity',
      1,
      1_000_000,
      LIMITS.capacityPlayers,
      'players that one tile carries; with --bots half of them',
    ),
    whole('tick-rate', 1, 60, LIMITS.tickRateHz, 'ticks per second'),
    whole('frame-rate', 1, 60, LIMITS.frameRateHz, 'frames per second to clients; divides the tick rate'),
    whole(
      'max-entities',
      256,
      LIMITS.maxEntities,
      LIMITS.maxEntities,
      'places for entities, players included',
    ),
    whole(
      'client-bytes',
      LIMITS.leastClientBytesPerS,
      16 * 1024 * 1024,
      LIMITS.clientBytesPerS,
      'bytes a second that a client is sent in the mean, whatever stands around it; in any one second up to one and a half times as many',
    ),
    whole(
      'far-cells',
      LIMITS.viewCells,
      LIMITS.mostFarCells,
      LIMITS.farCells,
      'side of the square of cells that a client sees, odd; beyond 3 × 3 they come slower',
    ),
    whole('bots', 0, 5000, 0, 'start a child process with N bots'),
    text('game', 'FILE', 'the path of a game module', null, 'game module; default: the built-in game'),
    whole('seed', 0, 0xffff_ffff, 1, 'seed of the natural content of the world'),
    secret('ticket-key', 32, 'secret of signed tickets; without one clients are guests'),
    text('tls-cert', 'FILE', 'the path of a PEM file', null, 'TLS certificate; needs --tls-key'),
    text('tls-key', 'FILE', 'the path of a PEM file', null, 'TLS private key; needs --tls-cert'),
    ...LINK_OPTIONS,
    text(
      'config',
      'FILE',
      'the path of a JSON file',
      null,
      'config file: one JSON object with the names of these flags',
    ),
    text(
      'otlp-url',
      'URL',
      'an http:// or https:// address',
      null,
      'collector that gets traces (OpenTelemetry, OTLP over HTTP); default: none',
    ),
    onOff('test-faults', 'allow kill-shard on the admin port (tests only)'),
    choice('forecast', FORECAST_MODES, 'watch', 'foresight of load: not at all, only shown, or acted upon'),
    choice('log-level', LOG_LEVELS, 'info', 'least level that is logged, as JSON lines on stderr'),
  ];
}

/** Below it a tile would be split for the few that anybody brings to have a look. */
const LEAST_SHOWN_CAPACITY = 50;

export interface ConfigInput extends OptionInput {
  readonly cores: number;
}

/** Returns the configuration, or the help text when `--help` was asked for. */
export function readConfig(input: ConfigInput): Config | { help: string } {
  const options = optionTable(input.cores);
  const settings = readOptions(options, input);
  return settings === 'help' ? { help: helpText(options) } : complete(settings);
}

/** Checks what several options say together, and gives them their types. */
function complete(s: Settings): Config {
  if (s.get<string | null>('data') !== null && s.get<boolean>('memory'))
    throw s.refuse('data', 'is refused together with --memory: the world lives either on disk or in memory');
  for (const name of ['restore', 'snapshot-every'] as const)
    if (s.get<string | null>('data') === null && s.get<string | number | null>(name))
      throw s.refuse(name, 'needs --data: snapshots are of a data directory');
  const port = s.get<number>('port');
  const { tickRate, frameRate } = rates(s);
  refuseTicketKey(s, s.get<string | null>('ticket-key'));
  const tlsCert = s.get<string | null>('tls-cert');
  const tlsKey = s.get<string | null>('tls-key');
  refuseHalfTls(s, tlsCert, tlsKey);
  const otlpUrl = s.get<string | null>('otlp-url');
  if (otlpUrl !== null && !isHttp(otlpUrl))
    throw s.refuse(
      'otlp-url',
      'must be an http:// or https:// address, such as http://127.0.0.1:4318/v1/traces',
    );
  return Object.freeze({
    ...completeLinks(s),
    ...completeAdmin(s, port),
    host: s.get<string | null>('host'),
    port,
    addresses: addressLimits(s),
    gateways: s.get<number>('gateways'),
    shards: shardsFor(s),
    pinShards: s.get<boolean>('pin-shards'),
    shardNice: s.get<number>('shard-nice'),
    data: s.get<string | null>('data'),
    memory: s.get<string | null>('data') === null,
    restore: s.get<string | null>('restore'),
    snapshotEvery: s.get<number>('snapshot-every'),
    snapshotsKept: s.get<number>('snapshots-kept'),
    capacity: capacityFor(s),
    tickRate,
    frameRate,
    maxEntities: s.get<number>('max-entities'),
    clientBytes: s.get<number>('client-bytes'),
    farCells: oddCells(s),
    bots: s.get<number>('bots'),
    game: s.get<string | null>('game'),
    seed: s.get<number>('seed'),
    ticketKey: s.get<string | null>('ticket-key'),
    tlsCert,
    tlsKey,
    otlpUrl,
    testFaults: s.get<boolean>('test-faults'),
    forecast: s.get<ForecastMode>('forecast'),
    logLevel: s.get<LogLevel>('log-level'),
    warnings: Object.freeze([...s.warnings]),
  });
}

/** With bots, and unless said otherwise, there are two shards at least: a planet that is shown has handovers to show. */
function shardsFor(s: Settings): number {
  const shards = s.get<number>('shards');
  return s.has('shards') || s.get<number>('bots') === 0 ? shards : Math.max(2, shards);
}

/** Likewise a capacity that the bots' fair (bots/scenarios/planet.ts) comes near to: so tiles are split and merged. */
function capacityFor(s: Settings): number {
  const [capacity, bots] = [s.get<number>('capacity'), s.get<number>('bots')];
  if (s.has('capacity') || bots === 0) return capacity;
  return Math.min(capacity, Math.max(LEAST_SHOWN_CAPACITY, Math.ceil(bots / 2)));
}

/** @param port of the game */
function completeAdmin(
  s: Settings,
  port: number,
): Pick<Config, 'adminHost' | 'adminHosts' | 'adminPort' | 'adminToken'> {
  const adminPort = s.get<number | null>('admin-port') ?? (port === 0 ? 0 : port + 1);
  if (adminPort > 65535)
    throw s.refuse(
      'port',
      'must be at most 65534, since the admin port is the next one; or give --admin-port',
    );
  if (adminPort === port && port !== 0)
    throw s.refuse('admin-port', `must differ from the game port ${port}`);
  const adminHost = s.get<string>('admin-host');
  if (!isLoopback(adminHost))
    s.warnings.push(`the admin port is open to other machines (--admin-host ${adminHost})`);
  const adminToken = s.get<string | null>('admin-token');
  return { adminHost, adminHosts: adminNames(s), adminPort, adminToken };
}

function adminNames(s: Settings): readonly string[] {
  const given = s.get<string | null>('admin-hosts');
  const names = given === null ? [] : namesOf(given);
  if (names === null)
    throw s.refuse(
      'admin-hosts',
      `must be names or addresses without scheme and port, separated by commas, such as planet.example,10.0.0.5, but was ${JSON.stringify(given)}`,
    );
  return Object.freeze(names);
}

function isHttp(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function helpText(options: readonly Option[]): string {
  return [
    'BlueMarble: a server for one seamless, planet-sized world.',
    '',
    'Usage: npm start -- [flags]',
    '',
    ...optionLines(options),
    '  --help                  this text',
    '',
    'Every flag is also an environment variable (BLUEMARBLE_ADMIN_PORT=7778) and a key of the config file',
    '({"admin-port": 7778}); a flag wins over the environment, the environment over the file. Give secrets',
    '(admin-token, ticket-key, cluster-key) by environment or file: other users of the machine can read a command line.',
    '',
    'Examples:',
    '  npm start                                     a planet on ws://127.0.0.1:7777',
    '  npm start -- --shards 4 --bots 200            four shards, and 200 bots that walk on them',
    '  npm start -- --port 9000 --game my-game.js    your own rules on another port',
    '  BLUEMARBLE_ADMIN_TOKEN=… npm start -- --config planet.json',
    '  npm start -- --router --upstream 127.0.0.1:7779   a router before a node with --link-port 7779',
    '',
    'Exit codes: 0 an orderly stop · 1 a fault · 12 a flag is wrong · others: a start that was refused, see README',
    '',
  ].join('\n');
}

/** How clients prove who they are, from the ticket key. */
export function authOptions(ticketKey: string | null) {
  if (ticketKey === null) return { kind: 'guests' } as const;
  if (ticketKey.startsWith('-----BEGIN')) return { kind: 'public-key', pem: ticketKey } as const;
  return { kind: 'shared-key', key: new TextEncoder().encode(ticketKey) } as const;
}

/** An address that a client on this machine can use. */
export function reachable(host: string | null): string {
  if (host === null || host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

function oddCells(s: Parameters<typeof complete>[0]): number {
  const cells = s.get<number>('far-cells');
  if (cells % 2 === 0)
    throw s.refuse('far-cells', `must be odd: the player's cell is in the middle, but was ${cells}`);
  return cells;
}

/** Without a key everybody is a guest: that must be meant. And a key that verifies no ticket is told at the start. */
function refuseTicketKey(s: Settings, key: string | null): void {
  if (key === null) {
    const empty = s.empty.get('ticket-key');
    if (empty !== undefined)
      throw s.refuse(
        'ticket-key',
        `is empty (${empty}), and without a key everybody is a guest: give one, or unset it`,
      );
    return;
  }
  if (!key.startsWith('-----BEGIN')) return;
  const must = 'must be a secret, or the PEM of an Ed25519 public key (-----BEGIN PUBLIC KEY-----)';
  if (!key.startsWith('-----BEGIN PUBLIC KEY-----'))
    throw s.refuse('ticket-key', `${must}, but is another PEM (a private key stays with who issues tickets)`);
  let kind: string | undefined;
  try {
    kind = createPublicKey(key).asymmetricKeyType;
  } catch {
    throw s.refuse(
      'ticket-key',
      `${must}, but cannot be read: are its line ends real ones, not the two characters \\n?`,
    );
  }
  if (kind !== 'ed25519') throw s.refuse('ticket-key', `${must}, but is one of ${kind}`);
}

function refuseHalfTls(s: Parameters<typeof complete>[0], cert: string | null, key: string | null): void {
  if (cert !== null && key === null)
    throw s.refuse('tls-cert', 'needs --tls-key with the private key of the certificate');
  if (key !== null && cert === null)
    throw s.refuse('tls-key', 'needs --tls-cert with the certificate of the key');
}

function rates(s: Settings): { tickRate: number; frameRate: number } {
  const tickRate = s.get<number>('tick-rate');
  const frameRate = s.get<number>('frame-rate');
  if (tickRate % frameRate !== 0) {
    const right = Array.from({ length: tickRate }, (_, i) => i + 1).filter((n) => tickRate % n === 0);
    throw s.refuse(
      'frame-rate',
      `must divide the tick rate ${tickRate}: one of ${right.join(', ')}, but was ${frameRate}`,
    );
  }
  return { tickRate, frameRate };
}
