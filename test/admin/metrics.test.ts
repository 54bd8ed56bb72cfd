/** `/metrics`: valid by a strict reader and by a parser of others, true to shared memory, and told in README. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import t, { type Test } from 'tap';
import { BOUNDS_MS, FAMILIES, histogramValues, Metrics } from '../../src/admin/metrics/metrics.js';
import type { MetricSource } from '../../src/admin/metrics/source.js';
import { cpuOfStat, threadTimes } from '../../src/control/thread-times.js';
import { GATEWAY_COUNTER } from '../../src/memory/gateway-block.js';
import { bucketEnd, BUCKETS, Histogram, HISTOGRAM_BYTES, HistogramCopy } from '../../src/memory/histogram.js';
import { Foreseer } from '../../src/control/forecast/foreseer.js';
import { plannerLimits } from '../../src/control/planner/types.js';
import { SHARD_COUNTER, SHARD_GAUGE, SHARD_STATE } from '../../src/memory/shard-block.js';
import { createSharedWorld } from '../../src/memory/shared-world.js';
import { section, table, ticked } from '../house/readme.js';
import { type Exposition, readExposition } from './exposition.js';

function setUp() {
  const world = createSharedWorld({ shards: 2, gateways: 2, startMs: 0, maxEntities: 256 });
  const source: MetricSource = {
    world,
    now: () => 1_000,
    shards: () =>
      [0, 1].map((shard) => ({ shard, incarnation: 1, phase: 'running', restarts: shard, alarm: null })),
    reshapes: () => ({ splits: 3, merges: 2, moves: 1 }),
    forecast: () => new Foreseer('watch', plannerLimits()).scores.map((one) => ({ ...one, skill: 0.25 })),
    cpuSaturated: () => true,
    bots: () => 5,
    notReady: () => [],
    refusals: () => new Map([['FOREIGN_HOST', 2]]),
    threads: () => [{ name: 'shard 0', userSeconds: 1.5, systemSeconds: 0.25, waitSeconds: 0.125 }],
    traces: () => ({ kept: 7, lost: 1 }),
  };
  return { world, metrics: new Metrics(source) };
}

const value = (read: Exposition, name: string, labels: Record<string, string> = {}) =>
  read.families
    .flatMap(({ samples }) => samples)
    .find(
      (sample) => sample.name === name && Object.entries(labels).every(([k, v]) => sample.labels[k] === v),
    )?.value;

t.test('a scrape is valid, complete, and says what shared memory says', async (t) => {
  const { world, metrics } = setUp();
  const [first, second] = world.shardBlocks;
  first.count(SHARD_COUNTER.handoversIn, 12);
  second.setGauge(SHARD_GAUGE.gcMaxMs, 8);
  second.state = SHARD_STATE.RUNNING;
  world.gatewayBlocks[1].count(GATEWAY_COUNTER.bytesOut, 1234);
  world.gatewayBlocks[1].countClose(4009);
  first.commit(1, new Float64Array(16).fill(9), new Float64Array(16).fill(4));
  for (const ms of [0.05, 3, 3, 49, 700, 20_000]) first.tickMs.record(ms);
  const read = readExposition(await metrics.text());
  t.same(read.objections, []);
  t.same(
    read.families.map(({ name }) => name),
    FAMILIES.map(({ name }) => name),
  );
  for (const { name, samples } of read.families) t.ok(samples.length > 0, `${name} has samples`);
  t.equal(value(read, 'bluemarble_shard_handovers_total', { shard: '0' }), 12);
  t.equal(value(read, 'bluemarble_shard_gc_max_seconds', { shard: '1' }), 0.008);
  t.equal(value(read, 'bluemarble_shard_up', { shard: '0' }), 0);
  t.equal(value(read, 'bluemarble_shard_up', { shard: '1' }), 1);
  t.equal(value(read, 'bluemarble_shard_restarts_total', { shard: '1' }), 1);
  t.equal(value(read, 'bluemarble_gateway_sent_bytes_total', { gateway: '1' }), 1234);
  t.equal(value(read, 'bluemarble_gateway_closes_total', { gateway: '1', code: 'TOO_SLOW' }), 1);
  t.equal(value(read, 'bluemarble_items_created_total', { item: '3' }), 9);
  t.equal(value(read, 'bluemarble_items_consumed_total', { item: '3' }), 4);
  t.equal(value(read, 'bluemarble_reshapes_total', { kind: 'merge' }), 2);
  t.equal(value(read, 'bluemarble_forecast_skill', { horizon: '60s' }), 0.25);
  t.equal(value(read, 'bluemarble_thread_cpu_seconds_total', { thread: 'shard 0', mode: 'system' }), 0.25);
  t.equal(value(read, 'bluemarble_tick'), 20);
  const tick = 'bluemarble_shard_tick_duration_seconds';
  t.equal(value(read, `${tick}_bucket`, { shard: '0', le: '0.0512' }), 4);
  t.equal(value(read, `${tick}_bucket`, { shard: '0', le: '+Inf' }), 6);
  t.equal(value(read, `${tick}_count`, { shard: '0' }), 6);
  t.ok(Math.abs((value(read, `${tick}_sum`, { shard: '0' }) ?? 0) - 20.75505) < 1e-9, 'the sum is exact');
});

/** What a parser from the registry makes of it (it has no types). */
interface Parsed {
  name: string;
  help: string;
  type: string;
  metrics: {
    labels?: Record<string, string>;
    value?: string;
    buckets?: Record<string, string>;
    count?: string;
  }[];
}

t.test('a parser of others reads the same', async (t) => {
  const { world, metrics } = setUp();
  world.shardBlocks[1].count(SHARD_COUNTER.handoversIn, 12);
  for (const ms of [1, 2, 80]) world.cut.durableMs.record(ms);
  const parse = createRequire(import.meta.url)('parse-prometheus-text-format') as (text: string) => Parsed[];
  const text = await metrics.text();
  const parsed = parse(text);
  const own = readExposition(text).families;
  t.same(
    parsed.map(({ name, type }) => [name, type.toLowerCase()]).sort(),
    own.map(({ name, type }) => [name, type]).sort(),
  );
  const { metrics: handovers = [] } =
    parsed.find(({ name }) => name === 'bluemarble_shard_handovers_total') ?? {};
  t.match(handovers, [
    { labels: { shard: '0' }, value: '0' },
    { labels: { shard: '1' }, value: '12' },
  ]);
  // It keeps one histogram a family only: one without labels says what it makes of buckets.
  const durable = parsed.find(({ name }) => name === 'bluemarble_durable_duration_seconds');
  t.match(durable?.metrics, [{ buckets: { '0.0512': '2', '+Inf': '3' }, count: '3' }]);
});

t.test('a second scrape starts anew', async (t) => {
  const { world, metrics } = setUp();
  world.shardBlocks[0].count(SHARD_COUNTER.crossings, 4);
  await metrics.text();
  world.shardBlocks[0].count(SHARD_COUNTER.crossings, 1);
  const read = readExposition(await metrics.text());
  t.equal(value(read, 'bluemarble_shard_crossings_total', { shard: '0' }), 5);
  t.same(read.objections, []);
});

t.test('the number of samples does not grow with the world', async (t) => {
  const { world, metrics } = setUp();
  const count = async () => readExposition(await metrics.text()).families.flatMap((f) => f.samples).length;
  const before = await count();
  for (const block of world.shardBlocks) {
    block.setGauge(SHARD_GAUGE.players, 10_000);
    block.addTiles(1_000);
  }
  t.equal(await count(), before);
  t.ok(before < 1_000, `${before} samples of two shards and two gateways`);
});

t.test('buckets are whole buckets of the recorder', async (t) => {
  const edges = new Set(Array.from({ length: BUCKETS }, (_, i) => bucketEnd(i)));
  for (const bound of BOUNDS_MS) t.ok(edges.has(bound), `${bound} ms is an edge`);
  const histogram = new Histogram(new SharedArrayBuffer(HISTOGRAM_BYTES), 0);
  const recorded: number[] = [];
  for (let ms = 0.003; ms < 30_000; ms *= 1.37) {
    histogram.record(ms);
    recorded.push(ms);
  }
  const copy = new HistogramCopy();
  histogram.addTo(copy);
  const values = histogramValues('a', {}, copy);
  for (const [i, bound] of BOUNDS_MS.entries())
    t.equal(values[i].value, recorded.filter((ms) => ms < bound).length, `below ${bound} ms`);
});

t.test('CPU times out of /proc, whatever the thread is called', async (t) => {
  const stat = '71 (a) b (c) S 1 1 1 0 -1 4194560 100 0 0 0 150 25 0 0 20 0 11 0 1 1';
  t.same(cpuOfStat(stat), { user: 1.5, system: 0.25 });
  t.equal(cpuOfStat(null), null);
  t.equal(cpuOfStat('71 (a) S'), null);
  const files: Record<string, string> = {
    '/proc/self/task/71/stat': stat,
    '/proc/self/task/71/schedstat': '1 2000000000 3\n',
  };
  const threads = [
    { name: 'shard 0', tid: 71 },
    { name: 'gone', tid: 72 },
  ];
  t.same(
    threadTimes(threads, (path) => files[path] ?? null),
    [{ name: 'shard 0', userSeconds: 1.5, systemSeconds: 0.25, waitSeconds: 2 }],
  );
});

t.test('the table of metrics in README is that of the code, both ways', async (t) => {
  const rows = table(section('Metrics'), ['metric', 'type', 'labels', 'meaning']);
  const told = rows.map(([name, type, labels, help]) => [ticked(name), type, labels, help]);
  const made = FAMILIES.map(({ name, kind, labels, help }) => [
    name,
    kind,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  t.strictSame(told, made);
});

/** Names of metrics in a query; what histograms add to theirs taken off. */
function metricsIn(query: string): string[] {
  const names = query.match(/\b(bluemarble|process|nodejs)_[a-z0-9_]+/g) ?? [];
  return names.map((name) => name.replace(/_(bucket|sum|count)$/, ''));
}

t.test(
  'every query of the dashboard asks for metrics that there are, with labels that they have',
  async (t) => {
    const file = new URL('../../src/admin/grafana.json', import.meta.url);
    interface Panel {
      title: string;
      targets?: { expr: string; legendFormat: string }[];
    }
    const dashboard = JSON.parse(readFileSync(file, 'utf8')) as { panels: Panel[] };
    const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
      targets.map((one) => ({ title, ...one })),
    );
    t.ok(queries.length > 20, 'there are queries');
    for (const { title, expr, legendFormat } of queries) checkQuery(t, title, expr, legendFormat);
    const panels = dashboard.panels.map(({ title }) => title);
    t.equal(new Set(panels).size, panels.length, 'no panel twice');
    t.same(
      metricsIn('rate(bluemarble_no_such_total[5m])'),
      ['bluemarble_no_such_total'],
      'a planted one is seen',
    );
  },
);

function checkQuery(t: Test, title: string, expr: string, legend: string): void {
  const names = metricsIn(expr);
  t.ok(names.length > 0, `${title}: ${expr}`);
  const known = new Set(['le', 'instance']);
  for (const name of names) {
    const family = FAMILIES.find((one) => one.name === name);
    t.ok(family, `${title}: ${name}`);
    for (const label of family?.labels ?? []) known.add(label);
    if (family?.kind === 'counter')
      t.match(expr, /rate\(|increase\(|bluemarble_items_|ticks_(missed|doubled)/);
  }
  for (const [, list] of expr.matchAll(/by \(([^)]*)\)/g))
    for (const label of list.split(', ')) t.ok(known.has(label), `${title}: by ${label}`);
  for (const [, label] of legend.matchAll(/\{\{(\w+)\}\}/g)) t.ok(known.has(label), `${title}: {{${label}}}`);
}

t.test('the reader objects to what is wrong', async (t) => {
  const good = [
    '# HELP a_seconds Help.',
    '# TYPE a_seconds histogram',
    'a_seconds_bucket{le="1"} 1',
    'a_seconds_bucket{le="+Inf"} 2',
    'a_seconds_sum 3.5e-1',
    'a_seconds_count 2',
    '',
  ].join('\n');
  t.same(readExposition(good).objections, []);
  const faults: Record<string, [from: string | RegExp, to: string]> = {
    'help twice': [/$/, '# HELP a_seconds Help.\n# TYPE a_seconds histogram\n'],
    'type before help': ['# HELP a_seconds Help.\n', ''],
    'unknown type': ['histogram', 'histogramm'],
    'a name that is none': [/a_seconds/g, 'a-seconds'],
    'not cumulative': ['le="1"} 1', 'le="1"} 3'],
    'no +Inf': ['a_seconds_bucket{le="+Inf"} 2\n', ''],
    'count is not +Inf': ['count 2', 'count 3'],
    'no sum': ['a_seconds_sum 3.5e-1\n', ''],
    'bounds fall': ['le="1"', 'le="+Inf"'],
    'no bound': ['{le="1"}', '{other="1"}'],
    'an open label': ['{le="1"}', '{le="1}'],
    'a label twice': ['{le="1"}', '{le="1",le="1"}'],
    'a value that is none': ['3.5e-1', '0x3'],
    'a sample of another': ['a_seconds_sum', 'b_seconds_sum'],
    'no last line feed': [/\n$/, ''],
    milliseconds: [/a_seconds/g, 'a_ms'],
    'unit in the middle': [/a_seconds/g, 'a_seconds_long'],
    'a counter without _total': [/.*/s, '# HELP a Help.\n# TYPE a counter\na 1\n'],
    'a gauge with _total': [/.*/s, '# HELP a_total Help.\n# TYPE a_total gauge\na_total 1\n'],
    'a counter below zero': [/.*/s, '# HELP a_total Help.\n# TYPE a_total counter\na_total -1\n'],
    'a sample twice': [/.*/s, '# HELP a Help.\n# TYPE a gauge\na 1\na 2\n'],
    'no help': [/.*/s, '# HELP a \n# TYPE a gauge\na 1\n'],
    'the type in the name': [/.*/s, '# HELP a_gauge Help.\n# TYPE a_gauge gauge\na_gauge 1\n'],
  };
  for (const [name, [from, to]] of Object.entries(faults))
    t.not(readExposition(good.replace(from, to)).objections.length, 0, name);
});
