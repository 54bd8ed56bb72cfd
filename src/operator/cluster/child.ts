/**
 * One process of a local cluster: started, and started again when it has ended and that is wanted. What it logs goes to
 * standard error as it is.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Timers } from '../../base/clock.js';
import { NODE_FLAGS } from '../../base/node-flags.js';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));
const LINE = /^BlueMarble accepts clients at (\S+) \(status: (\S+)\)$/m;
/** A process that ends at once is not started again at once. */
const RESPAWN_MS = 200;

export interface ChildOptions {
  readonly name: string;
  readonly flags: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly respawn: boolean;
  readonly timers: Timers;
  readonly say: (text: string) => void;
  /** It has ended unasked and is not started again. */
  readonly lost: (code: number | null) => void;
}

export class Child {
  private process: ChildProcess | null = null;
  private isStopping = false;
  private ended: Promise<number | null> = Promise.resolve(0);
  private cancel: (() => void) | null = null;

  constructor(private readonly options: ChildOptions) {}

  /** @returns addresses of its game port and admin port; null when it ended before it accepted anybody */
  start(): Promise<{ game: string; admin: string } | null> {
    const { flags, env, name, say } = this.options;
    const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, ...flags], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.process = child;
    say(`${name}: process ${child.pid}`);
    return new Promise((resolve) => {
      let out = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out = `${out}${text}`.slice(-4096);
        const line = LINE.exec(out);
        if (line !== null) resolve({ game: line[1] as string, admin: line[2] as string });
      });
      this.ended = new Promise((end) => {
        child.once('error', () => end(null));
        child.once('exit', (code) => end(code));
      });
      void this.ended.then((code) => {
        resolve(null);
        this.hasEnded(code);
      });
    });
  }

  /** Asks it to end. @returns its exit code; null = it was killed, by us after `ms` or by others */
  async stop(ms: number): Promise<number | null> {
    this.isStopping = true;
    this.cancel?.();
    const { process: child } = this;
    if (child === null) return 0;
    child.kill('SIGTERM');
    const kill = this.options.timers.after(ms, () => child.kill('SIGKILL'));
    const code = await this.ended;
    kill();
    return code;
  }

  private hasEnded(code: number | null): void {
    const { name, respawn, timers, say, lost } = this.options;
    this.process = null;
    if (this.isStopping) return;
    say(`${name}: ended (${code === null ? 'killed' : `exit code ${code}`})`);
    // A start that was refused will be refused again.
    if (!respawn || (code !== null && code >= 10)) return lost(code);
    this.cancel = timers.after(RESPAWN_MS, () => void this.start());
  }
}
