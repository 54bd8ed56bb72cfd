/**
 * Kills a server with SIGKILL again and again at random moments under bots, restarts it on the same data, and holds it
 * to its promises: `node dist/test/e2e/kills.js --times 100 --players 300 [--seed 1] [--port 31390] [--scenario trade]`.
 * One line a kill, a summary at the end; exit code 1 when a promise broke.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { monotonicClock, systemTimers } from '../../src/base/clock.js';
import { seededRandom } from '../../src/base/random.js';
import type { Report } from '../../src/bots/report.js';

const SERVER = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const BOTS = fileURLToPath(new URL('../../src/bots/main.js', import.meta.url));
const clock = monotonicClock();
const pause = (ms: number) => new Promise<void>((resolve) => systemTimers().after(ms, resolve));

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '100' },
    players: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    port: { type: 'string', default: '31390' },
    scenario: { type: 'string', default: 'trade' },
    shards: { type: 'string', default: '2' },
  },
});
const port = Number(values.port);
const random = seededRandom(Number(values.seed));
const folder = mkdtempSync(join(tmpdir(), 'bluemarble-kills-'));

/** Starts the server; resolves with the ms until it accepts clients. */
function start(): Promise<{ child: ChildProcess; ms: number }> {
  const begun = clock.now();
  const flags = ['--data', folder, '--port', values.port, '--shards', values.shards, '--log-level', 'error'];
  const child = spawn(process.execPath, [SERVER, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', () => resolve({ child, ms: Math.round(clock.now() - begun) }));
    child.once('exit', (code) => reject(new Error(`the server did not start: exit code ${code}`)));
  });
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

async function durableTick(): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port + 1}/api/status`);
  return ((await response.json()) as { durableTick: number }).durableTick;
}

function startBots(): { child: ChildProcess; report: Promise<{ code: number | null; report: Report }> } {
  const where = ['--url', `ws://127.0.0.1:${port}`, '--admin', `http://127.0.0.1:${port + 1}`, '--json'];
  const flags = ['--players', values.players, '--seconds', '0', '--scenario', values.scenario];
  const child = spawn(process.execPath, [BOTS, ...where, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  const report = ended(child).then((code) => ({ code, report: JSON.parse(out) as Report }));
  return { child, report };
}

async function main(): Promise<boolean> {
  let { child } = await start();
  const bots = startBots();
  await pause(5_000); // they come in
  const recoveries: number[] = [];
  for (let kill = 1; kill <= Number(values.times); kill++) {
    await pause(2_000 + random.next() * 2_000);
    const before = await durableTick();
    child.kill('SIGKILL');
    await ended(child);
    const next = await start();
    child = next.child;
    recoveries.push(next.ms);
    const after = await durableTick();
    process.stdout.write(
      `kill ${kill}: durable tick ${before} before, ${after} after; ready in ${next.ms} ms\n`,
    );
    if (after < before) throw new Error('the durable point went back');
  }
  await pause(4_000); // everybody is back
  bots.child.kill('SIGINT');
  const { code, report } = await bots.report;
  child.kill('SIGTERM');
  const stopped = await ended(child);
  recoveries.sort((a, b) => a - b);
  const { actionsSent, actionsLost, actionsDuplicated, actionsOutOfOrder, itemsBefore, itemsAfter } = report;
  const summary = { kills: recoveries.length, readyMsMax: recoveries.at(-1), actionsSent, actionsLost };
  const more = { actionsDuplicated, actionsOutOfOrder, itemsBefore, itemsAfter, botsExit: code, stopped };
  process.stdout.write(`${JSON.stringify({ ...summary, ...more, serverRestarts: report.serverRestarts })}\n`);
  const isWhole = actionsLost === 0 && actionsDuplicated === 0 && actionsOutOfOrder === 0;
  return isWhole && itemsBefore === itemsAfter && stopped === 0 && actionsSent > 0;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
