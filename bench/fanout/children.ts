/**
 * The processes of the fan-out bench: starts them, asks them, reads their CPU time, ends them. Each ends with the bench.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../../src/base/node-flags.js';
import type { Field } from './field.js';
import { FIELD_VARIABLE } from './game.js';
import type { Counts, FloorOptions, FromFloor, FromLoad, ToFloor, ToLoad, Tongue } from './talk.js';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
/** USER_HZ of Linux, in which /proc tells CPU time: 100 on every platform that Node runs on. */
const CLOCK_TICKS_PER_S = 100;

/** A process under measurement. */
export interface Target {
  /** One for all clients, or one for each. */
  readonly urls: readonly string[];
  readonly tongue: Tongue;
  /** CPU time of the process with all its threads, user and system, µs. */
  cpuUs(): number;
  end(): Promise<void>;
}

/** Fields 14 and 15 of /proc/PID/stat, utime and stime: whole process (proc(5)). */
export function cpuOfStat(stat: string): number {
  // The second field is the name in brackets, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S) * 1e6;
}

export function target(child: ChildProcess, urls: readonly string[], tongue: Tongue = 'bluemarble'): Target {
  return {
    urls,
    tongue,
    cpuUs: () => cpuOfStat(readFileSync(`/proc/${child.pid}/stat`, 'latin1')),
    end: () => ended(child),
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

/** The real server with the bench's game. @param flags further flags of its command line */
export async function startServer(
  field: Field,
  flags: readonly string[],
  nodeFlags: readonly string[],
): Promise<Target> {
  const argv = [
    '--memory',
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--log-level',
    'warn',
    '--game',
    here('./game.js'),
  ];
  const child = spawn(
    process.execPath,
    [...NODE_FLAGS, ...nodeFlags, here('../../src/main.js'), ...argv, ...flags],
    {
      env: { ...process.env, [FIELD_VARIABLE]: JSON.stringify(field) },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    },
  );
  for await (const line of createInterface({ input: child.stdout! })) {
    const url = /ws:\/\/\S+/.exec(line)?.[0];
    if (url !== undefined) return target(child, [url]);
  }
  throw new Error('the server did not start; its reason stands above');
}

export async function startFloor(options: FloorOptions): Promise<Target> {
  const child = fork(here('./floor.js'), { execArgv: [] });
  child.send({ type: 'serve', options } satisfies ToFloor);
  const [told] = (await once(child, 'message')) as [FromFloor];
  return target(child, [`ws://127.0.0.1:${told.port}`]);
}

/** The load generator. */
export class LoadProcess {
  private readonly child = fork(here('./load.js'), { execArgv: [] });
  private readonly died = once(this.child, 'exit').then(
    (): FromLoad => ({ type: 'failed', reason: 'it ended' }),
  );
  private answered: (answer: FromLoad) => void = () => {};

  constructor() {
    this.child.on('message', (answer: FromLoad) => this.answered(answer));
  }

  /** @throws Error when the process has failed or ended */
  async ask(message: ToLoad): Promise<Counts> {
    const heard = new Promise<FromLoad>((resolve) => {
      this.answered = resolve;
    });
    this.child.send(message);
    const answer = await Promise.race([heard, this.died]);
    if (answer.type === 'failed') throw new Error(`load generator: ${answer.reason}`);
    return answer.counts;
  }

  async leave(): Promise<void> {
    if (this.child.connected) this.child.send({ type: 'leave' } satisfies ToLoad);
    await this.died;
  }
}
