/**
 * How many real clients one process carries on this machine, bots included: more and more of them until a limit is
 * passed, then the greatest number between the last good and the first bad run. Every run is a fresh server and honest
 * bots that verify exactly-once, their views and the items; a run in which any promise broke carries nobody, however fast
 * it was.
 *
 * Limits: p99 of a tick (wall time, as the server tells it, the worst shard), p99 of the frames' lateness (what lies between
 * two updates of a bot about itself beyond the time that the server promises), and the rate of these updates.
 *
 * Flags: --from --to --seconds --scenario --actions --frame-rate --shards --gateways --ramp --tick-ms --lateness-ms
 * --updates
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { LIMITS } from '../src/base/limits.js';
import { round } from './fanout/figures.js';
import type { BenchArgs } from './main.js';

export const name = 'capacity';
export const describe =
  'The most real clients that one process carries within limits, every promise verified.';
export const flags = [
  'from',
  'to',
  'seconds',
  'scenario',
  'actions',
  'frame-rate',
  'shards',
  'gateways',
  'ramp',
  'tick-ms',
  'lateness-ms',
  'updates',
];

interface Options {
  from: number;
  to: number;
  seconds: number;
  scenario: string;
  actionsPerSecond: number;
  frameRate: number;
  shards: number;
  gateways: number;
  ramp: number;
  tickMs: number;
  latenessMs: number;
  updatesPerSecond: number;
}

/** What the bots report, as far as it is used here. */
interface Report {
  connected: number;
  actionsSent: number;
  actionsLost: number;
  actionsDuplicated: number;
  selfUpdateGapMs: { p50: number; p99: number };
  updatesPerClientPerSecond: number;
  actionsPerClientPerSecond: number;
  bytesPerClientPerSecond: number;
}

interface Attempt {
  clients: number;
  tickMsP99: number;
  p99LatenessMs: number;
  updatesPerClientPerSecond: number;
  actionsPerClientPerSecond: number;
  bytesPerClientPerSecond: number;
  lost: number;
  doubled: number;
  /** What forbids this number; empty = it is carried. */
  broken: string[];
}

/** Between the last good and the first bad number: halved until they are this close. */
const CLOSE = 1.1;
const GROWTH = 1.6;
/** An own update comes at least with every second frame. */
const FRAMES_BETWEEN = 2;

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

async function startServer(o: Options) {
  const argv = ['--memory', '--host', '127.0.0.1', '--port', '0', '--log-level', 'warn'];
  argv.push(
    '--shards',
    String(o.shards),
    '--gateways',
    String(o.gateways),
    '--frame-rate',
    String(o.frameRate),
  );
  const child = spawn(process.execPath, [file('../src/main.js'), ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    const game = /ws:\/\/[\w.:]+/.exec(line)?.[0];
    const admin = /http:\/\/[\w.:]+/.exec(line)?.[0];
    if (game !== undefined && admin !== undefined) return { child, game, admin };
  }
  throw new Error('the server did not start; its reason stands above');
}

async function worstTickMs(admin: string): Promise<number> {
  const status = (await (await fetch(`${admin}/api/status`)).json()) as {
    shards: { tickMs: { p99: number } }[];
  };
  return Math.max(...status.shards.map((shard) => shard.tickMs.p99));
}

/** One number of clients against a fresh server. */
async function attempt(clients: number, o: Options): Promise<Attempt> {
  const server = await startServer(o);
  try {
    const argv = ['--url', server.game, '--admin', server.admin, '--players', String(clients), '--json'];
    argv.push('--seconds', String(o.seconds), '--scenario', o.scenario, '--ramp', String(o.ramp));
    argv.push('--actions-per-second', String(o.actionsPerSecond));
    const bots = spawn(process.execPath, [file('../src/bots/main.js'), ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, told] = await Promise.all([text(bots.stdout!), text(bots.stderr!)]);
    const tickMsP99 = await worstTickMs(server.admin);
    if (out === '') throw new Error(`the bots gave no report: ${told.slice(-500)}`);
    const promises = [...told.matchAll(/^broken: (.*)$/gm)].map((match) => match[1]!);
    return judge(clients, JSON.parse(out) as Report, tickMsP99, promises, o);
  } finally {
    server.child.kill('SIGTERM');
    if (server.child.exitCode === null)
      await new Promise((resolve) => {
        server.child.once('exit', resolve);
      });
  }
}

/** Holds a run against the limits. */
export function judge(
  clients: number,
  report: Report,
  tickMsP99: number,
  promises: string[],
  o: Pick<Options, 'tickMs' | 'latenessMs' | 'updatesPerSecond' | 'frameRate'>,
): Attempt {
  const promisedMs = (FRAMES_BETWEEN * 1000) / o.frameRate;
  const p99LatenessMs = Math.max(0, round(report.selfUpdateGapMs.p99 - promisedMs));
  const broken = [...promises];
  if (report.actionsSent === 0) broken.push('no action was sent: nothing was verified');
  if (tickMsP99 > o.tickMs) broken.push(`tick p99 ${round(tickMsP99)} ms is over ${o.tickMs} ms`);
  if (p99LatenessMs > o.latenessMs)
    broken.push(`frame lateness p99 ${p99LatenessMs} ms is over ${o.latenessMs} ms`);
  if (report.updatesPerClientPerSecond < o.updatesPerSecond)
    broken.push(`${report.updatesPerClientPerSecond} updates a second are fewer than ${o.updatesPerSecond}`);
  return {
    clients,
    tickMsP99: round(tickMsP99),
    p99LatenessMs,
    updatesPerClientPerSecond: report.updatesPerClientPerSecond,
    actionsPerClientPerSecond: report.actionsPerClientPerSecond,
    bytesPerClientPerSecond: report.bytesPerClientPerSecond,
    lost: report.actionsLost,
    doubled: report.actionsDuplicated,
    broken,
  };
}

/**
 * Finds the greatest number that is carried. @param run tries one number
 * @returns the attempts in their order
 */
export async function search(
  from: number,
  to: number,
  run: (clients: number) => Promise<Attempt>,
): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  const carries = async (clients: number) => {
    const result = await run(clients);
    attempts.push(result);
    return result.broken.length === 0;
  };
  let good = 0;
  let bad = 0;
  for (let clients = from; bad === 0 && good < to; clients = Math.min(to, Math.round(clients * GROWTH))) {
    if (await carries(clients)) good = clients;
    else bad = clients;
  }
  while (bad > 0 && bad > good * CLOSE && bad - good > 1) {
    const middle = Math.round((good + bad) / 2);
    if (await carries(middle)) good = middle;
    else bad = middle;
  }
  return attempts;
}

function readOptions({ values }: BenchArgs): Options {
  const number = (flag: string, fallback: number): number => {
    const value = values[flag] === undefined ? fallback : Number(values[flag]);
    if (!(value >= 0)) throw new Error(`--${flag} must be a number, not ${values[flag]}`);
    return value;
  };
  return {
    from: number('from', 1000),
    to: number('to', 16_000),
    seconds: number('seconds', 20),
    scenario: typeof values['scenario'] === 'string' ? values['scenario'] : 'cities',
    actionsPerSecond: number('actions', 0.1),
    frameRate: number('frame-rate', LIMITS.frameRateHz),
    shards: number('shards', 1),
    gateways: number('gateways', 1),
    ramp: number('ramp', 400),
    tickMs: number('tick-ms', 50),
    latenessMs: number('lateness-ms', 250),
    updatesPerSecond: number('updates', 4),
  };
}

/** @returns conditions, every attempt, and `capacity {clients, tickMsP99, p99LatenessMs}` */
export async function run(args: BenchArgs): Promise<Record<string, unknown>> {
  const options = readOptions(args);
  const attempts = await search(options.from, options.to, async (clients) => {
    console.error(`${clients} clients …`);
    const result = await attempt(clients, options);
    console.error(`  ${result.broken.length === 0 ? 'carried' : result.broken.join('; ')}`);
    return result;
  });
  const best = attempts
    .filter(({ broken }) => broken.length === 0)
    .reduce<Attempt | null>((most, one) => (most === null || one.clients > most.clients ? one : most), null);
  return {
    ...options,
    viewCells: `${LIMITS.viewCells} × ${LIMITS.viewCells}`,
    attempts,
    capacity: best ?? { clients: 0, tickMsP99: null, p99LatenessMs: null },
  };
}
