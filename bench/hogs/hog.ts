/**
 * A program that takes what a server needs: `node hog.js KIND FOLDER SECONDS`. Bounded: it ends after its time, when its
 * parent ends or tells it to, and keeps no more than a few hundred MB of memory or disk.
 *
 * `cpu` computes without a pause. `disk` writes large blocks and waits for each to be on disk, as an install or a build
 * does. `memory` takes pages, touches them all and gives them back. `process` starts small processes one after the other.
 */
import { spawn } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { monotonicClock } from '../../src/base/clock.js';

export const KINDS = ['cpu', 'disk', 'memory', 'process'] as const;
export type Kind = (typeof KINDS)[number];

const MIB = 2 ** 20;
const BLOCK_BYTES = 8 * MIB;
const FILE_BLOCKS = 16;
/** Small files beside the large one, as packages are made of. */
const SMALL_FILES = 64;
const SMALL_BYTES = 16 * 1024;
/** Of memory: at most so much, and never more than a share of what is free. */
const MOST_BYTES = 512 * MIB;
const FREE_SHARE = 0.25;
const PAGE = 4096;
/** Of computing without a look at the clock. */
const SPIN = 1_000_000;

const clock = monotonicClock();
let isOver = false;
const end = () => {
  isOver = true;
};

let sink = 0;
function compute(): void {
  for (let i = 0; i < SPIN; i++) sink = (Math.imul(sink, 1664525) + 1013904223) | 0;
}

function writeOnce(folder: string, block: Uint8Array): void {
  const file = openSync(join(folder, 'large'), 'w');
  for (let i = 0; i < FILE_BLOCKS && !isOver; i++) {
    writeSync(file, block);
    fsyncSync(file);
  }
  closeSync(file);
  for (let i = 0; i < SMALL_FILES && !isOver; i++) {
    const small = openSync(join(folder, `small-${i}`), 'w');
    writeSync(small, block, 0, SMALL_BYTES);
    fsyncSync(small);
    closeSync(small);
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
}

function touchMemory(): void {
  const bytes = Buffer.alloc(Math.min(MOST_BYTES, Math.floor(freemem() * FREE_SHARE)));
  for (let at = 0; at < bytes.length; at += PAGE) bytes[at] = at & 255;
  sink += bytes[bytes.length >> 1]!;
}

function startProcess(): Promise<void> {
  return new Promise((resolve) => {
    // A program that reads its files, compiles and ends: what installs and builds start by the hundred.
    const child = spawn(process.execPath, ['-e', 'require("node:http");require("node:crypto")'], {
      stdio: 'ignore',
    });
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}

async function run(kind: Kind, folder: string, seconds: number): Promise<void> {
  const until = clock.now() + seconds * 1000;
  const own = join(folder, `${kind}-${process.pid}`);
  const block = new Uint8Array(kind === 'disk' ? BLOCK_BYTES : 0).fill(7);
  if (kind === 'disk') mkdirSync(own);
  while (!isOver && clock.now() < until) {
    if (kind === 'cpu') compute();
    else if (kind === 'disk') writeOnce(own, block);
    else if (kind === 'memory') touchMemory();
    else await startProcess();
    await turn(); // hears its parent
  }
  rmSync(own, { recursive: true, force: true });
}

const [kind, folder, seconds] = process.argv.slice(2);
process.once('disconnect', end); // its parent is gone
process.once('message', end);
process.once('SIGTERM', end);
if ((KINDS as readonly string[]).includes(kind ?? '')) {
  await run(kind as Kind, folder!, Number(seconds));
  process.exit(0);
}
