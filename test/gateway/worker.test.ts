/** A gateway in a thread of its own: accounts over the port, orderly end, and an end that nobody ordered. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { SignJWT } from 'jose';
import t from 'tap';
import type { FromGateway, GatewayWorkerData, ToGateway } from '../../src/gateway/thread-messages.js';
import type { SharedWorld } from '../../src/memory/shared-world.js';
import { ScriptedShard } from './scripted-shard.js';
import { Client, settings, smallWorld, until } from './wires.js';

const KEY = new Uint8Array(32).fill(9);

async function startThread(world: SharedWorld, changes: Parameters<typeof settings>[0]) {
  const data: GatewayWorkerData = { handles: world.handles(), settings: settings(changes) };
  const env = { ...process.env, BLUEMARBLE_LOG_LEVEL: 'silent' };
  const worker = new Worker(new URL('../../src/gateway/worker.js', import.meta.url), {
    workerData: data,
    env,
  });
  const exit = once(worker, 'exit'); // from the start: the thread may end before a test asks
  const told: FromGateway[] = [];
  const book = new Map<string, number>();
  worker.on('message', (message: FromGateway) => {
    told.push(message);
    const answer = (entity: number) =>
      worker.postMessage({
        type: 'answer',
        request: 'request' in message ? message.request : 0,
        entity,
      } satisfies ToGateway);
    if (message.type === 'find') answer(book.get(message.playerId) ?? 0);
    if (message.type === 'bind') {
      book.set(message.playerId, message.entity);
      answer(message.entity);
    }
  });
  await until(() => told.length > 0);
  return { worker, exit, told, book, first: told[0] };
}

t.test('login with a ticket, account over the port, stop, end of the thread', async (t) => {
  const world = smallWorld();
  const shard = new ScriptedShard(world);
  const { worker, exit, told, book, first } = await startThread(world, {
    auth: { kind: 'shared-key', key: KEY },
  });
  t.equal(first.type, 'open');
  const url = `ws://127.0.0.1:${first.type === 'open' ? first.port : 0}`;
  const ticket = await new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ada')
    .setExpirationTime('1h')
    .sign(KEY);
  const client = (await new Client(url).open()).hello({ ticket });
  await until(() => client.has('welcome'), shard);
  t.equal(book.get('ada'), client.all('welcome')[0].entity);
  const guest = (await new Client(url).open()).hello();
  await until(() => guest.closed !== undefined, shard);
  t.equal(guest.closed?.reason, 'BAD_TICKET');
  worker.postMessage({ type: 'stop', code: 'SERVER_STOPPING' } satisfies ToGateway);
  const [code] = await exit;
  t.equal(code, 0);
  t.match(told.at(-1), { type: 'stopped' });
  await until(() => client.closed !== undefined);
  t.equal(client.closed?.reason, 'SERVER_STOPPING');
});

t.test('a thread that cannot listen says so and ends', async (t) => {
  const world = smallWorld(2);
  const one = await startThread(world, {});
  const port = one.first.type === 'open' ? one.first.port : 0;
  const two = await startThread(world, { number: 1, listen: { host: '127.0.0.1', port, exclusive: true } });
  t.match(two.first, { type: 'failed', code: 'PORT_TAKEN' });
  t.same(await two.exit, [0]);
  one.worker.postMessage({ type: 'stop', code: 'SERVER_STOPPING' } satisfies ToGateway);
  t.same(await one.exit, [0]);
});

t.test('what nobody catches ends the thread, and only the thread', async (t) => {
  const hook = new URL('./throwing-hook.js', import.meta.url).href;
  const { exit, first } = await startThread(smallWorld(), { auth: { kind: 'module', url: hook } });
  const client = await new Client(`ws://127.0.0.1:${first.type === 'open' ? first.port : 0}`).open();
  client.hello();
  const [code] = await exit;
  t.equal(code, 1);
  await until(() => client.closed !== undefined);
  t.equal(client.closed?.code, 1006);
});
