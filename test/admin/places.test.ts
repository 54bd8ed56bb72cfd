/** Whoever holds connections to the admin port keeps nobody else out, least of all who asks for health. */
import { connect, type Socket } from 'node:net';
import { createServer, get, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { MOST, Places, SPARE } from '../../src/admin/places.js';
import { setUp } from './port.js';

function held(port: number, text = ''): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () =>
      text === '' ? resolve(socket) : socket.write(text, () => resolve(socket)),
    );
    socket.on('error', () => {}); // being cut is what it may expect
  });
}

for (const text of ['', 'GET /metrics HTTP/1.1\r\nHost: x'])
  t.test(`${MOST + SPARE + 10} sockets that say ${text === '' ? 'nothing' : 'half a request'}`, async (t) => {
    const { get: ask, port } = await setUp(t);
    const sockets: Socket[] = [];
    for (let i = 0; i < MOST + SPARE + 10; i++) sockets.push(await held(port, text));
    t.teardown(() => sockets.forEach((socket) => void socket.destroy()));
    for (const path of ['/healthz', '/readyz', '/api/status']) t.equal((await ask(path)).status, 200, path);
  });

t.test('all places are being answered: health has some of its own, nobody else', async (t) => {
  const open: ServerResponse[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (!places.asks(request.socket, path)) return void response.writeHead(503).end();
    if (path !== '/stream') return void response.end();
    response.writeHead(200).flushHeaders();
    open.push(response);
  });
  const places = new Places(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  t.teardown(() => server.close().closeAllConnections());
  const ask = (path: string) =>
    new Promise<number>((resolve, reject) => {
      get({ port, path, agent: false }, (response) => {
        resolve(response.statusCode ?? 0);
        if (path !== '/stream') response.resume();
      }).on('error', reject);
    });
  for (let i = 0; i < MOST; i++) t.equal(await ask('/stream'), 200) || t.bailout('no stream');
  for (let i = 0; i < 2 * SPARE; i++) await held(port);
  t.equal(await ask('/healthz'), 200);
  t.equal(await ask('/readyz'), 200);
  t.equal(await ask('/metrics'), 503);
});
