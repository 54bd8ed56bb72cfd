/**
 * What fan-out costs: CPU of the whole server process for each client and frame, beside a floor that does nothing but the
 * same socket work. Real sockets, everybody moving, everybody seeing the wanted number of neighbours.
 *
 * Server and floors run one after the other, in pairs, each with a load generator of its own (the same program, the same
 * incoming messages). Of floors there are two: one whose replies leave with its frames, as the server's do, and one that
 * answers at once, in a write each, as a server does that holds nothing back (`Answering`). Each is measured with
 * actions, then without. A run in which a client was lost, or in which a floor sent something else than the server, is no
 * result: the bench throws.
 *
 * Flags: --clients --seconds --pairs --neighbours (in the near view) --layout spread|cell|border --far-cells (3 = the near
 * view alone) --actions --shards --gateways --warm --ramp --profile DIR (the server writes one .cpuprofile for each thread).
 */
import { BlueMarbleError } from '../src/base/errors.js';
import { monotonicClock, systemTimers } from '../src/base/clock.js';
import { LIMITS } from '../src/base/limits.js';
import type { BenchArgs } from './benches.js';
import { LoadProcess, startFloor, startServer, type Target } from './fanout/children.js';
import { type Field, LAYOUTS, type Layout, makeField } from './fanout/field.js';
import {
  compare,
  floorOptions,
  perClientFrame,
  type Run,
  round,
  sumOf,
  type Window,
  windowOf,
} from './fanout/figures.js';

export const name = 'fanout';
export const describe = 'CPU of the whole server for each client and frame, beside the bare socket work.';

export const flags = [
  'clients',
  'seconds',
  'pairs',
  'neighbours',
  'layout',
  'far-cells',
  'actions',
  'shards',
  'gateways',
  'warm',
  'ramp',
  'profile',
];

export const FRAMES_PER_S = 10;
/** Clients owe a message a second; actions come on top of it. */
const PINGS_PER_S = 1;
/** Floor and server may differ by so much in what a client gets. */
const TOLERANCE = 0.05;

export interface FanoutOptions {
  clients: number;
  /** In the near view. */
  neighbours: number;
  layout: Layout;
  /** Side of the whole view, far rings included; 3 = the near view alone. */
  farCells: number;
  /** Measured with actions, and as long without. */
  seconds: number;
  /** Before the first window: code gets hot, latecomers get their key frames. */
  warmSeconds: number;
  pairs: number;
  actionsPerSecond: number;
  /** Clients that connect a second. */
  ramp: number;
  shards: number;
  gateways: number;
  /** Folder for CPU profiles of the server; '' = none. */
  profile: string;
}

export const FANOUT_DEFAULTS: Readonly<FanoutOptions> = Object.freeze({
  clients: 2000,
  neighbours: 50,
  layout: 'spread',
  farCells: LIMITS.farCells,
  seconds: 10,
  warmSeconds: 5,
  pairs: 3,
  actionsPerSecond: 0.5,
  ramp: 500,
  shards: 1,
  gateways: 1,
  profile: '',
} as const);

const clock = monotonicClock();
const timers = systemTimers();

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    timers.after(seconds * 1000, resolve);
  });
}

async function measureWindow(
  target: Target,
  load: LoadProcess,
  clients: number,
  seconds: number,
): Promise<Window> {
  const before = structuredClone(await load.ask({ type: 'counts' }));
  const start = clock.now();
  const cpu = target.cpuUs();
  await pause(seconds);
  const used = target.cpuUs() - cpu;
  const passed = (clock.now() - start) / 1000;
  const after = await load.ask({ type: 'counts' });
  if (after.open !== clients)
    throw new Error(`${clients - after.open} of ${clients} clients were closed during the run`);
  return windowOf(before, after, passed, used);
}

/** One process, loaded and measured, then ended. */
export async function measure(target: Target, field: Field, options: FanoutOptions): Promise<Run> {
  const load = new LoadProcess();
  try {
    const { actionsPerSecond, ramp, seconds, clients } = options;
    const { urls, tongue } = target;
    const pingsPerSecond = PINGS_PER_S;
    const rates = { actionsPerSecond, pingsPerSecond, framesPerSecond: FRAMES_PER_S };
    await load.ask({ type: 'connect', options: { urls, tongue, field, ramp, ...rates } });
    const window = async (on: boolean, share: number, settleSeconds: number) => {
      await load.ask({ type: 'actions', on });
      await pause(settleSeconds);
      return measureWindow(target, load, clients, seconds * share);
    };
    // The silent window in the middle of the active ones: what drifts evenly falls out of their difference.
    const settle = options.warmSeconds / 5;
    const first = await window(true, 0.5, options.warmSeconds);
    const silent = await window(false, 1, settle);
    const active = sumOf(first, await window(true, 0.5, settle));
    return { active, silent };
  } finally {
    await load.leave();
    await target.end();
  }
}

export function serverFlags({ shards, gateways, farCells }: FanoutOptions): string[] {
  return [
    '--shards',
    String(shards),
    '--pin-shards',
    '--gateways',
    String(gateways),
    '--frame-rate',
    String(FRAMES_PER_S),
    '--far-cells',
    String(farCells),
  ];
}

/** @throws Error when clients were lost, or the floor's traffic is not the server's */
export async function fanout(options: FanoutOptions): Promise<Record<string, unknown>> {
  const field = makeField(options.layout, options.clients, options.neighbours);
  const nodeFlags = options.profile === '' ? [] : ['--cpu-prof', '--cpu-prof-dir', options.profile];
  const servers: Run[] = [];
  const floors: Run[] = [];
  const answering: Run[] = [];
  for (let pair = 0; pair < options.pairs; pair++) {
    const server = await measure(await startServer(field, serverFlags(options), nodeFlags), field, options);
    servers.push(server);
    for (const [runs, answersAtOnce] of [
      [floors, false],
      [answering, true],
    ] as const) {
      const wanted = floorOptions(field, server.active, FRAMES_PER_S, answersAtOnce);
      const floor = await measure(await startFloor(wanted), field, options);
      sameTraffic(server.active, floor.active, options.seconds);
      runs.push(floor);
    }
  }
  const beside = compare(servers, answering, FRAMES_PER_S);
  return {
    ...conditions(options, servers[0]!, floors[0]!),
    fanout: {
      ...compare(servers, floors, FRAMES_PER_S),
      answeringUsPerClientFrame: beside.floorUsPerClientFrame,
      ratioAnswering: beside.ratio,
      ratiosAnswering: beside.ratios,
    },
  };
}

export function sameTraffic(server: Window, floor: Window, seconds: number): void {
  // Each of the two windows may have caught a frame more or less at its ends, of either process.
  const tolerance = TOLERANCE + 2 / (seconds * FRAMES_PER_S);
  const a = perClientFrame(server, FRAMES_PER_S);
  const b = perClientFrame(floor, FRAMES_PER_S);
  for (const what of ['bytes', 'sends'] as const) {
    if (Math.abs(a[what] - b[what]) > tolerance * a[what])
      throw new Error(
        `a client got ${a[what]} ${what} a frame from the server, ${b[what]} from the floor: no result; is the machine busy?`,
      );
  }
}

function conditions(options: FanoutOptions, server: Run, floor: Run): Record<string, unknown> {
  const got = perClientFrame(server.active, FRAMES_PER_S);
  const floorGot = perClientFrame(floor.active, FRAMES_PER_S);
  const rate = (n: number) => round(n / (options.clients * server.active.seconds));
  return {
    clients: options.clients,
    layout: options.layout,
    farCells: options.farCells,
    framesPerSecond: FRAMES_PER_S,
    actionsPerClientPerSecond: rate(server.active.actions),
    pingsPerClientPerSecond: rate(server.active.pings),
    neighbours: round(got.neighbours),
    bytesPerClientPerFrame: round(got.bytes),
    sendsPerClientPerFrame: round(got.sends),
    floorBytesPerClientPerFrame: round(floorGot.bytes),
    floorSendsPerClientPerFrame: round(floorGot.sends),
    shards: options.shards,
    gateways: options.gateways,
    seconds: options.seconds,
    pairs: options.pairs,
  };
}

function readOptions({ values }: BenchArgs): FanoutOptions {
  const number = (flag: string, fallback: number): number => {
    const value = values[flag] === undefined ? fallback : Number(values[flag]);
    if (!(value >= 0))
      throw new BlueMarbleError('BAD_FLAG', `--${flag} must be a number, not ${values[flag]}`);
    return value;
  };
  const d = FANOUT_DEFAULTS;
  const layout = LAYOUTS.find((one) => one === (values['layout'] ?? d.layout));
  if (layout === undefined) throw new Error(`--layout must be one of ${LAYOUTS.join(', ')}`);
  return {
    layout,
    clients: number('clients', d.clients),
    neighbours: number('neighbours', d.neighbours),
    farCells: number('far-cells', d.farCells),
    seconds: number('seconds', d.seconds),
    warmSeconds: number('warm', d.warmSeconds),
    pairs: number('pairs', d.pairs),
    actionsPerSecond: number('actions', d.actionsPerSecond),
    ramp: number('ramp', d.ramp),
    shards: number('shards', d.shards),
    gateways: number('gateways', d.gateways),
    profile: typeof values['profile'] === 'string' ? values['profile'] : '',
  };
}

/** @returns conditions and `fanout {floorUsPerClientFrame, serverUsPerClientFrame, ratio, ratioSilent, usPerAction}` */
export function run(args: BenchArgs): Promise<Record<string, unknown>> {
  return fanout(readOptions(args));
}
