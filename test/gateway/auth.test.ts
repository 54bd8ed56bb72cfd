/** Tickets: who gets in, and every ticket that must not. */
import { type CryptoKey, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import t from 'tap';
import { createAuthenticator } from '../../src/gateway/auth.js';

const KEY = new Uint8Array(32).fill(5);
const sign = (subject: string, expires: string | number, key = KEY, alg = 'HS256') =>
  new SignJWT().setProtectedHeader({ alg }).setSubject(subject).setExpirationTime(expires).sign(key);

t.test('guests need no ticket', async (t) => {
  const authenticate = await createAuthenticator({ kind: 'guests' });
  t.same(await authenticate(''), { guest: true });
  t.same(await authenticate('anything'), { guest: true });
});

t.test('shared key: only whole, living tickets of that key and algorithm', async (t) => {
  const authenticate = await createAuthenticator({ kind: 'shared-key', key: KEY });
  const good = await sign('ada', '1h');
  t.same(await authenticate(good), { playerId: 'ada' });
  const noExpiry = await new SignJWT().setProtectedHeader({ alg: 'HS256' }).setSubject('ada').sign(KEY);
  const noSubject = await new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(KEY);
  const bad = {
    nothing: '',
    garbage: 'a.b.c',
    'another key': await sign('ada', '1h', new Uint8Array(32).fill(6)),
    'another algorithm': await sign('ada', '1h', new Uint8Array(64).fill(5), 'HS512'),
    unsigned: new UnsecuredJWT({ sub: 'ada' }).setExpirationTime('1h').encode(),
    expired: await sign('ada', 1_000_000),
    'without an end': noExpiry,
    'without a player': noSubject,
    'an empty player': await sign('', '1h'),
    'a player id that is too long': await sign('x'.repeat(129), '1h'),
    'one changed letter': good.slice(0, -6) + (good.at(-6) === 'A' ? 'B' : 'A') + good.slice(-5),
  };
  for (const [what, ticket] of Object.entries(bad))
    t.same(await authenticate(ticket), { refused: 'BAD_TICKET' }, what);
});

t.test('public key: tickets signed by its owner, and no others', async (t) => {
  const ours = await generateKeyPair('EdDSA');
  const theirs = await generateKeyPair('EdDSA');
  const pem = await exportSPKI(ours.publicKey);
  const authenticate = await createAuthenticator({ kind: 'public-key', pem });
  const signed = (key: CryptoKey) =>
    new SignJWT().setProtectedHeader({ alg: 'EdDSA' }).setSubject('ada').setExpirationTime('1h').sign(key);
  t.same(await authenticate(await signed(ours.privateKey)), { playerId: 'ada' });
  t.same(await authenticate(await signed(theirs.privateKey)), { refused: 'BAD_TICKET' });
  t.same(
    await authenticate(await sign('ada', '1h', new TextEncoder().encode(pem))),
    { refused: 'BAD_TICKET' },
    'the key as a secret',
  );
});
