/**
 * A server as a process of its own, on free ports, for end-to-end tests: started, watched, stopped in good order.
 * Whatever a test does, the process is gone at its end; a server that complains (a log line above warn) or does not
 * end by itself with exit code 0 fails the test that stopped it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { Death } from '../../src/admin/routes.js';
import { monotonicClock, systemTimers } from '../../src/base/clock.js';
import { NODE_FLAGS } from '../../src/base/node-flags.js';
import type { Status } from '../../src/control/status.js';
import { inNamespace } from '../store/namespaces.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const LINE = /^BlueMarble accepts clients at (wss?:\/\/\S+) \(status: (http:\/\/\S+)\)\n/;
const INSPECTORS = /^(Debugger |For help, see: )/;
export const TOKEN = 'token-of-the-tests';
const LOOK_MS = 20;
/** On a machine that others keep busy. */
const START_MS = 60_000;
/** The promise of node.ts. */
const STOP_MS = 10_000;

const clock = monotonicClock();
const timers = systemTimers();

/** One line of the log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [fact: string]: unknown;
}

export interface StartOptions {
  readonly env?: Record<string, string>;
  /** Messages above warn that this server may log; null in place of the list: any. */
  readonly mayLog?: readonly RegExp[];
  /** The server is the first process of a PID namespace of its own, as in a container. */
  readonly isPid1?: boolean;
  /** Threads of shards follow the load; otherwise all run from the start. */
  readonly breathes?: boolean;
  /** Limit of descriptors of the process. */
  readonly descriptors?: number;
  /** Node's inspector is open, on any free port: see `inspector`. */
  readonly isInspected?: boolean;
}

/** Resolves when it is so, looking again and again; rejects with `what` after the time. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  ms = 10_000,
): Promise<void> {
  const deadline = clock.now() + ms;
  while (!(await isSo())) {
    if (clock.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await pause(LOOK_MS);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    timers.after(ms, resolve);
  });
}

/** Rejects with `what` when the promise takes longer. */
export function within<T>(what: string, promise: Promise<T>, ms = 10_000): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = timers.after(ms, () => reject(new Error(`not within ${ms} ms: ${what}`)));
    promise.then(resolve, reject).finally(cancel);
  });
}

export class Server {
  /** ws:// or wss:// of the game port. */
  url = '';
  /** http:// of the admin port. */
  admin = '';
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  private readonly child: ChildProcess;
  private out = '';
  private err = '';

  private constructor(
    private readonly t: Test,
    flags: readonly string[],
    private readonly options: StartOptions,
  ) {
    const asItIs = options.breathes === true || flags.includes('--pin-shards');
    const pinned = asItIs ? [] : ['--pin-shards'];
    const port = flags.includes('--port') ? [] : ['--port', '0'];
    const storage = flags.includes('--data') ? [] : ['--memory'];
    const inspect = options.isInspected === true ? ['--inspect=127.0.0.1:0'] : [];
    const words = [
      process.execPath,
      ...inspect,
      ...NODE_FLAGS,
      MAIN,
      ...storage,
      ...port,
      ...pinned,
      ...flags,
    ];
    const limit = options.descriptors === undefined ? '' : `ulimit -n ${options.descriptors} && `;
    const shell = ['-c', `${limit}exec "$@"`, 'sh', ...words];
    const [command, argv] = options.isPid1 === true ? inNamespace('sh', shell) : ['sh', shell];
    this.child = spawn(command, argv, {
      env: { PATH: process.env.PATH, BLUEMARBLE_ADMIN_TOKEN: TOKEN, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.teardown(() => this.child.kill('SIGKILL'));
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => resolve({ code, signal }));
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
  }

  /** Starts a server and waits until it accepts clients. */
  static async start(t: Test, flags: readonly string[] = [], options: StartOptions = {}): Promise<Server> {
    const server = new Server(t, flags, options);
    let isOver = false;
    void server.ended.then(() => {
      isOver = true;
    });
    await eventually('the server accepts clients', () => isOver || LINE.test(server.out), START_MS);
    const line = LINE.exec(server.out);
    if (line === null) throw new Error(`the server did not start: ${server.out}${server.err}`);
    [, server.url, server.admin] = line;
    return server;
  }

  /** A start that comes to nothing: its exit code, and all that it says. */
  static async refused(t: Test, flags: readonly string[]): Promise<{ code: number | null; err: string }> {
    const server = new Server(t, flags, {});
    const { code } = await within('the start ends', server.ended, START_MS);
    return { code, err: server.err };
  }

  get pid(): number {
    const pid = this.child.pid ?? 0;
    if (this.options.isPid1 !== true) return pid;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()); // of the command unshare
  }
  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Everything on standard error, what children of the server say included. */
  get errors(): string {
    return this.err;
  }

  /** ws:// of Node's inspector, as Node tells it. */
  get inspector(): string {
    return /^Debugger listening on (ws:\S+)$/m.exec(this.err)?.[1] ?? '';
  }

  /** What was logged so far. Throws when a line is not JSON: nothing else may write to standard error, but Node's inspector. */
  get log(): LogLine[] {
    const isNodes = (line: string) => this.options.isInspected === true && INSPECTORS.test(line);
    const lines = this.err.split('\n').filter((line) => line !== '' && !isNodes(line));
    return lines.map((line) => {
      try {
        return JSON.parse(line) as LogLine;
      } catch {
        throw new Error(`not a line of the log: ${line}`);
      }
    });
  }

  /** Lines above warn that no one expected. */
  get complaints(): string[] {
    const { mayLog = [] } = this.options;
    return this.log
      .filter(({ level, msg }) => /^(error|fatal)$/.test(level) && !mayLog.some((known) => known.test(msg)))
      .map((line) => JSON.stringify(line));
  }

  async status(): Promise<Status> {
    const response = await fetch(`${this.admin}/api/status`);
    if (!response.ok) throw new Error(`/api/status says ${response.status}`);
    return (await response.json()) as Status;
  }

  /** A command of the admin port; resolves with the HTTP status. */
  async command(path: string, body: object): Promise<number> {
    const response = await fetch(`${this.admin}/api/admin/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    await response.text();
    return response.status;
  }

  /** Makes a shard die, and waits for its replacement to run. */
  async killShard(shard: number, how: Death): Promise<void> {
    const before = (await this.status()).shards[shard].incarnation;
    const code = await this.command('kill-shard', { shard, how });
    if (code !== 202) throw new Error(`kill-shard says ${code}`);
    await eventually(`shard ${shard} runs again after ${how}`, () =>
      this.log.some(
        (line) => line.msg === 'shard runs' && line.shard === shard && (line.incarnation as number) > before,
      ),
    );
  }

  /** Resident memory of the process, bytes; 0 where the system does not tell. */
  residentBytes(): number {
    try {
      const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1];
      return Number(kib ?? 0) * 1024;
    } catch {
      return 0;
    }
  }

  signal(name: NodeJS.Signals): void {
    if (this.options.isPid1 === true) process.kill(this.pid, name);
    else this.child.kill(name);
  }

  /** Asks it to stop, and holds it to its promise: in time, exit code 0, no complaint. */
  async stop(): Promise<void> {
    this.signal('SIGTERM');
    const end = await within('the server ends', this.ended, STOP_MS);
    this.t.same(end, { code: 0, signal: null }, 'the server ends in good order');
    this.t.same(this.complaints, [], 'the server complains about nothing');
    this.t.equal(this.log.at(-1)?.msg, 'stopped');
  }
}
