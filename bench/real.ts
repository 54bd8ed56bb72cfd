/** The real server and the real bots as processes of their own, for benches that verify promises while they measure. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../src/base/node-flags.js';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What the bots report, as far as it is used here. */
export interface BotsReport {
  connected: number;
  disconnects: number;
  drops: number;
  serverRestarts: number;
  trades: number;
  tradesAborted: number;
  actionsSent: number;
  actionsApplied: number;
  actionsLost: number;
  actionsDuplicated: number;
  actionsOutOfOrder: number;
  handovers: number;
  handoverMs: { p50: number; p99: number; max: number };
  selfUpdateGapMs: { p50: number; p99: number; max: number };
  worstGapMs: { p50: number; p99: number; max: number };
  viewMissing: number;
  viewDuplicates: number;
  updatesPerClientPerSecond: number;
  actionsPerClientPerSecond: number;
  bytesPerClientPerSecond: number;
  itemsBefore: number;
  itemsAfter: number;
}

/** Of the server's log, as far as it is used here. */
export interface LogLine {
  readonly msg: string;
  readonly shard?: number;
}

/** What is no line of the log is shown. */
function readLog(from: Readable, hear: (line: LogLine) => void): void {
  createInterface({ input: from }).on('line', (line) => {
    if (line.startsWith('{')) hear(JSON.parse(line) as LogLine);
    else process.stderr.write(`${line}\n`);
  });
}

export class RealServer {
  private constructor(
    private readonly child: ChildProcess,
    readonly game: string,
    readonly admin: string,
  ) {}

  /**
   * @param flags beside those of its ports; without --data it keeps everything in memory
   * @param firstPort of the two, game and admin; default: any that are free
   * @param hear is told every line of its log, from `info` on; default: the fatal ones go to stderr
   * @throws Error when it does not start; its own words stand on stderr
   */
  static async start(
    flags: readonly string[],
    firstPort = 0,
    hear?: (line: LogLine) => void,
  ): Promise<RealServer> {
    const ports = ['--port', String(firstPort)];
    const where = flags.includes('--data') ? [] : ['--memory'];
    const level = ['--log-level', hear === undefined ? 'fatal' : 'info'];
    const argv = [...where, '--host', '127.0.0.1', ...ports, ...level, ...flags];
    const child = spawn(process.execPath, [...NODE_FLAGS, file('../src/main.js'), ...argv], {
      // it ends with this process, by the channel
      stdio: ['ignore', 'pipe', hear === undefined ? 'inherit' : 'pipe', 'ipc'],
    });
    if (hear !== undefined && child.stderr !== null) readLog(child.stderr, hear);
    for await (const line of createInterface({ input: child.stdout! })) {
      const game = /ws:\/\/[\w.:]+/.exec(line)?.[0];
      const admin = /http:\/\/[\w.:]+/.exec(line)?.[0];
      if (game !== undefined && admin !== undefined) return new RealServer(child, game, admin);
    }
    throw new Error('the server did not start; its reason stands above');
  }

  get pid(): number {
    return this.child.pid ?? Number.NaN;
  }

  async status<T>(): Promise<T> {
    return (await (await fetch(`${this.admin}/api/status`)).json()) as T;
  }

  /** @returns HTTP status of the answer */
  async ask(action: string, body: object, token: string): Promise<number> {
    const response = await fetch(`${this.admin}/api/admin/${action}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return response.status;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
  }
}

export interface BotsResult {
  readonly report: BotsReport;
  /** The promises that broke, in words. */
  readonly broken: string[];
}

export interface RunningBots {
  /** Ends a run of endless time in good order: they compare and report. */
  stop(): void;
  /** Ends it now, without a report. */
  kill(): void;
  /** Rejects when they gave no report. */
  readonly over: Promise<BotsResult>;
}

/** @param flags beside the addresses */
export function startBots(server: RealServer, flags: readonly string[]): RunningBots {
  const argv = ['--url', server.game, '--admin', server.admin, '--json', ...flags];
  const bots = spawn(process.execPath, [file('../src/bots/main.js'), ...argv], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const over = Promise.all([text(bots.stdout!), text(bots.stderr!)]).then(([out, told]) => {
    if (out === '') throw new Error(`the bots gave no report: ${told.slice(-500)}`);
    const broken = [...told.matchAll(/^broken: (.*)$/gm)].map((match) => match[1]!);
    return { report: JSON.parse(out) as BotsReport, broken };
  });
  return { stop: () => void bots.kill('SIGINT'), kill: () => void bots.kill('SIGKILL'), over };
}

/** Runs the bots to their end. */
export function runBots(server: RealServer, flags: readonly string[]): Promise<BotsResult> {
  return startBots(server, flags).over;
}
