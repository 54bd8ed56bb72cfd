/** Guests on corners, ghosts, and more players than there are places: whoever is honest plays on, and the door tells the truth. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ERRORS } from '../../src/base/errors.js';
import { RawClient } from './raw.js';
import { eventually, Server, within } from './server.js';

t.setTimeout(180_000);

const BENCH = fileURLToPath(new URL('../../bench/main.js', import.meta.url));
const NO_ROOM = '1002';

for (const how of ['one', 'many'])
  t.test(`a wave of guests and ghosts, from ${how}`, async (t) => {
    const size = ['--places', '4096', '--attackers', '150', '--ghosts', '600', '--seconds', '6'];
    const child = spawn(process.execPath, [BENCH, 'door', '--how', how, ...size, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.teardown(() => child.kill('SIGTERM'));
    const told = Promise.all([text(child.stdout), text(child.stderr)]);
    const [out, err] = await within('the wave', told, 120_000);
    t.match(out, /^\{.*\}\n$/, err.slice(0, 2000));
    const [row] = JSON.parse(out).rows;
    const { guests, honest, newcomers, mostEntities, lies, after } = row;
    t.ok(honest.drop.APPLIED > 0 && honest.tradeOffer.APPLIED > 0, 'the honest do something');
    t.notOk(NO_ROOM in honest.drop || NO_ROOM in honest.tradeOffer, 'there is always room for it');
    t.equal(newcomers.letIn, newcomers.knocked, 'every newcomer comes in');
    t.equal(lies, 0);
    // What nature may have, and what players and their things may take beside it.
    t.ok(mostEntities < 4096 * (3 / 4 + 1 / 8), `${mostEntities} entities at most`);
    t.ok(after.dataMb < 2, `${after.dataMb} MB are kept of them`);
    if (how === 'one') t.ok(guests['let in'] <= 40, 'one address wakes so many tiles a minute');
    else t.equal(guests['let in'], 150, 'who comes from somewhere else is somebody else');
  });

t.test('a world that is full says so at its door', async (t) => {
  const server = await Server.start(t, ['--shards', '1', '--max-entities', '256'], { mayLog: [/full/] });
  const ready = async () => {
    const response = await fetch(`${server.admin}/readyz`);
    return { status: response.status, text: await response.text() };
  };
  t.equal((await ready()).status, 200);
  const clients: RawClient[] = [];
  // One after the other, so that none waits longer for its turn than a newcomer has time.
  for (let isIn = true; isIn && clients.length < 300; ) {
    const client = await RawClient.open(server.port);
    clients.push(client.hello());
    await client.until('in or not', () => client.welcome !== undefined).catch(() => {});
    isIn = client.welcome !== undefined;
  }
  const last = clients.at(-1)!;
  t.equal(last.code, ERRORS.WORLD_FULL.number);
  const { status, text: reason } = await ready();
  t.equal(status, 503, 'whoever is refused for want of room was told so before');
  t.match(reason, /the world is full: \d+ of 256 places/);
  t.match((await server.status()).alarms, [/the world is full/]);
  for (const client of clients) client.destroy();
  await eventually('there is room again', async () => (await ready()).status === 200, 30_000);
  const newcomer = await RawClient.play(server.port);
  t.ok(newcomer.welcome);
  newcomer.destroy();
  await server.stop();
});
