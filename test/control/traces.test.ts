/** Traces for people: what is kept, in which order, what changes of layout leave; and their export to a collector. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { exportTraces } from '../../src/control/otel.js';
import { type HandoverTrace, KEPT, type MigrationTrace, Traces } from '../../src/control/traces.js';
import { createSharedWorld } from '../../src/memory/shared-world.js';
import { HANDOVER_TRACE as H, LAYOUT_TRACE as L, TRACE_KIND } from '../../src/memory/trace-ring.js';
import { FakeLog, FakeTime } from './fakes.js';

function setUp() {
  const time = new FakeTime();
  const world = createSharedWorld({ shards: 2, gateways: 1, startMs: time.now(), maxEntities: 256 });
  const traces = new Traces(world, time);
  const handover = (entity: number, decided: number, ms: number, framed = true) => {
    const ring = world.traces[1];
    const at = ring.begin();
    const put = (word: number, value: number) => {
      ring.values[at + word] = value;
    };
    put(H.kind, TRACE_KIND.handover);
    put(H.entity, entity);
    put(H.to, 1);
    put(H.x, 1_000);
    put(H.y, 2_000);
    put(H.decided, decided);
    put(H.locked, decided + 0.25);
    put(H.pushed, decided + 0.5);
    put(H.accepted, decided + ms);
    put(H.firstTick, decided + ms + 1);
    put(H.firstFrame, framed ? decided + ms + 50 : 0);
    put(H.slow, 1);
    ring.commit();
  };
  const layout = (shard: number, kind: number, version: number, at: number, moved = 0) => {
    const ring = world.traces[shard];
    const i = ring.begin();
    ring.values[i + L.kind] = kind;
    ring.values[i + L.version] = version;
    ring.values[i + L.at] = at;
    ring.values[i + L.moved] = moved;
    ring.commit();
  };
  return { time, world, traces, handover, layout };
}

t.test('a handover with its steps', async (t) => {
  const { traces, handover, time } = setUp();
  const start = time.now() + 2_000;
  handover(17, start, 30);
  handover(18, start, 20, false);
  const { handovers, lost } = traces.status();
  t.equal(lost, 0);
  t.match(handovers.slowest[0], {
    kind: 'handover',
    entity: 17,
    from: 0,
    to: 1,
    tile: null,
    slow: true,
    atSeconds: 2,
    totalMs: 30,
    steps: [
      { step: 'decided', ms: 0 },
      { step: 'locked', ms: 0.25 },
      { step: 'pushed', ms: 0.5 },
      { step: 'accepted', ms: 30 },
      { step: 'first tick', ms: 31 },
      { step: 'first frame', ms: 80 },
    ],
  });
  t.same(handovers.latest[0].steps.at(-1), { step: 'first frame', ms: null }, 'one that never happened');
});

t.test('the slowest stay, the latest go by, no more than so many', async (t) => {
  const { traces, handover, time } = setUp();
  for (let i = 0; i < 100; i++) {
    handover(i, time.now(), (i * 37) % 100);
    if (i % 50 === 0) traces.poll();
  }
  const { slowest, latest } = traces.status().handovers;
  t.same(
    slowest.map(({ totalMs }) => totalMs),
    Array.from({ length: KEPT }, (_, i) => 99 - i),
  );
  t.same(
    latest.map(({ entity }) => entity),
    Array.from({ length: KEPT }, (_, i) => 99 - i),
  );
});

t.test('what was overwritten is counted', async (t) => {
  const { traces, handover, time } = setUp();
  for (let i = 0; i < 300; i++) handover(i, time.now(), 1);
  t.equal(traces.status().lost, 300 - 255);
});

t.test('a change of layout, from its decision to its end', async (t) => {
  const { traces, layout, time } = setUp();
  const start = time.now();
  layout(0, TRACE_KIND.layoutSeen, 6, start - 1); // an older one
  traces.decided();
  time.advance(1);
  traces.stored(5, { decision: 'split 11/1/1 of shard 0', reason: 'full', tick: 3, version: 7 });
  layout(0, TRACE_KIND.layoutSeen, 7, start + 20);
  layout(1, TRACE_KIND.layoutSeen, 7, start + 10);
  layout(0, TRACE_KIND.layoutLeft, 7, start + 21, 40);
  layout(0, TRACE_KIND.layoutLeft, 7, start + 71, 2);
  t.equal(traces.status().migrations.underWay, 1);
  time.advance(99);
  traces.done(5);
  const { migrations } = traces.status();
  t.equal(migrations.underWay, 0);
  t.match(migrations.slowest, [
    {
      kind: 'migration',
      decision: 'split 11/1/1 of shard 0',
      reason: 'full',
      entities: 42,
      totalMs: 100,
      steps: [
        { step: 'decided', ms: 0 },
        { step: 'stored', ms: 1 },
        { step: 'first shard saw it', ms: 10 },
        { step: 'last shard saw it', ms: 20 },
        { step: 'last entity moved', ms: 71 },
        { step: 'done', ms: 100 },
      ],
    },
  ]);
  traces.done(5);
  t.equal(traces.status().migrations.latest.length, 1, 'done once');
});

interface Span {
  name: string;
  spanId: string;
  parentSpanId?: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Record<string, unknown> }[];
}
interface Otlp {
  resourceSpans: { resource: { attributes: unknown[] }; scopeSpans: { spans: Span[] }[] }[];
}

/** A collector that keeps what it is sent, or refuses it. */
async function collector(t: Test, status = 200): Promise<{ url: string; bodies: Otlp[]; asked: number }> {
  const got = { url: '', bodies: [] as Otlp[], asked: 0 };
  const server: Server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      got.asked++;
      if (status === 200) got.bodies.push(JSON.parse(text) as Otlp);
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  got.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
  return got;
}

const steps = [
  { step: 'decided', ms: 0 },
  { step: 'accepted', ms: 30 },
  { step: 'first frame', ms: null },
];
const HANDOVER: HandoverTrace = {
  ...{ kind: 'handover', entity: 17, from: 0, to: 1, tile: '11/1/1', x: 1, y: 2, slow: true },
  ...{ tick: 5, atSeconds: 1, startMs: 1_000, totalMs: 30, steps },
} as HandoverTrace;
const MIGRATION: MigrationTrace = {
  ...{ kind: 'migration', decision: 'split', reason: 'full', entities: 3 },
  ...{ tick: 5, atSeconds: 1, startMs: 1_000, totalMs: 30, steps },
} as MigrationTrace;

t.test('exported: a span for each crossing, a child for each step that was taken', async (t) => {
  const { url, bodies } = await collector(t);
  const time = new FakeTime();
  const log = new FakeLog();
  const exporter = await exportTraces(url, time, log);
  exporter.export(HANDOVER);
  exporter.export(MIGRATION);
  await exporter.stop();
  t.same(log.lines, []);
  const spans = bodies.flatMap((body) =>
    body.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans)),
  );
  t.same(spans.map(({ name }) => name).sort(), ['accepted', 'accepted', 'handover', 'migration']);
  t.match(JSON.stringify(bodies[0].resourceSpans[0].resource), /"service\.name".*"bluemarble"/);
  const root = spans.find(({ name }) => name === 'handover') as Span;
  const child = spans.find(({ parentSpanId }) => parentSpanId === root.spanId) as Span;
  t.equal(child.name, 'accepted');
  const lasts = Number(BigInt(root.endTimeUnixNano) - BigInt(root.startTimeUnixNano)) / 1e6;
  t.ok(Math.abs(lasts - 30) < 0.01, `${lasts} ms`);
  const tile = root.attributes.find(({ key }) => key === 'bluemarble.tile');
  t.same(tile?.value, { stringValue: '11/1/1' });
});

t.test('a collector that refuses is told of once, and holds nothing up', async (t) => {
  const refusing = await collector(t, 400);
  const log = new FakeLog();
  const exporter = await exportTraces(refusing.url, new FakeTime(), log);
  exporter.export(HANDOVER);
  await exporter.stop();
  t.equal(refusing.asked, 1);
  t.equal(log.lines.length, 1);
  t.match(JSON.stringify(log.lines), /traces could not be exported/);
});
