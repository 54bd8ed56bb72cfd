/**
 * What outside tools read of a node beside its status: metrics, traces of crossings and their export, a dashboard.
 *
 * Contract: reads shared memory when asked and a few times a second; `start` throws when an export was asked for and
 * its libraries cannot be loaded.
 */
import { readFileSync } from 'node:fs';
import type { Clock, Timers } from '../base/clock.js';
import type { Log } from '../control/log.js';
import { exportTraces, type TraceExport } from '../control/otel.js';
import type { Breathing } from '../control/breathing.js';
import type { Supervisor } from '../control/supervisor.js';
import type { ThreadCpu } from '../control/thread-cpu.js';
import { namedThreads, threadTimes } from '../control/thread-times.js';
import { Traces } from '../control/traces.js';
import { paced } from '../memory/pace.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { Metrics } from './metrics/metrics.js';
import type { Route } from './routes.js';

export interface ObservatoryParts {
  readonly world: SharedWorld;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly cpu: ThreadCpu;
  readonly readText: (path: string) => string | null;
  /** These are made later than this is. */
  readonly supervisor: () => Pick<Supervisor, 'report'>;
  readonly breathing: () => Pick<Breathing, 'reshaper' | 'foreseer'>;
  readonly bots: () => number;
  readonly notReady: () => readonly string[];
  /** Requests that the admin port turned away, by code. */
  readonly refusals: () => ReadonlyMap<string, number>;
}

/** So that a split shows on the map while people look, and no ring of traces is overwritten unread. */
const POLL_MS = 250;
const DASHBOARD = new URL('./grafana.json', import.meta.url);

export class Observatory {
  readonly traces: Traces;
  private readonly metrics: Metrics;
  private exporter: TraceExport | null = null;
  private cancel: (() => void) | null = null;

  constructor(private readonly parts: ObservatoryParts) {
    const { world, clock, cpu, readText } = parts;
    this.traces = new Traces(world, clock);
    this.metrics = new Metrics({
      world,
      now: () => clock.now(),
      shards: () => parts.supervisor().report(),
      reshapes: () => parts.breathing().reshaper.counts,
      forecast: () => parts.breathing().foreseer.scores,
      cpuSaturated: () => cpu.saturated,
      bots: parts.bots,
      notReady: parts.notReady,
      refusals: parts.refusals,
      threads: () => threadTimes(namedThreads(world, process.pid), readText),
      traces: () => this.traces.counts,
    });
  }

  /** @param otlpUrl where traces are exported to; null = nowhere */
  async start(otlpUrl: string | null): Promise<void> {
    const { world, clock, timers, log } = this.parts;
    this.cancel = paced({ clock, timers, world }, POLL_MS, () => this.traces.poll());
    if (otlpUrl === null) return;
    const exporter = await exportTraces(otlpUrl, clock, log);
    this.exporter = exporter;
    this.traces.onTrace = (trace) => exporter.export(trace);
  }

  async stop(): Promise<void> {
    this.cancel?.();
    this.cancel = null;
    this.traces.poll();
    await this.exporter?.stop();
    this.exporter = null;
  }

  async metricsText(): Promise<{ text: string; type: string }> {
    return { text: await this.metrics.text(), type: this.metrics.contentType };
  }
}

/** What a node shows of it. */
export interface ObservedNode {
  readonly observatory: Pick<Observatory, 'metricsText'> & { readonly traces: Pick<Traces, 'status'> };
}

export function observatoryRoutes(node: ObservedNode): Route[] {
  return [
    {
      method: 'GET',
      path: '/metrics',
      help: "every figure in Prometheus' text format",
      answer: async () => {
        const { text, type } = await node.observatory.metricsText();
        return { body: text, type };
      },
    },
    {
      method: 'GET',
      path: '/grafana.json',
      help: 'a dashboard over these metrics, to import into Grafana',
      answer: () => ({
        body: readFileSync(DASHBOARD, 'utf8'),
        type: 'application/json; charset=utf-8',
        headers: { 'content-disposition': 'attachment; filename="bluemarble.json"' },
      }),
    },
    {
      method: 'GET',
      path: '/api/traces',
      help: 'the slowest and latest handovers and changes of layout, with the time of each step',
      answer: () => ({ body: node.observatory.traces.status() }),
    },
  ];
}
