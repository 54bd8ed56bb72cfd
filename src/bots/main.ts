/**
 * `npm run bots`: thousands of real clients that check what they are promised. Prints a report on stdout (one JSON
 * object with --json), progress on stderr; exit code 0 when every promise held, 1 when one broke, 12 for a bad flag.
 */
import { monotonicClock, systemTimers, type Timers } from '../base/clock.js';
import { helpOf, readFlags, tellRefusal } from '../base/flags.js';
import { hash2, seededRandom } from '../base/random.js';
import { endWithParent, onStopSignals } from '../base/signals.js';
import { nodeSockets } from '../client/node-socket.js';
import { httpStatus, StatusMeter } from './admin.js';
import { drive, forked, type Member, parts, serveParent } from './crew.js';
import { leanSockets } from './lean-socket.js';
import { Measures } from './measures.js';
import { BOTS_COMMAND, type BotOptions, readOptions } from './options.js';
import { httpLook, ReshapeMeter } from './reshapes.js';
import { brokenPromises, makeReport, table } from './report.js';
import { Swarm, type SwarmPart } from './swarm.js';

const STATUS_MS = 1000;
/** Totals are read from running shards one after another: a transfer between two readings shows for a moment. */
const SETTLE_READS = 20;
const SETTLE_MS = 250;

const timers = systemTimers();
const clock = monotonicClock();

function makeSwarm(options: BotOptions, part: SwarmPart): Swarm {
  const random = seededRandom(hash2(options.seed, part.from));
  const lean = options.transport === 'lean' && options.url.startsWith('ws://');
  return new Swarm(options, part, {
    clock: monotonicClock(),
    random,
    sockets: lean ? leanSockets(random) : nodeSockets,
  });
}

async function run(options: BotOptions): Promise<number> {
  const read = httpStatus(options.admin);
  const first = options.admin === '' ? null : await read();
  if (first === null)
    process.stderr.write(`no admin port at "${options.admin}": server-side figures are left out\n`);
  const meter = first === null ? null : new StatusMeter(first);
  const look = httpLook(options.admin, () => clock.now());
  const firstLook = first === null ? null : await look();
  const reshapes = firstLook === null ? null : new ReshapeMeter(firstLook);
  const lookAgain = async () => {
    const seen = reshapes === null ? null : await look();
    if (seen !== null) reshapes?.sample(seen);
  };
  const stopMeter = timers.every(STATUS_MS, () => {
    if (meter !== null) void read().then((status) => status !== null && meter.sample(status));
    void lookAgain();
  });
  const pieces = parts(options);
  const file = process.argv[1];
  const members: Member[] =
    pieces.length === 1
      ? [drive(makeSwarm(options, pieces[0]), timers, () => {})]
      : pieces.map((part) => forked(file, options, part));
  const stopProgress = tellProgress(members);
  onInterrupt(() => {
    for (const member of members) member.stop();
  });

  const measures = new Measures();
  for (const member of members) measures.add(await member.measured);
  stopMeter();
  if (meter !== null) await settle(meter, read);
  for (const member of members) member.leave();
  await Promise.all(members.map((member) => member.over));
  stopProgress();
  await lookAgain();
  reshapes?.left();
  if (reshapes !== null) await linger(options.linger, reshapes, lookAgain);
  const server = meter?.figures() ?? null;
  const report = makeReport(measures, server, reshapes);
  const broken = brokenPromises(report, measures, server);
  for (const sentence of measures.troubles) process.stderr.write(`view: ${sentence}\n`);
  for (const sentence of broken) process.stderr.write(`broken: ${sentence}\n`);
  if (options.json) process.stderr.write(`${table(report, measures)}\n`);
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${table(report, measures)}\n`);
  return broken.length === 0 ? 0 : 1;
}

/** Watches until the tiles are whole again, but not for ever. */
async function linger(seconds: number, reshapes: ReshapeMeter, look: () => Promise<void>): Promise<void> {
  if (seconds > 0) process.stderr.write('watching until the tiles are whole again\n');
  const deadline = clock.now() + seconds * 1000;
  while (clock.now() < deadline && !reshapes.isWhole) {
    await pause(timers, STATUS_MS);
    await look();
  }
}

/** Samples the totals until they agree with each other; if they never do, the last sample stands. */
async function settle(meter: StatusMeter, read: ReturnType<typeof httpStatus>): Promise<void> {
  for (let i = 0; i < SETTLE_READS; i++) {
    const status = await read();
    if (status !== null) meter.sample(status);
    if (status !== null && meter.itemsAgree) return;
    await pause(timers, SETTLE_MS);
  }
}

function pause(by: Timers, ms: number): Promise<void> {
  return new Promise((resolve) => {
    by.after(ms, resolve);
  });
}

/** A line each second in which something has changed. */
function tellProgress(members: readonly Member[]): () => void {
  let told = '';
  return timers.every(STATUS_MS, () => {
    const text = progress(members);
    if (text !== told) process.stderr.write(`${text}\n`);
    told = text;
  });
}

function progress(members: readonly Member[]): string {
  let started = 0;
  let online = 0;
  for (const { progress: p } of members) {
    started += p.started;
    online += p.online;
  }
  return `${members[0].progress.phase}: ${online} of ${started} bots online`;
}

/** The first interrupt ends the run in good order, a later one at once; without its parent nobody waits for it. */
function onInterrupt(stop: () => void): void {
  onStopSignals(clock, stop, () => process.exit(1));
  endWithParent(() => process.exit(0));
}

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  if (argv.includes('--child')) return serveParent(makeSwarm, timers);
  try {
    if (readFlags(argv, BOTS_COMMAND) === 'help') process.stdout.write(helpOf(BOTS_COMMAND));
    else process.exitCode = await run(readOptions(argv, process.env['BLUEMARBLE_TEST_BUILD'] === '1'));
  } catch (error) {
    // Children and timers may still be alive: there is nothing left to wait for.
    process.exit(tellRefusal(error));
  }
}

await main();
