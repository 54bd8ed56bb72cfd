/** Metrics of the node as a whole, of its threads, and of the process (under the names that every exporter uses). */
import { readdirSync, readFileSync } from 'node:fs';
import { STORE_STATE } from '../../memory/cut-block.js';
import { HistogramCopy } from '../../memory/histogram.js';
import type { Family, Labels, MetricSource, Sample } from './source.js';

type Score = ReturnType<MetricSource['forecast']>[number];

const one = (value: number, labels: Labels = {}): Sample[] => [{ labels, value }];

function gauge(name: string, help: string, value: (source: MetricSource) => number): Family {
  return { name, help, kind: 'gauge', labels: [], read: (source) => one(value(source)) };
}

function counter(name: string, help: string, value: (source: MetricSource) => number): Family {
  return { name, help, kind: 'counter', labels: [], read: (source) => one(value(source)) };
}

function byHorizon(name: string, help: string, value: (score: Score) => number): Family {
  const read = ({ forecast }: MetricSource) =>
    forecast().map((score) => ({ labels: { horizon: `${score.horizonS}s` }, value: value(score) }));
  return { name, help, kind: 'gauge', labels: ['horizon'], read };
}

const NODE: readonly Family[] = [
  gauge('bluemarble_ready', '1 while clients are accepted.', (s) => (s.notReady().length === 0 ? 1 : 0)),
  gauge(
    'bluemarble_cpu_saturated',
    '1 while threads with work of their own wait for a core more than a fifth of the time.',
    (s) => (s.cpuSaturated() ? 1 : 0),
  ),
  gauge('bluemarble_bots', 'Bots that the server has started.', (s) => s.bots()),
  gauge('bluemarble_tick', 'The tick that it is now.', ({ world, now }) => world.clock.tickAt(now())),
  gauge('bluemarble_tick_length_seconds', 'Length of a tick.', ({ world }) => world.clock.tickMs / 1000),
  gauge('bluemarble_alarmed_shards', 'Shards that died so often that an operator should look.', (s) =>
    s.shards().reduce((n, { alarm }) => n + (alarm === null ? 0 : 1), 0),
  ),
  gauge('bluemarble_traces', 'Crossings kept for /api/traces.', (s) => s.traces().kept),
  counter(
    'bluemarble_traces_lost_total',
    'Crossings overwritten before they were read.',
    (s) => s.traces().lost,
  ),
  gauge(
    'bluemarble_durable_tick',
    'The tick up to which everything survives the process.',
    ({ world }) => world.cut.durableTick,
  ),
  gauge(
    'bluemarble_store_failing',
    '1 while the disk fails: nobody is admitted, the world goes on.',
    ({ world }) => (world.cut.state === STORE_STATE.FAILING ? 1 : 0),
  ),
  {
    name: 'bluemarble_durable_duration_seconds',
    help: 'From the end of a tick to the moment in which all of it is durable; each tick counts once.',
    kind: 'histogram',
    labels: [],
    read: ({ world }) => {
      const copy = new HistogramCopy();
      world.cut.durableMs.addTo(copy);
      return [{ labels: {}, copy }];
    },
  },
  byHorizon('bluemarble_forecast_trusted', '1 while the planner may go by this horizon.', (score) =>
    score.trusted ? 1 : 0,
  ),
  byHorizon(
    'bluemarble_forecast_skill',
    'Of the last hour: 1 − error ÷ error of "as now"; above 0 it is better.',
    (score) => score.skill,
  ),
  byHorizon(
    'bluemarble_forecast_brier_skill',
    'Of the last hour: 1 − Brier score ÷ that of "hot later if hot now".',
    (score) => score.brierSkill,
  ),
  byHorizon(
    'bluemarble_forecast_error_players',
    'Mean error of the last hour, players of a tile.',
    (score) => score.mae,
  ),
  {
    name: 'bluemarble_reshapes_total',
    help: 'Changes of layout, by kind.',
    kind: 'counter',
    labels: ['kind'],
    read: (source) => {
      const { splits, merges, moves } = source.reshapes();
      return Object.entries({ split: splits, merge: merges, move: moves }).map(([kind, value]) => ({
        labels: { kind },
        value,
      }));
    },
  },
  {
    name: 'bluemarble_admin_refused_total',
    help: 'Requests that the admin port turned away, by code: a wrong token, a name or a page of others.',
    kind: 'counter',
    labels: ['code'],
    read: (source) => [...source.refusals()].map(([code, value]) => ({ labels: { code }, value })),
  },
  {
    name: 'bluemarble_thread_cpu_seconds_total',
    help: 'CPU time of a thread, in user mode and in the kernel.',
    kind: 'counter',
    labels: ['thread', 'mode'],
    read: (source) =>
      source.threads().flatMap(({ name, userSeconds, systemSeconds }) => [
        { labels: { thread: name, mode: 'user' }, value: userSeconds },
        { labels: { thread: name, mode: 'system' }, value: systemSeconds },
      ]),
  },
  {
    name: 'bluemarble_thread_wait_seconds_total',
    help: 'Time that a thread was ready to run and had no core.',
    kind: 'counter',
    labels: ['thread'],
    read: (source) =>
      source.threads().map(({ name, waitSeconds }) => ({ labels: { thread: name }, value: waitSeconds })),
  },
];

const memory = (pick: (usage: NodeJS.MemoryUsage) => number) => () => pick(process.memoryUsage());

const PROCESS: readonly Family[] = [
  counter(
    'process_cpu_user_seconds_total',
    'CPU time of the process in user mode.',
    () => process.cpuUsage().user / 1e6,
  ),
  counter(
    'process_cpu_system_seconds_total',
    'CPU time of the process in the kernel.',
    () => process.cpuUsage().system / 1e6,
  ),
  counter('process_cpu_seconds_total', 'CPU time of the process.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }),
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss()),
  gauge(
    'process_start_time_seconds',
    'When the process began, in seconds since 1970.',
    () => performance.timeOrigin / 1000,
  ),
  gauge('process_open_fds', 'Open file descriptors.', openFiles),
  gauge('process_max_fds', 'File descriptors that may be open.', mostFiles),
  gauge(
    'nodejs_heap_size_used_bytes',
    'Heap in use of the main thread.',
    memory((m) => m.heapUsed),
  ),
  gauge(
    'nodejs_heap_size_total_bytes',
    'Heap of the main thread.',
    memory((m) => m.heapTotal),
  ),
  gauge(
    'nodejs_external_memory_bytes',
    'Memory outside of the heap that objects of the main thread hold.',
    memory((m) => m.external),
  ),
  {
    name: 'nodejs_version_info',
    help: 'Version of Node.',
    kind: 'gauge',
    labels: ['version'],
    read: () => one(1, { version: process.version }),
  },
];

/** NaN where the system does not tell: Prometheus takes it for "no value". */
function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return Number.NaN;
  }
}

function mostFiles(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
  } catch {
    return Number.NaN;
  }
}

export const NODE_FAMILIES: readonly Family[] = [...NODE, ...PROCESS];
