/** The audit in a running server: a planted duplicate is told within two seconds, with the entity and its last transfers. */
import t from 'tap';
import { monotonicClock } from '../../src/base/clock.js';
import { connect } from '../../src/client/client.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import { eventually, Server, within } from './server.js';

t.setTimeout(60_000);
const clock = monotonicClock();

t.test('a planted duplicate', async (t) => {
  const mayLog = [/audit: items are not conserved/];
  const server = await Server.start(t, ['--shards', '2', '--test-faults'], { mayLog });
  const client = connect({ url: server.url, spawn: { x: 0, y: 0 }, socket: nodeSockets });
  t.teardown(() => client.abandon());
  await within('Welcome', client.ready);
  t.equal((await within('the drop', client.act('drop', { item: 0, count: 3 }))).code, 0);
  const seen = (await server.status()).tick;
  await eventually('the audit has looked', async () => (await server.status()).audit.lastCheckTick > seen);
  t.match((await server.status()).audit, { ok: true, differences: 0, last: [] });

  const started = clock.now();
  t.equal(await server.command('plant-duplicate', { entity: client.entity, item: 0, count: 5 }), 202);
  await eventually('the audit tells', async () => !(await server.status()).audit.ok, 2_000);
  t.comment(`told after ${Math.round(clock.now() - started)} ms`);
  const { audit, alarms } = await server.status();
  t.match(audit.last, [{ where: 'bag', id: client.entity, item: 0, count: 5 }]);
  t.match(alarms.join(), /not conserved/);
  const line = server.log.find(({ msg }) => msg === 'audit: items are not conserved');
  t.match(line, { entity: client.entity, item: 'coin', count: 5 });
  t.match(
    String(line?.transfers),
    new RegExp(`transfer ${client.entity}\\.1, 3 coin from ${client.entity} to`),
  );
  t.equal(await server.command('plant-duplicate', { entity: 2 ** 50, item: 0, count: 5 }), 404);
  t.equal(await server.command('journal', { entity: client.entity }), 200);
  await within('goodbye', client.goodbye());
  await server.stop();
});
