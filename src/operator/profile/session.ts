/**
 * One profiled run: a server with agents in its threads, bots on it, and what was seen meanwhile.
 *
 * Contract: starts two child processes on free ports and ends both, whatever happens; rejects with one sentence when
 * either does not come up. Nothing is left but the files of the profile.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../../base/node-flags.js';
import type { Clock, Timers } from '../../base/clock.js';
import type { Status } from '../../control/status.js';
import type { AgentReply, Ask, Beat } from './protocol.js';
import { type ProcessSample, sampleProcess } from './watch.js';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));
const BOTS = fileURLToPath(new URL('../../bots/main.js', import.meta.url));
const AGENT = new URL('./agent.js', import.meta.url).href;
const LINE = /^BlueMarble accepts clients at (wss?:\/\/\S+) \(status: (http:\/\/\S+)\)\n/;
const START_MS = 30_000;
/** Asleep in its tick, a shard answers within a second; writing a long profile takes its time. */
const ANSWER_MS = 15_000;
const SAMPLE_MS = 500;
const PROFILER = 'the profiler itself';
const BEAT_MS = 1_000;

export interface SessionOptions {
  readonly bots: number;
  readonly seconds: number;
  readonly scenario: string;
  /** Flags of the server besides port and storage. */
  readonly server: readonly string[];
  /** What to record; null = samples of /proc and beats only. */
  readonly what: 'cpu' | 'heap' | null;
  /** Where profiles of threads go. */
  readonly folder: string;
}

export interface Recorded {
  readonly samples: readonly ProcessSample[];
  readonly beats: readonly (Beat & { readonly atMs: number })[];
  readonly statuses: readonly { readonly atMs: number; readonly status: Status }[];
  /** Thread id of the kernel → name. */
  readonly names: ReadonlyMap<number, string>;
  /** Profile files by thread. */
  readonly files: readonly { readonly thread: string; readonly file: string }[];
  /** Sentences about bots that were not let in, promises broken, threads that did not answer. */
  readonly remarks: readonly string[];
}

export class Session {
  private readonly names = new Map<number, string>();
  private readonly files: { thread: string; file: string }[] = [];
  private readonly beats: (Beat & { atMs: number })[] = [];
  private readonly samples: ProcessSample[] = [];
  private readonly statuses: { atMs: number; status: Status }[] = [];
  private readonly remarks: string[] = [];
  private readonly children: ChildProcess[] = [];

  constructor(
    private readonly options: SessionOptions,
    private readonly parts: { clock: Clock; timers: Timers; tell: (text: string) => void },
  ) {}

  async run(): Promise<Recorded> {
    const { options, parts } = this;
    try {
      const server = await this.startServer();
      parts.tell(`the server runs; ${options.bots} bots join`);
      const bots = this.startBots(server.game, server.admin);
      await this.joined(server.admin, bots.ended);
      await this.record(server);
      parts.tell('the bots take their leave');
      bots.child.kill('SIGINT');
      const code = await bots.ended;
      if (code === 1) this.remarks.push('the bots say that a promise was broken: see above');
      await this.end(server.child);
    } finally {
      for (const child of this.children) child.kill('SIGKILL');
    }
    const { samples, beats, statuses, names, files, remarks } = this;
    return { samples, beats, statuses, names, files, remarks };
  }

  private async startServer(): Promise<{ child: ChildProcess; game: string; admin: string }> {
    const flags = ['--memory', '--port', '0', '--log-level', 'warn', ...this.options.server];
    const child = spawn(process.execPath, [...NODE_FLAGS, '--import', AGENT, MAIN, ...flags], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.children.push(child);
    child.on('message', (reply: AgentReply) => this.heard(reply));
    let out = '';
    const open = new Promise<RegExpExecArray>((resolve, reject) => {
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        out += text;
        const line = LINE.exec(out);
        if (line !== null) resolve(line);
      });
      child.once('exit', (code) => reject(new Error(`the server ended at its start, exit code ${code}`)));
    });
    const [, game, admin] = await this.within('the server accepts clients', open, START_MS);
    return { child, game, admin };
  }

  private startBots(game: string, admin: string): { child: ChildProcess; ended: Promise<number | null> } {
    const { bots, scenario } = this.options;
    const flags = ['--players', String(bots), '--seconds', '0', '--scenario', scenario];
    const child = spawn(process.execPath, [BOTS, '--url', game, '--admin', admin, ...flags], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.children.push(child);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n')) if (line.startsWith('broken: ')) this.remarks.push(line);
    });
    return { child, ended: new Promise((resolve) => child.once('exit', (code) => resolve(code))) };
  }

  private async joined(admin: string, ended: Promise<unknown>): Promise<void> {
    const { bots, scenario } = this.options;
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    const ramp = (bots / (['crowd', 'pulse', 'metre'].includes(scenario) ? 50 : 250)) * 1000;
    const deadline = this.parts.clock.now() + ramp + START_MS;
    for (let players = 0; players < bots; ) {
      if (isOver) throw new Error('the bots ended before they were all in');
      if (this.parts.clock.now() > deadline) {
        this.remarks.push(`${players} of ${bots} bots were in when the recording began`);
        return;
      }
      await this.pause(SAMPLE_MS);
      players = (await this.status(admin))?.players ?? players;
    }
  }

  private async record(server: { child: ChildProcess; admin: string }): Promise<void> {
    const { options, parts } = this;
    const { child } = server;
    const others = sampleProcess(child.pid ?? 0, parts.clock.now()).threads;
    const known = new Set([...others.map(({ tid }) => tid), ...this.names.keys()]);
    if (options.what !== null) this.ask(child, { type: 'start', what: options.what });
    const begun = parts.clock.now();
    let beaten = 0;
    for (let passed = 0; passed < options.seconds * 1000; passed = parts.clock.now() - begun) {
      if (passed - beaten >= BEAT_MS || beaten === 0) {
        beaten = Math.max(1, passed);
        this.ask(child, { type: 'beat' });
        const status = await this.status(server.admin);
        if (status !== null) this.statuses.push({ atMs: parts.clock.now(), status });
        parts.tell(
          `recording: ${Math.round(passed / 1000)} of ${options.seconds} s, ${status?.players ?? 0} players`,
        );
      }
      this.samples.push(sampleProcess(child.pid ?? 0, parts.clock.now()));
      await this.pause(SAMPLE_MS);
    }
    this.samples.push(sampleProcess(child.pid ?? 0, parts.clock.now()));
    if (options.what === null) return;
    // V8 takes its samples in threads of their own: what they cost is not the server's.
    for (const { tid } of this.samples.at(-1)?.threads ?? [])
      if (!known.has(tid) && !this.names.has(tid)) this.names.set(tid, PROFILER);
    parts.tell('the threads write their profiles');
    this.ask(child, { type: 'stop', folder: options.folder });
    const expected = new Set([...this.names.values()].filter((name) => name !== PROFILER));
    const deadline = parts.clock.now() + ANSWER_MS;
    const missing = () => [...expected].filter((name) => !this.files.some((file) => file.thread === name));
    while (missing().length > 0 && parts.clock.now() < deadline) await this.pause(100);
    for (const name of missing()) this.remarks.push(`no profile of the thread "${name}": it did not answer`);
  }

  private heard(reply: AgentReply): void {
    this.names.set(reply.tid, reply.thread);
    if (reply.type === 'profile') this.files.push({ thread: reply.thread, file: reply.file });
    if (reply.type === 'beat') this.beats.push({ ...reply, atMs: this.parts.clock.now() });
  }

  private ask(child: ChildProcess, ask: Ask): void {
    if (child.connected) child.send(ask);
  }

  private async status(admin: string): Promise<Status | null> {
    try {
      return (await (await fetch(`${admin}/api/status`)).json()) as Status;
    } catch {
      return null; // busy or gone: the next one tells
    }
  }

  private async end(child: ChildProcess): Promise<void> {
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    await this.within('the server stops', ended, START_MS);
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.parts.timers.after(ms, resolve);
    });
  }

  private within<T>(what: string, promise: Promise<T>, ms: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.parts.timers.after(ms, () =>
        reject(new Error(`not within ${ms / 1000} s: ${what}`)),
      );
      promise.then(resolve, reject).finally(cancel);
    });
  }
}
