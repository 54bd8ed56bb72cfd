/**
 * A known fault of the transport, said in README: where the first piece of a request ends within its first line it is
 * answered 505. Shows where that is; when it is nowhere any more, README has a sentence too many.
 */
import { connect } from 'node:net';
import t from 'tap';
import { openGateway, smallWorld } from './wires.js';

const LINE = 'GET /some/path HTTP/1.1\r\n';
const REQUEST = `${LINE}Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;

/** Lets the sockets of this process, on either side, be read. */
async function turns(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** @returns the status with which a request is answered that comes in two pieces */
function answer(port: number, end: number): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    socket.on('error', () => resolve(0));
    socket.on('data', (bytes) => {
      resolve(Number(String(bytes).split(' ')[1]));
      socket.destroy();
    });
    socket.write(REQUEST.slice(0, end), () => {
      void turns().then(() => socket.write(REQUEST.slice(end)));
    });
  });
}

t.test('a request in two pieces is served wherever it is cut but within its first line', async (t) => {
  const { gateway, port } = await openGateway(smallWorld());
  t.teardown(() => gateway.closeNow());
  t.equal(await answer(port, REQUEST.length), 101, 'in one piece');
  const refused: number[] = [];
  for (let end = 1; end < REQUEST.length; end++) {
    const status = await answer(port, end);
    if (status === 505) refused.push(end);
    else t.equal(status, 101, `cut after ${end} bytes`);
  }
  t.ok(refused.length > 0, 'README says that some are refused');
  t.ok(
    refused.every((end) => end >= 4 && end < LINE.length),
    `refused: ${refused.join()}`,
  );
});
