/**
 * The command line of the server: reads the options, runs one node or one router, prints one line when it accepts clients, and turns
 * every way to end into an exit code. The line goes to standard output, the log as JSON lines to standard error.
 *
 * Exit codes: 0 an orderly stop (SIGTERM, SIGINT, drain); 10 … 22 a start refused with one sentence (base/errors.ts);
 * 23 … 25 the data are not what they were, 27 a gateway thread that hung, see there; 1 a fault. A later second signal does
 * not wait for the orderly stop.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { monotonicClock } from './base/clock.js';
import { BlueMarbleError } from './base/errors.js';
import { createLog } from './base/log.js';
import { leaveThreadsTheirLimits } from './base/node-flags.js';
import { endWithParent, onStopSignals } from './base/signals.js';
import { type Config, readConfig } from './config.js';
import { PlanetNode } from './node.js';
import { RouterProcess } from './router-process.js';

async function run(config: Config): Promise<number> {
  const log = createLog({ level: config.logLevel, facts: { thread: 'main' } });
  for (const warning of config.warnings) log.warn({}, warning);
  const node = config.router ? new RouterProcess(config, log) : new PlanetNode(config, log);
  onStopSignals(monotonicClock(), (signal) => {
    log.info({ signal }, 'stopping');
    void node.stop(0);
  });
  endWithParent(() => {
    log.info({}, 'stopping: who started this process is gone');
    void node.stop(0);
  });
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception in the main thread, stopping');
    void node.stop(1);
  });
  // A start that hangs (a disk that does not answer) does not hold up a stop.
  const addresses = await Promise.race([node.start(), node.stopped.then(() => null)]);
  if (node.failure !== undefined) throw node.failure;
  if (addresses !== null) {
    process.stdout.write(`BlueMarble accepts clients at ${addresses.game} (status: ${addresses.admin})\n`);
  }
  const code = await node.stopped;
  // A gateway thread that never came back holds its transport open, and Node's exit aborts on it. All else is closed and
  // saved, and the log says how it ended.
  if (node instanceof PlanetNode && node.isStuck()) process.kill(process.pid, 'SIGKILL');
  return code;
}

async function main(): Promise<number> {
  leaveThreadsTheirLimits();
  process.umask(0o077); // what the server writes is for its owner
  try {
    const config = readConfig({
      argv: process.argv.slice(2),
      env: process.env,
      cores: availableParallelism(),
      readText: (path) => readFileSync(path, 'utf8'),
    });
    if (!('help' in config)) return await run(config);
    process.stdout.write(config.help);
    return 0;
  } catch (error) {
    if (error instanceof BlueMarbleError && error.entry.kind === 'startup') {
      process.stderr.write(`BlueMarble does not start: ${error.message} (${error.code})\n`);
      return error.entry.number;
    }
    process.stderr.write(
      `BlueMarble does not start: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
    return 1;
  }
}

// Everything is closed by now; exit all the same, so that nothing forgotten can hold the process.
process.exit(await main());
