/**
 * What do viewers of the live map cost the server? CPU of the server process with ten viewers and with none, in turns,
 * under the same bots; a viewer here is what a page asks for: the event stream, and dots twice a second. Every second
 * pair begins with the viewers, so that what drifts over time falls on both.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../src/base/node-flags.js';
import { monotonicClock, systemTimers } from '../src/base/clock.js';
import type { BenchArgs } from './benches.js';

export const name = 'map';
export const describe =
  'CPU of the server with ten viewers of the live map and with none, alternating ([--viewers 10] [--bots 500] [--seconds 5] [--pairs 10])';
export const flags = ['viewers', 'bots', 'seconds', 'pairs'];

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));
const LINE = /at ws\S+ \(status: (http:\/\/\S+)\)/;
const TICKS_PER_SECOND = 100; // USER_HZ of Linux, on every platform that Node runs on
const DOTS_MS = 500;
const SETTLE_MS = 1500;

const clock = monotonicClock();
const timers = systemTimers();
const pause = (ms: number) => new Promise<void>((resolve) => void timers.after(ms, resolve));

/** CPU seconds so far, user and system, of a process with all its threads, and of its main thread. Source: proc(5), stat fields 14 and 15. */
function cpuSeconds(pid: number): { all: number; main: number } {
  const [all, main] = [`/proc/${pid}/stat`, `/proc/${pid}/task/${pid}/stat`].map((path) => {
    const stat = readFileSync(path, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  });
  return { all, main };
}

function startServer(bots: number): { child: ChildProcess; admin: Promise<string> } {
  const flags = ['--memory', '--port', '0', '--bots', String(bots), '--shards', '1', '--capacity', '5000'];
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, ...flags], {
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
  });
  const admin = new Promise<string>((resolve, reject) => {
    let out = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      const found = LINE.exec(out);
      if (found !== null) resolve(found[1]);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return { child, admin };
}

/** One open map: reads the stream, and asks for the dots of a place. @returns bytes received, and the end of it */
function openViewer(admin: string, box: string): { bytes: () => number; close: () => void } {
  let bytes = 0;
  const count = (response: IncomingMessage) => {
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    response.on('error', () => {});
  };
  const stream = get(`${admin}/api/live`, count).on('error', () => {});
  const stop = timers.every(DOTS_MS, () => void get(`${admin}/api/dots?${box}`, count).on('error', () => {}));
  return {
    bytes: () => bytes,
    close: () => {
      stop();
      stream.destroy();
    },
  };
}

async function waitForBots(admin: string, bots: number): Promise<void> {
  for (let tries = 0; tries < 120; tries++) {
    const { players } = (await (await fetch(`${admin}/api/status`)).json()) as { players: number };
    if (players >= bots) return;
    await pause(500);
  }
  throw new Error(`not all ${bots} bots are there after a minute`);
}

/** Boxes around places with players: a viewer each, all different, so that no answer is shared. */
async function boxes(admin: string, viewers: number): Promise<string[]> {
  const { tiles } = (await (await fetch(`${admin}/api/tiles`)).json()) as {
    tiles: { tile: string; players: number }[];
  };
  const busy = tiles.sort((a, b) => b.players - a.players).slice(0, viewers);
  const W = 40_075_016.685578488;
  return Array.from({ length: viewers }, (_, i) => {
    const [z, x, y] = busy[i % busy.length].tile.split('/').map(Number);
    const size = W / 2 ** (z + 1);
    const [west, north] = [x * size - W / 2 + i, W / 4 - y * size];
    return `west=${west}&south=${north - size}&east=${west + size - 2 * i - 1}&north=${north}`;
  });
}

/** Quartiles. */
function quartiles(values: readonly number[]): { low: number; median: number; high: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))];
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}

interface Shares {
  /** Of a core: the whole process, and its main thread, which serves the viewers and gateway 0. */
  readonly all: number;
  readonly main: number;
}

async function measure(pid: number, seconds: number): Promise<Shares> {
  const [before, at] = [cpuSeconds(pid), clock.now()];
  await pause(seconds * 1000);
  const [now, passed] = [cpuSeconds(pid), (clock.now() - at) / 1000];
  return { all: (now.all - before.all) / passed, main: (now.main - before.main) / passed };
}

interface Watching extends Shares {
  readonly bytes: number;
}

async function measureWatched(
  pid: number,
  seconds: number,
  admin: string,
  places: readonly string[],
): Promise<Watching> {
  const open = places.map((box) => openViewer(admin, box));
  await pause(SETTLE_MS);
  const received = () => open.reduce((sum, viewer) => sum + viewer.bytes(), 0);
  const before = received();
  const shares = await measure(pid, seconds);
  const bytes = received() - before;
  for (const viewer of open) viewer.close();
  await pause(SETTLE_MS);
  return { ...shares, bytes };
}

export async function run({ values }: BenchArgs): Promise<Record<string, unknown>> {
  const number = (flag: string, otherwise: number) => Number(values[flag] ?? otherwise);
  const [viewers, bots] = [number('viewers', 10), number('bots', 500)];
  const [seconds, pairs] = [number('seconds', 5), number('pairs', 10)];
  const { child, admin: starting } = startServer(bots);
  try {
    const admin = await starting;
    await waitForBots(admin, bots);
    const places = await boxes(admin, viewers);
    const pid = child.pid as number;
    const rows: { none: Shares; viewers: Watching }[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const first = pair % 2 === 0 ? await measure(pid, seconds) : null;
      const watched = await measureWatched(pid, seconds, admin, places);
      rows.push({ none: first ?? (await measure(pid, seconds)), viewers: watched });
      process.stderr.write(`map: pair ${pair + 1} of ${pairs}\n`);
    }
    const bytes = rows.reduce((sum, row) => sum + row.viewers.bytes, 0);
    if (bytes === 0) throw new Error('the viewers received nothing');
    return {
      bots,
      viewers,
      seconds,
      tiles: places.length,
      bytesPerViewerAndSecond: Math.round(bytes / viewers / seconds / pairs),
      pairs: rows.map((row) => ({ nonePercent: row.none.all * 100, viewersPercent: row.viewers.all * 100 })),
      costPercentOfACore: quartiles(rows.map((row) => (row.viewers.all - row.none.all) * 100)),
      costOfMainThread: quartiles(rows.map((row) => (row.viewers.main - row.none.main) * 100)),
    };
  } finally {
    child.kill('SIGTERM');
  }
}
