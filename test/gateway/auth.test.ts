/** Tickets: who gets in, and every ticket that must not. */
import { type CryptoKey, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import t from 'tap';
import { createAuthenticator, isPlayerId } from '../../src/gateway/auth.js';
import { ApartEngine } from '../../src/store/apart-engine.js';
import { openDataFolder } from '../../src/store/data-folder.js';

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

/** What may stand in a ticket where the player's id belongs, and what it counts as: itself, or nobody. */
const SUBJECTS: readonly [what: string, sub: unknown, isPlayer: boolean][] = [
  ['a name', 'alice', true],
  ['128 code units', 'x'.repeat(128), true],
  ['pairs of surrogates', '\u{1f600}'.repeat(64), true],
  ['composed', 'caf\u00e9', true],
  ['decomposed: another player', 'cafe\u0301', true],
  ['digits', '17', true],
  ['a name of every object', '__proto__', true],
  ['nothing', '', false],
  ['129 code units', 'x'.repeat(129), false],
  ['the first half of a pair', '\ud83d', false],
  ['the second half, inside', 'al\ude00ice', false],
  ['halves in the wrong order', '\ude00\ud83d', false],
  ['NUL', 'alice\0', false],
  ['a line break', 'alice\nbob', false],
  ['a list that reads like a name', ['alice'], false],
  ['an object', {}, false],
  ['an object that pretends', { length: 5, toString: 'alice' }, false],
  ['a number', 17, false],
  ['true', true, false],
  ['null', null, false],
];

t.test('a player is named by a text, whatever else the issuer puts there', async (t) => {
  const authenticate = await createAuthenticator({ kind: 'shared-key', key: KEY });
  const url = new URL('./naming-hook.js', import.meta.url).href;
  const hook = await createAuthenticator({ kind: 'module', url });
  for (const [what, sub, isPlayer] of SUBJECTS) {
    const words = new SignJWT({ sub } as { sub: string }).setProtectedHeader({ alg: 'HS256' });
    const expected = isPlayer ? { playerId: sub } : { refused: 'BAD_TICKET' };
    t.strictSame(await authenticate(await words.setExpirationTime('1h').sign(KEY)), expected, what);
    t.strictSame(await hook(JSON.stringify(sub)), expected, `${what}, by a hook`);
    t.equal(isPlayerId(sub), isPlayer);
  }
  t.strictSame(await hook('a guest'), { guest: true });
});

t.test(
  'every name that may be is one account of its own on the disk, through the writer thread too',
  async (t) => {
    const dir = t.testdir();
    const { engine: reader, release } = await openDataFolder(dir);
    const engine = new ApartEngine(reader, dir);
    const names = SUBJECTS.filter(([, , isPlayer]) => isPlayer).map(([, sub]) => sub as string);
    const writes = names.map((key, i) => ({ table: 'accounts' as const, key, value: Uint8Array.of(i) }));
    await new Promise<void>((resolve) =>
      engine.commit(writes, (trouble) => {
        t.equal(trouble, null);
        resolve();
      }),
    );
    t.strictSame(
      names.map((name) => engine.get('accounts', name)?.[0]),
      names.map((_, i) => i),
    );
    t.equal(engine.count('accounts'), names.length);
    await engine.close();
    release();
  },
);
