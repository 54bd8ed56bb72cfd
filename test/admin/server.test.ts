/** The admin port over a fake node: every path, every refusal, by real HTTP on loopback. */
import { connect } from 'node:net';
import t from 'tap';
import { AdminServer } from '../../src/admin/server.js';
import { FakeTime } from '../control/fakes.js';
import { refused, setUp, TOKEN } from './port.js';

t.test('healthz, readyz', async (t) => {
  const { get, reasons } = await setUp(t);
  t.equal((await get('/healthz')).status, 200);
  const ready = await get('/readyz');
  t.equal(ready.status, 200);
  t.same(await ready.json(), { ready: true, reasons: [] });
  reasons.push('shard 1 is starting');
  const not = await get('/readyz');
  t.equal(not.status, 503);
  t.same(await not.json(), { ready: false, reasons: ['shard 1 is starting'] });
  t.equal((await get('/healthz')).status, 200, 'alive all the same');
});

t.test('status and tiles are JSON and never cached', async (t) => {
  const { get } = await setUp(t);
  const status = await get('/api/status?x=1');
  t.equal(status.headers.get('content-type'), 'application/json; charset=utf-8');
  t.equal(status.headers.get('cache-control'), 'no-store');
  t.match(await status.json(), { tick: 7 });
  t.match(await (await get('/api/tiles')).json(), { tileLevel: 11 });
  const head = await get('/api/status', 'HEAD');
  t.equal(head.status, 200);
  t.equal(await head.text(), '');
});

t.test('the pages and what they need come from this port alone', async (t) => {
  const { get } = await setUp(t);
  for (const path of ['/', '/play']) {
    const response = await get(path);
    const page = await response.text();
    t.match(response.headers.get('content-security-policy'), /default-src 'none'/, path);
    t.notMatch(
      page,
      /https?:|@import|<style|<script>/,
      `${path} has nothing inline and nothing from outside`,
    );
    const needed = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, name]) => name);
    t.ok(needed.length >= 3, `${path} needs ${needed.join(', ')}`);
    for (const name of needed) {
      const asset = await get(name);
      t.equal(asset.status, 200, name);
      t.ok((await asset.text()).length > 100, `${name} is not empty`);
    }
  }
  const land = await get('/assets/land.json');
  t.equal(land.headers.get('content-encoding'), 'gzip', 'compressed for who takes it');
  t.match(await land.json(), { type: 'Topology' });
  await refused(t, await get('/assets/..%2fserver.js'), 'UNKNOWN_PATH');
  await refused(t, await get('/assets/map.ts'), 'UNKNOWN_PATH');
});

t.test('dots are answered for a box of the world, and for nothing else', async (t) => {
  const { get, boxes } = await setUp(t);
  const box = (west: number, south: number, east: number, north: number) =>
    get(`/api/dots?west=${west}&south=${south}&east=${east}&north=${north}`);
  const edge = 20_037_508;
  t.same(await (await box(0, 0, 40_000, 40_000)).json(), { tick: 7, total: 0, dots: [] });
  t.equal((await box(edge - 10, 0, -edge, 10)).status, 200, 'over the antimeridian');
  t.equal(boxes.length, 2);
  await refused(t, await box(0, 0, 40_001, 10), 'BAD_BOX');
  await refused(t, await box(0, 0, 10, 40_001), 'BAD_BOX');
  await refused(t, await box(10, 0, 0, 10), 'BAD_BOX');
  await refused(t, await box(0, 10, 10, 0), 'BAD_BOX');
  await refused(t, await box(0, 10_018_000, 10, 10_019_000), 'BAD_BOX');
  await refused(t, await box(edge + 10, 0, edge + 20, 10), 'BAD_BOX');
  await refused(t, await get('/api/dots'), 'BAD_BOX');
  await refused(t, await get('/api/dots?west=NaN&south=0&east=1&north=Infinity'), 'BAD_BOX');
  boxes.length = 1000;
  await refused(t, await box(0, 0, 1, 1), 'TOO_MANY_LOOKS');
});

t.test('metrics, traces and the dashboard', async (t) => {
  const { get } = await setUp(t);
  const metrics = await get('/metrics');
  t.equal(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  t.equal(await metrics.text(), '# HELP up x\n');
  t.match(await (await get('/api/traces')).json(), { handovers: { slowest: [] } });
  const dashboard = (await (await get('/grafana.json')).json()) as { title: string };
  t.equal(dashboard.title, 'BlueMarble');
});

t.test('unknown path: the list of paths', async (t) => {
  const { get } = await setUp(t);
  const body = await refused(t, await get('/api/nothing'), 'UNKNOWN_PATH');
  t.ok(body.error.paths?.includes('GET /api/status'));
  t.ok(body.error.paths?.includes('POST /api/admin/drain'));
});

t.test('wrong method', async (t) => {
  const { get, post } = await setUp(t);
  const response = await post('/api/status', '{}');
  t.equal(response.headers.get('allow'), 'GET');
  await refused(t, response, 'METHOD_NOT_ALLOWED');
  await refused(t, await get('/api/admin/drain'), 'METHOD_NOT_ALLOWED');
  await refused(t, await get('/api/admin/drain', 'DELETE'), 'METHOD_NOT_ALLOWED');
});

t.test('commands need the token', async (t) => {
  const { post, done } = await setUp(t);
  for (const token of [null, 'wrong', `${TOKEN}x`, '']) {
    const response = await post('/api/admin/drain', '{}', token);
    t.equal(response.headers.get('www-authenticate'), 'Bearer');
    await refused(t, response, 'UNAUTHORIZED');
  }
  t.same(done, []);
  t.equal((await post('/api/admin/drain', '{}')).status, 202);
  t.same(done, ['drain']);
});

t.test('without a token the commands are off, whatever is sent', async (t) => {
  const { post, done } = await setUp(t, { adminToken: null });
  await refused(t, await post('/api/admin/drain', '{}', 'null'), 'ADMIN_OFF');
  await refused(t, await post('/api/admin/drain', '{}', null), 'ADMIN_OFF');
  t.same(done, []);
});

t.test('kill-shard', async (t) => {
  const { post, done } = await setUp(t);
  for (const how of ['terminate', 'throw', 'hang', 'oom'])
    t.equal((await post('/api/admin/kill-shard', JSON.stringify({ shard: 1, how }))).status, 202);
  t.same(done, ['terminate 1', 'throw 1', 'hang 1', 'oom 1']);
  await refused(t, await post('/api/admin/kill-shard', '{"shard": 2, "how": "throw"}'), 'UNKNOWN_SHARD');
  done.length = 0;
  for (const body of [
    '',
    '{',
    '[]',
    'null',
    '{"shard": "1"}',
    '{"shard": -1}',
    '{"shard": 0.5}',
    '{"shard": 1, "how": "nicely"}',
    '{"shard": 1, "why": 1}',
  ]) {
    await refused(t, await post('/api/admin/kill-shard', body), 'BAD_BODY');
  }
  t.same(done, []);
});

t.test('kill-shard is off without --test-faults, drain is not', async (t) => {
  const { post, done } = await setUp(t, { testFaults: false });
  await refused(t, await post('/api/admin/kill-shard', '{"shard": 0}'), 'FAULTS_OFF');
  t.equal((await post('/api/admin/drain', '')).status, 202);
  t.same(done, ['drain']);
});

t.test('a body at the limit is read, one byte more is refused', async (t) => {
  const { post } = await setUp(t);
  const body = (bytes: number) => `{"shard": 0}${' '.repeat(bytes - 12)}`;
  t.equal((await post('/api/admin/kill-shard', body(16 * 1024))).status, 202);
  await refused(t, await post('/api/admin/kill-shard', body(16 * 1024 + 1)), 'BODY_TOO_LARGE');
});

t.test('a failing node is answered with a code and logged, without its words', async (t) => {
  const { get, node, log } = await setUp(t);
  node.status = () => {
    throw new Error('secret inner words');
  };
  const body = await refused(t, await get('/api/status'), 'INTERNAL');
  t.notMatch(body.error.text, /secret/);
  t.match(JSON.stringify(log.lines), /secret inner words/);
});

t.test('bytes that are not HTTP cost one socket and nothing else', async (t) => {
  const { port, get } = await setUp(t);
  const socket = connect(port, '127.0.0.1');
  socket.write('\x16\x03\x01 no http \r\n\r\n');
  await new Promise((resolve) =>
    socket
      .on('close', resolve)
      .on('error', () => {})
      .resume(),
  );
  t.equal((await get('/healthz')).status, 200);
});

t.test('a taken port is refused by name', async (t) => {
  const { port, node, log } = await setUp(t);
  const second = new AdminServer({
    adminHost: '127.0.0.1',
    adminHosts: [],
    adminPort: port,
    adminToken: null,
    testFaults: false,
    node,
    log,
    clock: new FakeTime(),
    timers: new FakeTime(),
  });
  await t.rejects(second.listen(), {
    code: 'TAKEN_ADMIN_PORT',
    message: new RegExp(`admin port ${port} of 127.0.0.1 .*--admin-port`),
  });
});

t.test('a snapshot answers with what it holds, or with why there is none', async (t) => {
  const { post } = await setUp(t);
  const made = await post('/api/admin/snapshot', '{}');
  t.equal(made.status, 200);
  t.same(await made.json(), { name: 'auto-7', tick: 7, entities: 3, bytes: 4096 });
  t.match(await (await post('/api/admin/snapshot', '{"name": "monday"}')).json(), { name: 'monday' });
  const { error } = await refused(t, await post('/api/admin/snapshot', '{"name": "taken"}'), 'NO_SNAPSHOT');
  t.match(error.text, /already/);
  await refused(t, await post('/api/admin/snapshot', '{"name": 7}'), 'BAD_BODY');
  await refused(t, await post('/api/admin/snapshot', '{}', null), 'UNAUTHORIZED');
});
