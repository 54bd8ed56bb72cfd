/** Runs of the bots as a process of their own, and the promises that every run is held to. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { Report } from '../../src/bots/report.js';
import type { Server } from './server.js';

const MAIN = fileURLToPath(new URL('../../src/bots/main.js', import.meta.url));

export interface Run {
  readonly code: number | null;
  readonly report: Report;
  /** Progress, broken promises, the table. */
  readonly err: string;
}

export interface RunOptions {
  readonly env?: Record<string, string>;
  /** With `--seconds 0`: when to end the run in good order. */
  readonly until?: Promise<unknown>;
}

/** Runs bots against a server to their end. */
export function runBots(
  t: Test,
  server: Server,
  flags: readonly string[],
  options: RunOptions = {},
): Promise<Run> {
  const where = ['--url', server.url, '--admin', server.admin, '--json'];
  const child = spawn(process.execPath, [MAIN, ...where, ...flags], {
    env: { PATH: process.env.PATH, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  void options.until?.then(() => child.kill('SIGINT'));
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      try {
        resolve({ code, report: JSON.parse(out) as Report, err });
      } catch {
        reject(new Error(`the bots gave no report (exit code ${code}): ${err}`));
      }
    });
  });
}

/** What no run may show, whatever happened to the shards meanwhile. */
export function keepsItsPromises(t: Test, { code, report, err }: Run, name: string): void {
  const broken = err.split('\n').filter((line) => line.startsWith('broken: '));
  t.same(broken, [], `${name}: no promise is broken`);
  t.equal(code, 0, `${name}: exit code`);
  t.match(
    report,
    {
      connected: report.players,
      disconnects: 0,
      serverRestarts: 0,
      actionsLost: 0,
      actionsDuplicated: 0,
      actionsOutOfOrder: 0,
      viewMissing: 0,
      viewDuplicates: 0,
    },
    `${name}: nothing lost, doubled, reordered or missing`,
  );
  t.ok(report.actionsSent > 0 && report.actionsApplied > 0, `${name}: something was done`);
  t.ok((report.itemsAfter ?? 0) > 0, `${name}: there were items`);
  t.equal(report.itemsAfter, report.itemsBefore, `${name}: items are conserved`);
}
