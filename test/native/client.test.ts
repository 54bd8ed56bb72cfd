/**
 * Clients in another language against the real server; client.py uses only what README.md and the schemas say.
 * Two of them meet at a border of two shards, walk across it, talk, act and check each other; one loses its connection
 * in the middle of its actions. Needs python3 (its standard library only).
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import type { Status } from '../../src/control/status.js';
import { section } from '../house/readme.js';
import { ROOT } from '../house/source.js';

const CLIENT = join(ROOT, 'test/native/client.py');

/** The last line that client.py prints. */
interface Report {
  ok: boolean;
  failures: string[];
  resumes: number;
  resent: number;
  gaps: number;
  mended: number;
  peerPublishers: number;
  heard: number[];
}

interface Server {
  process: ChildProcess;
  game: string;
  admin: string;
}

async function startServer(): Promise<Server> {
  const flags = [
    '--port',
    '0',
    '--memory',
    '--shards',
    '2',
    '--pin-shards',
    '--host',
    '127.0.0.1',
    '--log-level',
    'error',
  ];
  const child = spawn(process.execPath, [join(ROOT, 'dist/src/main.js'), ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const addresses = line.match(/\b(?:ws|http):\/\/[\w.:]+/g) ?? [];
    if (addresses.length === 2) return { process: child, game: addresses[0], admin: addresses[1] };
  }
  throw new Error(`the server ended with code ${child.exitCode}`);
}

async function play(server: Server, ...flags: string[]): Promise<{ code: number; report: Report }> {
  const child = spawn('python3', [CLIENT, '--url', server.game, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let output = '';
  for await (const chunk of child.stdout) output += chunk;
  const [code] = (await closed) as [number];
  return { code, report: JSON.parse(output.trim().split('\n').at(-1) ?? '') as Report };
}

function keysOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
}

t.test('native clients', async (t) => {
  const python = spawnSync('python3', ['--version'], { encoding: 'utf8' });
  if (python.status !== 0) {
    t.fail('python3 is needed for this test and cannot be run: install Python 3');
    return;
  }
  const server = await startServer();
  t.teardown(() => server.process.kill('SIGKILL'));

  await t.test('two meet across a border of shards, and one comes back from a lost connection', async (t) => {
    const both = await Promise.all([
      play(server, '--spawn=-4,100', '--name', 'ann', '--peer', 'bob'),
      play(server, '--spawn=4,100', '--name', 'bob', '--peer', 'ann', '--lose-connection'),
    ]);
    for (const { code, report } of both) {
      t.strictSame(report.failures, []);
      t.equal(code, 0);
      t.ok(report.peerPublishers >= 2, 'saw the other one under both shards');
      t.ok(report.heard.length >= 4, 'heard the other one');
      t.equal(report.gaps, 1, 'no gap but the planted one');
      t.equal(report.mended, 1, 'which a key frame mended');
    }
    t.strictSame(
      both.map(({ report }) => report.resumes),
      [0, 1],
    );
    t.ok(both[1].report.resent >= 6, 'actions were sent again');
  });

  await t.test('the server counts the same, and README names its figures', async (t) => {
    const status = (await (await fetch(`${server.admin}/api/status`)).json()) as Status;
    const { totals } = status;
    t.ok(totals.handovers >= 2, 'both walked to the other shard');
    t.strictSame([status.ticksMissed, status.ticksDoubled, totals.shardRestarts], [0, 0, 0]);
    t.equal(totals.items, totals.itemsCreated - totals.itemsConsumed, 'items are conserved');
    const text = section('Operations');
    const names = [...new Set(keysOf(status))].filter((key) => !['id', 'p50', 'p99', 'max'].includes(key));
    for (const name of names) t.ok(text.includes(`\`${name}\``), `${name} is in README`);
  });

  await t.test('a record that does not match the log is found', async (t) => {
    const { code, report } = await play(server, '--plant');
    t.equal(code, 1);
    t.match(report.failures, [/^log .* is not /]);
    t.equal(report.failures.length, 1);
  });

  const ended = once(server.process, 'exit');
  server.process.kill('SIGTERM');
  t.strictSame(await ended, [0, null], 'an orderly stop');
});
