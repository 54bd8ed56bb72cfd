/**
 * Game code that never returns takes its shard down, and after the second time for the same action it is not tried again.
 * Game code that throws takes nothing down: the action is rejected, the entity frozen. Everybody else plays on, with every
 * action decided exactly once (case 22).
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

/** One plays `count`, the culprit, `count`, `count`; another one only counts. @returns the server and who did it */
async function fall(t: Test, culprit: 'trip' | 'stall' | 'curse', outcome: number, mayLog: RegExp[]) {
  const server = await Server.start(t, ['--shards', '1', '--game', GAME], { mayLog });
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
  const leave = () => Promise.all([guilty.client.goodbye(), innocent.client.goodbye()]);
  return { server, entity: guilty.client.entity, leave };
}

t.test('an action that throws is rejected', { buffered: true }, async (t) => {
  const mayLog = [/^error in the game, undone$/];
  const { server, leave } = await fall(t, 'trip', ERRORS.GAME_FAULT.number, mayLog);
  const { totals, alarms } = await server.status();
  t.match(totals, { shardRestarts: 0, gameFaults: 1 });
  t.same(
    alarms.filter((alarm: string) => !alarm.startsWith('the machine is full')),
    [],
  );
  const faults = () => server.log.filter(({ msg }) => msg === 'error in the game, undone');
  await eventually('it is logged', () => faults().length > 0);
  t.match(faults(), [{ what: "action 'trip'", reason: 'tripped over its own feet', count: 1 }], 'once');
  t.match(faults()[0], { place: /fragile\.(js|ts):\d+:\d+$/, stack: /tripped over its own feet/ });
  await leave();
  await server.stop();
});

t.test('an action that never ends', { buffered: true }, async (t) => {
  const { server, entity, leave } = await fall(t, 'stall', ERRORS.QUARANTINED.number, DEATH);
  t.equal((await server.status()).totals.shardRestarts, 2);
  const verdicts = server.log.filter(({ msg }) => msg === 'killed a shard twice: quarantined');
  t.match(verdicts, [{ entity, action: 2 }]);
  await leave();
  await server.stop();
});

t.test('a step that throws freezes its entity, with an alarm', { buffered: true }, async (t) => {
  const mayLog = [/^error in the game, undone$/, /^frozen: the steps of these entities throw$/];
  const { server, entity, leave } = await fall(t, 'curse', 0, mayLog);
  let alarm = '';
  await eventually('an alarm', async () => (alarm = (await server.status()).alarms.join()) !== '');
  t.match(alarm, new RegExp(`1 entity of the game is frozen.*'player' ${entity} .*fragile\\.(js|ts):\\d+`));
  t.match((await server.status()).totals, { shardRestarts: 0 });
  await leave();
  await server.stop();
});
