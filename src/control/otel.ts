/**
 * Traces out of the process: every kept crossing as a span with one child for each of its steps, to a collector that
 * speaks OTLP over HTTP (JSON). Off unless `--otlp-url` is given; OpenTelemetry's libraries are loaded only then.
 *
 * Contract: never in the way: spans wait in a bounded queue, are sent in batches, and are dropped when nobody takes
 * them; a failing export is logged, once. `stop` sends what waits.
 */
import { type Clock, sinceEpoch } from '../base/clock.js';
import { type Log, reasonOf } from './log.js';
import type { HandoverTrace, MigrationTrace } from './traces.js';

export interface TraceExport {
  export(trace: HandoverTrace | MigrationTrace): void;
  stop(): Promise<void>;
}

/** @param url of the collector, such as http://127.0.0.1:4318/v1/traces */
export async function exportTraces(url: string, clock: Clock, log: Log): Promise<TraceExport> {
  const [api, sdk, otlp, resources, words] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/semantic-conventions'),
  ]);
  let isTold = false;
  const failed = (reason: string) => {
    if (!isTold) log.warn({ reason: reason.slice(0, 300) }, 'traces could not be exported');
    isTold = true;
  };
  api.diag.setLogger(errorsOnly(failed), {
    logLevel: api.DiagLogLevel.ERROR,
    suppressOverrideMessage: true, // the next node of the process takes it over
  });
  const exporter = new otlp.OTLPTraceExporter({
    url,
    timeoutMillis: 5_000, // a collector that hangs costs one batch
    concurrencyLimit: 1,
  });
  const provider = new sdk.BasicTracerProvider({
    resource: resources.resourceFromAttributes({ [words.ATTR_SERVICE_NAME]: 'bluemarble' }),
    spanProcessors: [
      new sdk.BatchSpanProcessor(exporter, {
        maxQueueSize: 2_048, // then the newest are dropped
        maxExportBatchSize: 256,
        scheduledDelayMillis: 1_000,
        exportTimeoutMillis: 5_000,
      }),
    ],
  });
  const tracer = provider.getTracer('bluemarble');
  const offset = sinceEpoch(clock);
  return {
    export: (trace) => {
      const start = trace.startMs + offset;
      const taken = trace.steps.filter((step) => step.ms !== null) as { step: string; ms: number }[];
      const end = start + Math.max(0, ...taken.map(({ ms }) => ms));
      const span = tracer.startSpan(trace.kind, { startTime: start, attributes: attributesOf(trace) });
      const inside = api.trace.setSpan(api.ROOT_CONTEXT, span);
      for (let i = 1; i < taken.length; i++) {
        const child = tracer.startSpan(taken[i].step, { startTime: start + taken[i - 1].ms }, inside);
        child.end(start + taken[i].ms);
      }
      span.end(end);
    },
    stop: () => provider.shutdown().catch((error: unknown) => failed(reasonOf(error))),
  };
}

function attributesOf(trace: HandoverTrace | MigrationTrace): Record<string, string | number | boolean> {
  const common = { 'bluemarble.tick': trace.tick, 'bluemarble.total_ms': trace.totalMs };
  if (trace.kind === 'migration') {
    const { decision, reason, entities } = trace;
    return {
      ...common,
      'bluemarble.decision': decision,
      'bluemarble.reason': reason,
      'bluemarble.entities': entities,
    };
  }
  return {
    ...common,
    'bluemarble.entity': trace.entity,
    'bluemarble.shard.from': trace.from,
    'bluemarble.shard.to': trace.to,
    'bluemarble.slow': trace.slow,
    ...(trace.tile === null ? {} : { 'bluemarble.tile': trace.tile }),
  };
}

/** What OpenTelemetry wants to write its own log to. */
function errorsOnly(tell: (text: string) => void) {
  const quiet = () => {};
  return { error: (text: string) => tell(text), warn: quiet, info: quiet, debug: quiet, verbose: quiet };
}
