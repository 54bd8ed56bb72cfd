/** Profiles: trees and tables out of V8's files, shares of threads, findings; and one real run with every thread in it. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { findings } from '../../src/operator/profile/findings.js';
import { threadName } from '../../src/operator/profile/protocol.js';
import type { Recorded } from '../../src/operator/profile/session.js';
import {
  pack,
  placeOf,
  readCpuProfile,
  readHeapProfile,
  topFunctions,
} from '../../src/operator/profile/tree.js';
import { shares } from '../../src/operator/profile/watch.js';

const MAIN = fileURLToPath(new URL('../../src/operator/profile/main.js', import.meta.url));
const frame = (functionName: string, url = 'file:///x/dist/src/shard/tick.js', lineNumber = 9) => ({
  functionName,
  url,
  lineNumber,
});

t.test('a CPU profile: sleep apart, recursion once, the profiler itself left out', async (t) => {
  const profile = readCpuProfile({
    nodes: [
      { id: 1, callFrame: frame('(root)', ''), children: [2, 6, 8, 9] },
      { id: 2, callFrame: frame('run'), children: [3, 4, 7] },
      { id: 3, callFrame: frame('step'), children: [5] },
      { id: 4, callFrame: frame('wait', 'file:///x/dist/src/memory/shard-block.js') },
      { id: 5, callFrame: frame('step') },
      { id: 6, callFrame: frame('(idle)', '') },
      { id: 7, callFrame: frame('wait', 'file:///x/dist/src/game/walk.js') },
      { id: 8, callFrame: frame('run'), children: [3] },
      { id: 9, callFrame: frame('start', 'file:///x/dist/src/operator/profile/agent.js') },
    ],
    startTime: 0,
    endTime: 1_000,
    samples: [2, 3, 5, 4, 6, 7, 9],
    timeDeltas: [10, 100, 40, 300, 400, 5, 50],
  });
  t.equal(profile.sleep, 700);
  t.equal(profile.wall, 1_000);
  t.equal(profile.root.total, 10 + 140 + 5 + 140, 'all but sleep and the profiler');
  t.equal(profile.root.children.length, 1, 'the same function from the same place is one node');
  const top = topFunctions(profile.root, 3);
  t.same(
    top.map(({ name, self, total }) => [name, self, total]),
    [
      ['step', 280, 280],
      ['run', 10, 295],
      ['wait', 5, 5],
    ],
  );
  t.equal(top[0].place, 'shard/tick.js:10');
  const packed = pack(profile.root, 20);
  t.same([packed[0], packed[2]], ['all', 295]);
  t.equal(packed[4][0][4].length, 1, 'what is too small is not drawn');
});

t.test('a heap profile', async (t) => {
  const leaf = (name: string, selfSize: number) => ({ callFrame: frame(name), selfSize, children: [] });
  const head = {
    callFrame: frame('(root)', ''),
    selfSize: 0,
    children: [leaf('a', 100), leaf('b', 20), leaf('a', 1)],
  };
  const { root } = readHeapProfile({ head });
  t.same([root.total, root.children.length], [121, 2]);
  t.equal(topFunctions(root, 1)[0].self, 101);
});

t.test('places and names', async (t) => {
  t.equal(placeOf('file:///x/dist/src/shard/tick.js', 4), 'shard/tick.js:5');
  t.equal(placeOf('file:///x/node_modules/ws/lib/a.js', 4), 'ws/lib/a.js:5');
  t.equal(placeOf('node:internal/timers', 4), 'node:internal/timers:5');
  t.equal(placeOf('', -1), '');
  t.equal(threadName(true, undefined, 'a'), 'main');
  t.equal(threadName(false, {}, 'dist/src/shard/worker.js'), 'spare shard');
  t.equal(threadName(false, { settings: { number: 2 } }, 'dist/src/gateway/worker.js'), 'gateway 2');
  t.equal(threadName(false, {}, 'dist/src/store/worker.js'), 'store');
  t.equal(threadName(false, {}, 'dist/src/store/writer.js'), 'writer');
  t.equal(threadName(false, undefined, 'node_modules/piscina/dist/worker.js'), 'jobs');
  t.equal(threadName(false, undefined, undefined), 'worker');
});

const thread = (tid: number, user: number, system = 0, wait = 0) => ({ tid, user, system, wait });
const names = new Map([
  [1, 'main'],
  [2, 'shard 0'],
]);

t.test('shares of threads', async (t) => {
  const from = { atMs: 0, rssBytes: 1, threads: [thread(1, 1, 1), thread(2, 0)] };
  const to = {
    atMs: 2_000,
    rssBytes: 1,
    threads: [thread(1, 1.5, 1.5), thread(2, 2), thread(3, 1), thread(4, 0, 0, 1)],
  };
  t.same(shares(from, to, names), [
    { name: 'shard 0', user: 1, system: 0, wait: 0, share: 0.5 },
    { name: 'main', user: 0.25, system: 0.25, wait: 0, share: 0.25 },
    { name: 'V8 and libuv helpers', user: 0.5, system: 0, wait: 0.5, share: 0.25 },
  ]);
});

function recorded(more: Partial<Recorded> = {}): Recorded {
  const samples = [0, 10_000].map((atMs) => ({ atMs, rssBytes: 1, threads: [thread(1, atMs / 20_000)] }));
  return { samples, beats: [], statuses: [], names, files: [], remarks: [], ...more };
}

type BeatOf = Recorded['beats'][number];
function beats(change: (i: number) => Partial<BeatOf>): BeatOf[] {
  return Array.from({ length: 12 }, (_, i) => ({
    ...{ thread: 'main', tid: 1, type: 'beat' as const, atMs: i * 1_000 },
    ...{ gc: { count: i, ms: i, maxMs: 1 }, heapUsed: 20 * 2 ** 20, heapTotal: 0, external: 0 },
    ...{ rss: 1, arrayBuffers: 1, loopDelayMs: { p50: 11, p99: 12 } },
    ...change(i),
  }));
}

t.test('findings, each by its rule', async (t) => {
  const texts = (more: Partial<Recorded>) =>
    findings(recorded(more), 50)
      .map(({ level, text }) => `${level}: ${text}`)
      .join('\n');
  t.match(texts({ beats: beats(() => ({})) }), /^fine: Nothing stands out/);
  const busy = [0, 10_000].map((atMs) => ({
    atMs,
    rssBytes: 1,
    threads: [thread(2, atMs / 1_050, 0, atMs / 4_000)],
  }));
  t.match(texts({ samples: busy }), /"shard 0" uses 95 % of a core.*--shards/);
  t.match(texts({ samples: busy }), /no core for 25 %/);
  t.match(
    texts({ beats: beats((i) => ({ loopDelayMs: { p50: 1, p99: i === 5 ? 80 : 1 } })) }),
    /late by up to 80 ms/,
  );
  t.match(
    texts({ beats: beats((i) => ({ gc: { count: i, ms: i * 100, maxMs: 30 } })) }),
    /takes 10 %.*\n.*for 30 ms/,
  );
  t.match(
    texts({ beats: beats((i) => ({ heapUsed: (20 + i * 10) * 2 ** 20 })) }),
    /grew from 20\.0 MiB to 1\d0\.0 MiB/,
  );
  t.match(texts({ remarks: ['no profile of "x"'] }), /look: no profile of "x"/);
  t.match(texts({ samples: [] }), /Nothing was recorded/);
  const late = [{ atMs: 0, status: { shards: [{ id: 3, tickMs: { p50: 20, p99: 60 } }] } }] as never;
  t.match(texts({ statuses: late }), /Ticks of shard 3 take 20 ms \(p50\) and 60 ms/);
});

for (const kind of ['flame', 'heap', 'doctor']) {
  t.test(`profile ${kind}: a report of a real run`, async (t) => {
    const folder = t.testdir();
    const flags = [
      '--bots',
      '5',
      '--seconds',
      '2',
      '--shards',
      '2',
      '--pin-shards',
      '--gateways',
      '2',
      '--out',
      folder,
    ];
    const child = spawn(process.execPath, [MAIN, kind, ...flags]);
    t.teardown(() => child.kill('SIGKILL'));
    const said = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said.out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said.err += text;
    });
    t.equal(await new Promise((resolve) => child.on('close', resolve)), 0, said.err);
    t.match(said.err, /recording: \d+ of 2 s/, 'progress');
    t.match(said.out, /report: .*\.html\n$/);
    for (const name of ['main', 'shard 0', 'shard 1', 'gateway 1'])
      t.match(said.out, new RegExp(`^${name} `, 'm'), `${name} has its share`);
    const file = join(folder, `${kind}.html`);
    t.ok(existsSync(file));
    const html = readFileSync(file, 'utf8');
    t.notMatch(html, /\{\{|undefined|NaN|(src|href)="https?:/, 'complete, and on its own');
    const data = JSON.parse(/id="data">([^<]*)</.exec(html)?.[1] ?? '') as { threads: { name: string }[] };
    const threads = data.threads.map(({ name }) => name);
    if (kind === 'doctor') t.same(threads, [], 'no profiles');
    else
      for (const name of ['main', 'shard 0', 'shard 1', 'gateway 1'])
        t.ok(threads.includes(name), `${name} is in it`);
    t.notMatch(said.out, /did not answer/);
  });
}
