/** More sockets than the process has descriptors for: the port closes, nothing spins, operators see why, and it opens again. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { RawClient } from './raw.js';
import { eventually, pause, Server } from './server.js';

const LIMIT = 512;

function hold(port: number): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', () => resolve(null));
  });
}

/** Ticks of the kernel's clock that the process has computed for. */
function cpu(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

t.test(`idle sockets beyond ulimit -n ${LIMIT}`, { skip: process.platform !== 'linux' }, async (t) => {
  const mayLog = [/all sockets are taken/];
  const server = await Server.start(t, ['--shards', '1'], { mayLog, descriptors: LIMIT });
  const honest = await RawClient.play(server.port);
  const sockets: Socket[] = [];
  t.teardown(() => sockets.forEach((socket) => void socket.destroy()));
  for (let i = 0; i < LIMIT + 100; i++) {
    const socket = await hold(server.port);
    if (socket !== null) sockets.push(socket);
  }
  const ready = async () => (await fetch(`${server.admin}/readyz`)).status === 200;
  await eventually('it says that it takes nobody', async () => !(await ready()));
  const reasons = (await (await fetch(`${server.admin}/readyz`)).json()) as { reasons: string[] };
  t.match(reasons.reasons.join(), /ulimit -n/);
  t.match((await server.status()).alarms.join(), /ulimit -n/);
  t.equal((await fetch(`${server.admin}/healthz`)).status, 200);
  t.ok(server.log.some(({ msg }) => /all sockets are taken/.test(msg)));
  const before = cpu(server.pid);
  await pause(2000);
  t.ok(cpu(server.pid) - before < 150, 'its accept loop takes no core');
  honest.send(honest.writer.ping(0, 7));
  for (const socket of sockets) socket.destroy();
  await eventually('it takes clients again', ready, 20_000);
  const late = await RawClient.play(server.port);
  late.send(late.writer.goodbye(0));
  await late.ended;
  honest.send(honest.writer.goodbye(0));
  await honest.ended;
  await server.stop();
});
