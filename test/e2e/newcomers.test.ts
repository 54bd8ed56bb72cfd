/**
 * Accounts that log in for the first time, all at once, while the disk takes its time: each is the same character at its
 * next login, in the older connection's place, and after a kill -9; on the disk no account and entity lose each other.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { SignJWT } from 'jose';
import t, { type Test } from 'tap';
import { ERRORS } from '../../src/base/errors.js';
import { openReadOnly } from '../../src/store/data-folder.js';
import { verifyData } from '../../src/store/verify.js';
import { HOLDS, type HolderData, RELEASED } from '../store/lock-holder.js';
import { RawClient } from './raw.js';
import { eventually, Server, within } from './server.js';

t.setTimeout(180_000);

const KEY = 'a secret of the tests that is long enough';
const NAMES = Array.from({ length: 12 }, (_, i) => `player ${i}`);

const start = (t: Test, folder: string) =>
  Server.start(t, ['--data', folder, '--shards', '2', '--gateways', '2'], {
    env: { BLUEMARBLE_TICKET_KEY: KEY },
    mayLog: [/the disk fails/], // on a busy machine it may be held for longer than is meant
  });

/** Every commit of the server waits from here on. @returns ends that */
async function holdDisk(folder: string): Promise<() => Promise<void>> {
  const word = new Int32Array(new SharedArrayBuffer(4));
  const data: HolderData = { folder, word };
  const holder = new Worker(new URL('../store/lock-holder.js', import.meta.url), { workerData: data });
  const ended = new Promise<void>((resolve, reject) => {
    holder.once('error', reject);
    holder.once('exit', () => resolve());
  });
  await eventually('the disk is held', () => Atomics.load(word, 0) === HOLDS);
  return () => {
    Atomics.store(word, 0, RELEASED);
    Atomics.notify(word, 0);
    return within('the disk is let go', ended);
  };
}

async function tickets(): Promise<string[]> {
  const key = new TextEncoder().encode(KEY);
  const sign = (name: string) =>
    new SignJWT().setProtectedHeader({ alg: 'HS256' }).setSubject(name).setExpirationTime('5m').sign(key);
  return await Promise.all(NAMES.map(sign));
}

/** All at once. */
async function enter(server: Server, words: readonly string[]): Promise<RawClient[]> {
  const clients = await Promise.all(words.map(() => RawClient.open(server.port)));
  clients.forEach((client, i) => {
    client.hello({ ticket: words[i] });
  });
  await Promise.all(clients.map((client) => client.until('Welcome', () => client.welcome !== undefined)));
  return clients;
}

t.test('a group of new accounts on a slow disk: the same characters ever after', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-newcomers-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const words = await tickets();
  const first = await start(t, folder);
  const release = await holdDisk(folder);
  // The first of them is on its way to the disk when all others come.
  const coming = [enter(first, words.slice(0, 1)), enter(first, words.slice(1))];
  const asked = Promise.all(coming).then((clients) => clients.flat());
  const early = await Promise.race([asked, eventually('a little while', () => false, 500).catch(() => null)]);
  await release();
  const clients = early ?? (await asked);
  const entities = clients.map(({ welcome }) => welcome!.entity);
  t.equal(new Set(entities).size, NAMES.length, 'each is somebody else');

  const again = await enter(first, words);
  t.same(
    again.map(({ welcome }) => welcome!.entity),
    entities,
    'a second login is the same character',
  );
  for (const client of clients)
    t.equal(await within('the older connection ends', client.ended), ERRORS.SESSION_TAKEN.number);
  t.equal((await first.status()).players, NAMES.length, 'nobody plays twice');
  for (const client of again) client.send(client.action(1));
  await Promise.all(again.map((client) => client.until('durable', () => client.durable >= 1)));
  first.signal('SIGKILL');
  await within('the end', first.ended);
  for (const client of again) client.destroy();

  const second = await start(t, folder);
  const back = await enter(second, words);
  t.same(
    back.map(({ welcome }) => welcome!.entity),
    entities,
    'after kill -9 as well',
  );
  for (const client of back) client.destroy();
  await second.stop();
  const engine = openReadOnly(folder);
  const verdict = await verifyData(engine, folder).finally(() => engine.close());
  t.strictSame([...verdict.faults, ...verdict.orphans], []);
  t.equal(verdict.accounts, NAMES.length);
});
