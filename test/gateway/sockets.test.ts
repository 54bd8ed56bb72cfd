/** The gateway on real sockets: conversation, refusals of the transport, ports, TLS, a reader that stops reading. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { probePort } from '../../src/gateway/build.js';
import { loadUws, UwsTransport } from '../../src/gateway/uws-transport.js';
import { GATEWAY_COUNTER as COUNTER } from '../../src/memory/gateway-block.js';
import { CERTIFICATE, KEY } from './certificate.js';
import { ScriptedShard } from './scripted-shard.js';
import { Client, openGateway, smallWorld, until } from './wires.js';

t.test('a whole conversation', async (t) => {
  const world = smallWorld();
  const shard = new ScriptedShard(world);
  const { gateway, port } = await openGateway(world);
  t.teardown(() => gateway.closeNow());
  const client = (await new Client(`ws://127.0.0.1:${port}`).open()).hello();
  await until(() => client.has('frame'), shard);
  t.same(
    client.heard.slice(0, 2).map((h) => h.type),
    ['welcome', 'self'],
  );
  client.action(1);
  client.ping(42);
  await until(() => client.has('pong') && shard.log.some((entry) => entry.id === 1), shard);
  client.goodbye();
  await until(() => client.closed !== undefined);
  t.same(client.closed, { code: 4000, reason: 'GOODBYE' });
  t.match(client.heard.at(-1), { type: 'closing', code: 4000 });
});

t.test('text frames, oversized messages, plain HTTP', async (t) => {
  const { gateway, port } = await openGateway(smallWorld());
  t.teardown(() => gateway.closeNow());
  const text = await new Client(`ws://127.0.0.1:${port}`).open();
  text.ws.send('hello');
  await until(() => text.closed !== undefined);
  t.same(text.closed, { code: 4015, reason: 'TEXT_FRAME' });
  const big = await new Client(`ws://127.0.0.1:${port}`).open();
  big.ws.send(new Uint8Array(1025));
  await until(() => big.closed !== undefined);
  t.equal(big.closed?.code, 1006, 'cut by the transport before a byte of it is looked at');
  for (const path of ['/', '/any/where']) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    t.equal(response.status, 426);
    t.match(await response.text(), /WebSocket only/);
  }
});

t.test('stop: clients hear why, and the port can be listened on again at once', async (t) => {
  const listen = { host: '127.0.0.1', port: await probePort(0, '127.0.0.1'), exclusive: true };
  for (let start = 0; start < 3; start++) {
    const { gateway, port } = await openGateway(smallWorld(), { listen });
    t.equal(port, listen.port);
    const client = await new Client(`ws://127.0.0.1:${port}`).open();
    await gateway.stop();
    await until(() => client.closed !== undefined);
    t.same(client.closed, { code: 4012, reason: 'SERVER_STOPPING' });
    t.match(client.all('closing'), [{ name: 'SERVER_STOPPING', retry: true }]);
  }
});

t.test('a taken port is refused, alone and shared; gateways of one server share theirs', async (t) => {
  const world = smallWorld(2);
  const first = await openGateway(world);
  t.teardown(() => first.gateway.closeNow());
  const listen = { host: '127.0.0.1', port: first.port };
  await t.rejects(openGateway(smallWorld(), { listen: { ...listen, exclusive: true } }), {
    code: 'PORT_TAKEN',
  });
  await t.rejects(openGateway(smallWorld(), { listen: { ...listen, exclusive: false } }), {
    code: 'PORT_TAKEN',
  });
  await t.rejects(probePort(first.port, '127.0.0.1'), { code: 'PORT_TAKEN', message: /in use/ });

  const port = await probePort(0, '127.0.0.1');
  const shared = { host: '127.0.0.1', port, exclusive: false };
  const pair = [
    await openGateway(world, { listen: shared }),
    await openGateway(world, { listen: shared, number: 1 }),
  ];
  t.teardown(() => {
    for (const { gateway } of pair) gateway.closeNow();
  });
  t.same(
    pair.map((one) => one.port),
    [port, port],
  );
  await t.rejects(
    probePort(port, '127.0.0.1'),
    { code: 'PORT_TAKEN' },
    'a second server sees that it is shared',
  );
});

t.test('TLS: a client that trusts the certificate comes in; files that do not fit are refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-'));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(cert, CERTIFICATE);
  writeFileSync(key, KEY);
  const world = smallWorld();
  const shard = new ScriptedShard(world);
  const { gateway, port } = await openGateway(world, { tls: { cert, key } });
  t.teardown(() => gateway.closeNow());
  const client = await new Client(`wss://localhost:${port}`, { ca: CERTIFICATE, family: 4 }).open();
  client.hello();
  await until(() => client.has('welcome'), shard);
  client.ws.terminate();
  const wrong = (tls: { cert: string; key: string }) => openGateway(smallWorld(), { tls });
  await t.rejects(wrong({ cert, key: join(folder, 'none.pem') }), {
    code: 'BAD_TLS',
    message: /cannot be read/,
  });
  await t.rejects(wrong({ cert: key, key: cert }), { code: 'BAD_TLS', message: /do not make a TLS server/ });
});

t.test('without a binary there is one clear sentence', async (t) => {
  const load = () =>
    Promise.reject(new Error("Cannot find module './uws_linux_x64_999.node'\nRequire stack:"));
  await t.rejects(loadUws(load), {
    code: 'NO_BINARY',
    message: /no binary that runs on \w+ \w+ with Node v.*; use Node 20/,
  });
});

t.test('a handler that throws closes its socket and nothing else', async (t) => {
  const failures: unknown[] = [];
  const transport = new UwsTransport(await loadUws(), { failed: (error) => failures.push(error) });
  t.teardown(() => transport.close());
  const fail = () => {
    throw new Error('no');
  };
  const port = transport.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => ({
    message: fail,
    text: () => {},
    dropped: fail,
    drained: fail,
    closed: fail,
  }));
  const bad = await new Client(`ws://127.0.0.1:${port}`).open();
  bad.ws.send(new Uint8Array(4));
  await until(() => bad.closed !== undefined);
  t.equal(failures.length, 2, 'message and closed');
  const next = await new Client(`ws://127.0.0.1:${port}`).open();
  t.equal(next.ws.readyState, 1);
  next.ws.terminate();
});

t.test(
  'a client that stops reading is left out and comes back with key frames; memory stays bounded',
  async (t) => {
    const world = smallWorld();
    const shard = new ScriptedShard(world);
    const { gateway, port } = await openGateway(world);
    t.teardown(() => gateway.closeNow());
    const client = (await new Client(`ws://127.0.0.1:${port}`).open()).hello();
    const witness = (await new Client(`ws://127.0.0.1:${port}`).open()).hello();
    await until(() => client.has('frame') && witness.has('frame'), shard);
    client.ws.pause();
    const [slot] = [...shard.owned];
    const many = new Array<number>(1000).fill(slot); // 32 KB a frame
    const block = world.gatewayBlocks[0];
    while (block.counter(COUNTER.droppedBatches) === 0) {
      shard.tick++;
      shard.pushFrame(0, shard.cellOf(slot), many, shard.tick - 1);
      gateway.poll();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(
      () => [...gateway.core.connections].filter((c) => c.streams.length === 0).length === 1,
      shard,
    );
    const before = witness.all('frame').length;
    await until(() => witness.all('frame').length > before + 3, shard);
    const keys = block.counter(COUNTER.keyFrames);
    client.ws.resume();
    await until(() => block.counter(COUNTER.keyFrames) > keys, shard);
    await until(() => client.all('frame').at(-1)?.tick === shard.tick || client.closed !== undefined, shard);
    t.equal(client.closed, undefined);
    for (const c of [client, witness]) c.ws.terminate();
  },
);
