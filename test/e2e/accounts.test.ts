/** Accounts: who is let in with which ticket, what a second login does, and what a player finds on coming back. */
import { generateKeyPairSync } from 'node:crypto';
import { type CryptoKey, SignJWT, UnsecuredJWT } from 'jose';
import t, { type Test } from 'tap';
import { ERRORS } from '../../src/base/errors.js';
import { type Client, connect } from '../../src/client/client.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import { RawClient } from './raw.js';
import { eventually, Server, within } from './server.js';

t.setTimeout(120_000);
t.jobs = 2;

const KEY = 'a secret of the tests that is long enough';
const secret = (text: string) => new TextEncoder().encode(text);
const RIGHT = secret(KEY);

/** A ticket; `ends` as jose takes it, '' = never. */
function ticket(subject: string, ends = '1m', key: Uint8Array | CryptoKey = RIGHT, alg = 'HS256') {
  const words = new SignJWT().setProtectedHeader({ alg });
  if (subject !== '') words.setSubject(subject);
  if (ends !== '') words.setExpirationTime(ends);
  return words.sign(key);
}

const start = (t: Test, key: string, ...flags: string[]) =>
  Server.start(t, ['--shards', '2', ...flags], { env: { BLUEMARBLE_TICKET_KEY: key } });

/** What a ticket leads to: 0 = into the world. */
async function admission(server: Server, words: string | undefined): Promise<number> {
  const client = (await RawClient.open(server.port)).hello({ ticket: words });
  await client
    .until('an answer', () => client.welcome !== undefined || client.code !== undefined)
    .catch(() => {});
  const { code = 0 } = client;
  client.destroy();
  return code;
}

async function login(t: Test, server: Server, words: string): Promise<Client> {
  const client = connect({ url: server.url, socket: nodeSockets, ticket: words });
  t.teardown(() => client.abandon());
  await within('Welcome', client.ready);
  return client;
}

t.test('tickets by a shared key', { buffered: true }, async (t) => {
  const server = await start(t, KEY);
  const BAD = ERRORS.BAD_TICKET.number;
  const good = await ticket('mary');
  t.equal(await admission(server, good), 0);
  t.equal(await admission(server, undefined), BAD, 'no guests here');
  t.equal(await admission(server, 'nonsense'), BAD);
  t.equal(await admission(server, `${good.slice(0, -4)}AAAA`), BAD, 'another signature');
  t.equal(await admission(server, await ticket('mary', '1m', secret(`${KEY}.`))), BAD, 'forged');
  t.equal(await admission(server, await ticket('mary', '-1m')), BAD, 'expired');
  t.equal(await admission(server, await ticket('mary', '')), BAD, 'without an end');
  t.equal(await admission(server, await ticket('')), BAD, 'nobody');
  t.equal(await admission(server, await ticket('x'.repeat(129))), BAD, 'a very long name');
  t.equal(await admission(server, await ticket('mary', '1m', RIGHT, 'HS512')), BAD, 'another algorithm');
  const unsigned = new UnsecuredJWT().setSubject('mary').setExpirationTime('1m').encode();
  t.equal(await admission(server, unsigned), BAD, 'unsigned');
  await server.stop();
});

t.test('tickets by a public key', { buffered: true }, async (t) => {
  const pair = () => generateKeyPairSync('ed25519');
  const { publicKey, privateKey } = pair();
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const server = await start(t, pem);
  const signed = (key: typeof privateKey) => ticket('mary', '1m', key as unknown as CryptoKey, 'EdDSA');
  t.equal(await admission(server, await signed(privateKey)), 0);
  t.equal(await admission(server, await signed(pair().privateKey)), ERRORS.BAD_TICKET.number);
  t.equal(
    await admission(server, await ticket('mary', '1m', secret(pem))),
    ERRORS.BAD_TICKET.number,
    'the public key is no secret',
  );
  await server.stop();
});

t.test('an account keeps its entity and what it carries', { buffered: true }, async (t) => {
  const server = await start(t, KEY, '--gateways', '2');
  let client = await login(t, server, await ticket('mary'));
  const { entity, session } = client.welcome ?? {};
  for (const name of ['forage', 'walk']) {
    const fields = name === 'walk' ? { heading: 0, speed: 6, seconds: 0.5 } : undefined;
    t.equal((await within(name, client.act(name, fields))).code, 0);
  }
  await eventually('it stands again', () => client.self.vx === 0 && client.self.items.some((n) => n > 0));
  const { items, x } = { items: [...client.self.items], x: client.self.x };
  const other = await login(t, server, await ticket('paul'));
  t.not(other.entity, entity, 'another player is another entity');

  for (let round = 0; round < 3; round++) {
    t.equal(await within('goodbye', client.goodbye()), null);
    // At once, while the entity is on its way to rest, and later, when it rests.
    const players = async () => (await server.status()).players === 1;
    if (round > 0) await eventually('the player is away', players);
    client = await login(t, server, await ticket('mary'));
    t.match(client.welcome, { entity, resumed: false, applied: 0 });
    t.not(client.welcome?.session, session);
    await eventually('its items are told', () => client.self.items.length > 0);
    t.same(client.self.items, items, 'it carries what it carried');
    t.equal(client.self.x, x, 'it stands where it stood');
  }
  await Promise.all([client.goodbye(), other.goodbye()]);
  const status = await server.status();
  t.equal(status.totals.itemsConsumed, 0, 'what rests is not consumed');
  await server.stop();
});

t.test('a second login: the newest wins', { buffered: true }, async (t) => {
  const server = await start(t, KEY, '--gateways', '2');
  const words = await ticket('mary');
  let newest = await RawClient.play(server.port, { ticket: words });
  const { entity } = newest.welcome ?? {};
  newest.send(newest.action(1), newest.action(2));
  await newest.until('decided', () => newest.applied === 2);
  for (let round = 0; round < 6; round++) {
    const next = await RawClient.play(server.port, { ticket: words });
    t.match(next.welcome, { entity, resumed: false, applied: 0 }, 'the same entity, a new session');
    t.equal(await within('the older one ends', newest.ended), ERRORS.SESSION_TAKEN.number);
    const back = (await RawClient.open(server.port)).hello(newest.resumption);
    t.equal(await within('a refusal', back.ended), ERRORS.SESSION_EXPIRED.number, 'and does not come back');
    next.send(next.action(1));
    await next.until('decided', () => next.applied === 1);
    newest = next;
  }
  t.equal((await server.status()).players, 1);
  newest.destroy();
  // All at once: one of them plays in the end, and everybody else knows that it does not.
  const crowd = await Promise.all(Array.from({ length: 12 }, () => RawClient.open(server.port)));
  for (const client of crowd) client.hello({ ticket: words });
  const closed = () => crowd.filter(({ code }) => code !== undefined);
  await eventually('one is left', () => closed().length === crowd.length - 1);
  t.same(new Set(closed().map(({ code }) => code)), new Set([ERRORS.SESSION_TAKEN.number]));
  const winner = crowd.find(({ code }) => code === undefined) as RawClient;
  await winner.until('Welcome', () => winner.welcome !== undefined);
  winner.send(winner.action(1));
  await winner.until('decided', () => winner.applied === 1);
  winner.destroy();
  await server.stop();
});
