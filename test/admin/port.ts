/** The admin port over a fake node. */
import type { Test } from 'tap';
import { ADMIN_ERRORS } from '../../src/admin/errors.js';
import type { NodeView } from '../../src/admin/routes.js';
import { AdminServer } from '../../src/admin/server.js';
import type { Box } from '../../src/admin/sight.js';
import { FakeLog, FakeTime } from '../control/fakes.js';

export const TOKEN = 'a-token-for-tests';

interface Options {
  readonly adminToken?: string | null;
  readonly testFaults?: boolean;
  readonly adminHost?: string;
  readonly adminHosts?: readonly string[];
}

export async function setUp(t: Test, options: Options = {}) {
  const done: string[] = [];
  const reasons: string[] = [];
  const log = new FakeLog();
  const boxes: Box[] = [];
  const sight = {
    layoutVersion: 1,
    forget: () => {},
    look: () => ({ density: new Map(), handovers: [] }),
    handoverTimes: () => [],
    dots: (box: Box) => (boxes.push(box) < 1000 ? { tick: 7, total: 0, dots: [] } : null),
  };
  const node: NodeView = {
    status: () => ({ tick: 7, shards: [], gateways: [], decisions: [] }) as never,
    tiles: () => ({ tick: 7, tileLevel: 11, tiles: [] }),
    cluster: () => ({ nodes: [], routers: [] }) as never,
    observatory: {
      metricsText: async () => ({ text: '# HELP up x\n', type: 'text/plain; version=0.0.4; charset=utf-8' }),
      traces: { status: () => ({ handovers: { slowest: [], latest: [] } }) as never },
    },
    sight,
    decisions: () => [],
    notReady: () => reasons,
    killShard: (shard, how) => {
      done.push(`${how} ${shard}`);
      return shard < 2;
    },
    hangGateway: (gateway) => gateway === 1,
    split: (tile: string) => (tile === '11/0/0' ? null : ('BAD_TILE' as const)),
    merge: () => 'NOT_SPLIT' as const,
    move: () => 'RESHAPE_IN_PROGRESS' as const,
    journal: (entity: number) => [{ transfer: `${entity}.1` }],
    plantDuplicate: (entity: number) => entity === 4096,
    snapshot: async (name) => {
      if (name === 'taken') throw new Error("there is a snapshot 'taken' already");
      return { name: name ?? 'auto-7', tick: 7, entities: 3, bytes: 4096 };
    },
    drain: () => {
      done.push('drain');
    },
  };
  const time = new FakeTime();
  const server = new AdminServer({
    adminHost: '127.0.0.1',
    adminHosts: [],
    adminPort: 0,
    adminToken: TOKEN,
    testFaults: true,
    ...options,
    node,
    log,
    clock: time,
    timers: time,
  });
  const port = await server.listen();
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${port}`;
  const get = (path: string, method = 'GET') => fetch(url + path, { method });
  const post = (path: string, body: string, token: string | null = TOKEN) =>
    fetch(url + path, {
      method: 'POST',
      body,
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
    });
  return { url, port, get, post, done, reasons, log, node, boxes, time, server };
}

export type Refusal = { error: { code: string; text: string; paths?: string[] } };
export async function refused(
  t: Test,
  response: Response,
  code: keyof typeof ADMIN_ERRORS,
): Promise<Refusal> {
  const body = (await response.json()) as Refusal;
  t.equal(response.status, ADMIN_ERRORS[code].status);
  t.equal(body.error.code, code);
  t.match(body.error.text, ADMIN_ERRORS[code].text);
  return body;
}
