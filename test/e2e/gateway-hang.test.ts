/** A gateway thread that hangs: the world is saved, the process ends, and all sessions go on after the restart. */
import t from 'tap';
import { ERRORS } from '../../src/base/errors.js';
import { connect } from '../../src/client/client.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import { eventually, Server, within } from './server.js';

t.setTimeout(180_000);

t.test('the second gateway of two', async (t) => {
  const flags = ['--gateways', '2', '--shards', '1', '--test-faults', '--data', t.testdir()];
  const server = await Server.start(t, flags);
  const closes: number[] = [];
  const disconnected = (code: number) => void closes.push(code);
  const enter = async () => {
    const client = connect({ url: server.url, socket: nodeSockets, handlers: { disconnected } });
    t.teardown(() => client.abandon());
    await within('Welcome', client.ready);
    return client;
  };
  const clients = [await enter()];
  const connections = async () => (await server.status()).gateways.map((gateway) => gateway.connections);
  await eventually('both gateways have clients', async () => {
    if ((await connections()).every((n) => n > 0)) return true;
    clients.push(await enter()); // the kernel deals them out
    return false;
  });
  const forage = () => Promise.all(clients.map((client) => client.act('forage')));
  t.same(new Set((await within('outcomes', forage())).map(({ code }) => code)), new Set([0]));
  const entities = clients.map((client) => client.entity);
  t.equal(await server.command('hang-gateway', { gateway: 2 }), 404, 'there is no such gateway');
  t.equal(await server.command('hang-gateway', { gateway: 1 }), 202);
  const end = await within('the server ends', server.ended, 90_000);
  t.same(end, { code: null, signal: 'SIGKILL' }, 'once all is saved');
  t.ok(server.log.some(({ msg }) => /hangs: the node stops/.test(msg)));
  t.match(
    server.log.at(-1),
    { msg: 'stopped', code: ERRORS.GATEWAY_HUNG.number },
    'in order, with a code of its own',
  );
  await eventually('every client was told', () => closes.length >= clients.length);
  t.ok(closes.includes(ERRORS.SERVER_STOPPING.number), 'to come back');
  const again = await Server.start(t, [...flags, '--port', String(server.port)]);
  t.same(new Set((await within('outcomes', forage(), 30_000)).map(({ code }) => code)), new Set([0]));
  t.same(
    clients.map((client) => client.entity),
    entities,
    'everybody is who they were',
  );
  for (const log of await within('logs', Promise.all(clients.map((client) => client.requestLog()))))
    t.match(log, { lastAction: 2, applied: 2, rejected: 0 }, 'each action once');
  await within('goodbye', Promise.all(clients.map((client) => client.goodbye())));
  await again.stop();
});
