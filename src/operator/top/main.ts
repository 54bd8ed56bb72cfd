/**
 * `npm run top`: a running server in the terminal. On a terminal it fills the screen and follows its size; in a pipe it
 * prints one look after the other. Exit code 0 when it was asked to end, 1 when the server does not answer, 12 for a
 * wrong flag.
 */
import { type Clock, monotonicClock, systemTimers } from '../../base/clock.js';
import { type Flags, helpOf, readFlags, tellRefusal } from '../../base/flags.js';
import type { Status, TilesStatus } from '../../control/status.js';
import type { TracesStatus } from '../../control/traces.js';
import { TOP_COMMAND } from './command.js';
import { type Look, ratesOf } from './rates.js';
import { screen } from './screen.js';

const TIMEOUT_MS = 5_000;
/** Looks that may fail in a row: a server that restarts comes back. */
const PATIENCE = 5;
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const timers = systemTimers();

async function get<T>(url: string): Promise<T | null> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  await (response.ok ? null : response.text());
  return response.ok ? ((await response.json()) as T) : null;
}

/** @throws when nobody answers, or something that is not a BlueMarble */
async function look(url: string, clock: Clock): Promise<Look> {
  const [status, tiles, traces] = await Promise.all([
    get<Status>(`${url}/api/status`),
    get<TilesStatus>(`${url}/api/tiles`),
    get<TracesStatus>(`${url}/api/traces`),
  ]);
  if (status === null || tiles === null || !Array.isArray(status.shards))
    throw new Error(`${url} answers, but is not the admin port of a BlueMarble`);
  return { atMs: clock.now(), status, tiles, traces };
}

class Top {
  private before: Look | null = null;
  private now: Look | null = null;
  private isPaused = false;
  private failures = 0;
  private end: (code: number) => void = () => {};
  private readonly isScreen = process.stdout.isTTY === true;

  constructor(
    private readonly url: string,
    private readonly flags: Flags,
    private readonly clock: Clock,
  ) {}

  /** Resolves with the exit code. */
  async run(): Promise<number> {
    const { flags } = this;
    const intervalMs = flags.number('interval', 1, 0.1, 3_600) * 1000;
    const fills = this.isScreen && !flags.has('json') && !flags.has('once');
    const ended = new Promise<number>((resolve) => {
      this.end = resolve;
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => this.end(0));
    process.stdout.once('error', () => this.end(0)); // the pipe was closed: whoever read has enough
    if (fills) this.takeScreen();
    try {
      void this.follow(intervalMs);
      return await ended;
    } finally {
      if (fills) process.stdout.write(LEAVE);
      if (fills && process.stdin.isTTY) process.stdin.setRawMode(false);
    }
  }

  private async follow(intervalMs: number): Promise<void> {
    for (;;) {
      if (!this.isPaused) await this.lookOnce();
      if (this.flags.has('once') && this.before !== null) return this.end(0);
      await new Promise<void>((resolve) => {
        timers.after(intervalMs, resolve);
      });
    }
  }

  private async lookOnce(): Promise<void> {
    try {
      const seen = await look(this.url, this.clock);
      this.failures = 0;
      this.before = this.now;
      this.now = seen;
      // Rates need two looks; a pipe gets the first line when they are there.
      if (this.before !== null || this.isScreen) this.show();
    } catch (error) {
      const isNew = this.now === null;
      if (!isNew && ++this.failures < PATIENCE) return;
      this.lastWords = `the server at ${this.url} does not answer: ${reason(error)}`;
      this.end(1);
    }
  }

  /** Printed once the screen is given back. */
  lastWords = '';

  private show(): void {
    const { now, before, flags } = this;
    if (now === null) return;
    if (flags.has('json')) {
      const { status, tiles } = now;
      const hottest = [...tiles.tiles].sort((a, b) => b.players - a.players).slice(0, 20);
      process.stdout.write(`${JSON.stringify({ rates: ratesOf(before, now), status, tiles: hottest })}\n`);
      return;
    }
    const { columns = 120, rows = flags.whole('rows', 50, 5, 1_000) } = process.stdout;
    const fills = this.isScreen && !flags.has('once');
    const lines = screen(before, now, this.url, {
      columns,
      rows: fills ? rows - 1 : rows,
      colour: this.isScreen,
      isStopped: this.isPaused,
    });
    // From the top, each line cleared behind its end: no flicker, and nothing left of the look before.
    if (fills) process.stdout.write(`\u001b[H${lines.map((text) => `${text}\u001b[K`).join('\n')}\u001b[J`);
    else process.stdout.write(`${lines.join('\n')}\n`);
  }

  private takeScreen(): void {
    process.stdout.write(ENTER);
    process.stdout.on('resize', () => this.show());
    if (!process.stdin.isTTY) return;
    process.stdin.setRawMode(true);
    process.stdin.on('data', (data) => {
      const keys = data.toString();
      if (keys.includes('q') || keys.includes('\u0003')) this.end(0);
      if (!keys.includes(' ')) return;
      this.isPaused = !this.isPaused;
      this.show();
    });
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? error.message;
}

async function main(): Promise<number> {
  try {
    const flags = readFlags(process.argv.slice(2), TOP_COMMAND);
    if (flags === 'help') {
      process.stdout.write(helpOf(TOP_COMMAND));
      return 0;
    }
    const top = new Top(flags.http('url', 'http://127.0.0.1:7778'), flags, monotonicClock());
    const code = await top.run();
    if (top.lastWords !== '') process.stderr.write(`${top.lastWords}\n`);
    return code;
  } catch (error) {
    return tellRefusal(error);
  }
}

process.exit(await main());
