/**
 * Game code that throws or never returns takes its shard down, and after the second time for the same action or entity
 * it is not tried again: the action is answered QUARANTINED, the entity is not stepped any more, and everybody else
 * plays on, with every action decided exactly once (case 22).
 */
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { ERRORS } from '../../src/base/errors.js';
import { type Client, connect } from '../../src/client/client.js';
import { columnReader } from '../../src/client/columns.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import { eventually, Server, within } from './server.js';

t.setTimeout(120_000);
t.jobs = 3;

const GAME = fileURLToPath(new URL('../fixtures/games/fragile.js', import.meta.url));
const PAYLOADS = { count: 'none', trip: 'none', stall: 'none', curse: 'none' } as const;
const DEATH = [
  /^shard fault$/,
  /^shard died, a replacement adopts$/,
  /^shard is silent, terminating it$/,
  /^killed a shard twice: quarantined$/,
];

/** One of this game's players; `closes` collects what ended its sockets. */
async function enter(t: Test, server: Server) {
  const closes: number[] = [];
  const client = connect({
    url: server.url,
    socket: nodeSockets,
    payloads: PAYLOADS,
    handlers: { disconnected: (code) => closes.push(code) },
  });
  t.teardown(() => client.abandon());
  await within('Welcome', client.ready);
  return { client, closes };
}

const codes = async (client: Client, ...actions: string[]) =>
  (await within('outcomes', Promise.all(actions.map((action) => client.act(action))))).map(
    ({ code }) => code,
  );

/** The `count` of a player as another one sees it. */
function countOf(viewer: Client, entity: number): number | undefined {
  const seen = viewer.view?.get(entity);
  return seen === undefined ? undefined : columnReader(viewer.welcome?.columns ?? [], 'count')?.(seen);
}

async function fall(t: Test, culprit: 'trip' | 'stall' | 'curse', outcome: number): Promise<Server> {
  const server = await Server.start(t, ['--shards', '1', '--game', GAME], { mayLog: DEATH });
  const [guilty, innocent] = [await enter(t, server), await enter(t, server)];
  const others = codes(innocent.client, ...Array.from({ length: 20 }, () => 'count'));
  t.same(await codes(guilty.client, 'count', culprit, 'count', 'count'), [0, outcome, 0, 0], culprit);
  t.same(await others, new Array(20).fill(0), 'the others play on');
  t.same(await codes(innocent.client, 'count'), [0], 'and on');
  t.same([guilty.closes, innocent.closes], [[], []], 'nobody was disconnected');
  await eventually('nothing is half done', () => countOf(innocent.client, guilty.client.entity) === 3);
  const [log, other] = await Promise.all([guilty.client.requestLog(), innocent.client.requestLog()]);
  t.match(log, { lastAction: 4, applied: outcome === 0 ? 4 : 3, rejected: outcome === 0 ? 0 : 1 });
  t.match(other, { lastAction: 21, applied: 21, rejected: 0 }, 'each action was done once');
  t.equal((await server.status()).totals.shardRestarts, 2);
  const verdicts = server.log.filter(({ msg }) => msg === 'killed a shard twice: quarantined');
  t.match(verdicts, [{ entity: guilty.client.entity, action: culprit === 'curse' ? 0 : 2 }]);
  await Promise.all([guilty.client.goodbye(), innocent.client.goodbye()]);
  return server;
}

t.test('an action that throws', { buffered: true }, async (t) => {
  const server = await fall(t, 'trip', ERRORS.QUARANTINED.number);
  const faults = server.log.filter(({ msg }) => msg === 'shard fault').map(({ reason }) => String(reason));
  t.equal(faults.length, 2);
  for (const reason of faults) {
    t.match(
      reason,
      /game 'fragile'.*action 'trip'.*tripped over its own feet/,
      'the log names game and action',
    );
    t.match(reason, /fragile\.(js|ts):\d+/, 'and the line');
  }
  await server.stop();
});

t.test('an action that never ends', { buffered: true }, async (t) => {
  const server = await fall(t, 'stall', ERRORS.QUARANTINED.number);
  await server.stop();
});

t.test('a step that throws', { buffered: true }, async (t) => {
  const server = await fall(t, 'curse', 0);
  const faults = server.log.filter(({ msg }) => msg === 'shard fault').map(({ reason }) => String(reason));
  for (const reason of faults) t.match(reason, /game 'fragile'.*step of a 'player'.*cursed/);
  await server.stop();
});
