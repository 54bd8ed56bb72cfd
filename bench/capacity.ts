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
import { BlueMarbleError } from '../src/base/errors.js';
import { LIMITS } from '../src/base/limits.js';
import { round } from './fanout/figures.js';
import type { BenchArgs } from './benches.js';
import { type BotsReport, RealServer, runBots } from './real.js';

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
/** An own update comes at least with every second frame, and four times a second in any case. */
const FRAMES_BETWEEN = 2;
const LONGEST_BETWEEN_MS = 250;

async function worstTickMs(server: RealServer): Promise<number> {
  const { shards } = await server.status<{ shards: { tickMs: { p99: number } }[] }>();
  return Math.max(...shards.map((shard) => shard.tickMs.p99));
}

/** One number of clients against a fresh server. */
async function attempt(clients: number, o: Options): Promise<Attempt> {
  const of = (flags: Record<string, number | string>) =>
    Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  const { shards, gateways, seconds, scenario, ramp } = o;
  const server = await RealServer.start(of({ shards, gateways, 'frame-rate': o.frameRate }));
  try {
    const rates = { 'actions-per-second': o.actionsPerSecond, ramp };
    const { report, broken } = await runBots(server, of({ players: clients, seconds, scenario, ...rates }));
    return judge(clients, report, await worstTickMs(server), broken, o);
  } finally {
    await server.stop();
  }
}

type Judged = Pick<
  BotsReport,
  | 'actionsSent'
  | 'actionsLost'
  | 'actionsDuplicated'
  | 'updatesPerClientPerSecond'
  | 'actionsPerClientPerSecond'
  | 'bytesPerClientPerSecond'
> & { selfUpdateGapMs: { p99: number } };

/** Holds a run against the limits. */
export function judge(
  clients: number,
  report: Judged,
  tickMsP99: number,
  promises: string[],
  o: Pick<Options, 'tickMs' | 'latenessMs' | 'updatesPerSecond' | 'frameRate'>,
): Attempt {
  const promisedMs = Math.min((FRAMES_BETWEEN * 1000) / o.frameRate, LONGEST_BETWEEN_MS);
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
    if (!(value >= 0))
      throw new BlueMarbleError('BAD_FLAG', `--${flag} must be a number, not ${values[flag]}`);
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
