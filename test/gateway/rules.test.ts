/** The pure rules of a session: the bucket against hand-made times, ids at their limits. */
import fc from 'fast-check';
import t from 'tap';
import { checkAction, isAllowed, STATE, TokenBucket } from '../../src/gateway/session-rules.js';
import { secretNumbers, SessionTokens } from '../../src/gateway/session-token.js';
import { CLIENT } from '../../src/wire/protocol.js';

t.test('ids: next and window, up to the greatest', async (t) => {
  t.equal(checkAction(1, 1, 0, 60), 0);
  t.equal(checkAction(60, 60, 0, 60), 0);
  t.equal(checkAction(61, 61, 0, 60), 'WINDOW_EXCEEDED');
  t.equal(checkAction(2, 1, 0, 60), 'ACTION_GAP');
  t.equal(checkAction(0xffffffff, 0xffffffff, 0xfffffffe, 60), 0);
  t.equal(checkAction(0, 0x100000000, 0xffffffff, 60), 'ACTION_GAP', 'ids do not wrap');
});

t.test('messages by state', async (t) => {
  const all = Object.values(CLIENT);
  const allowed = (state: number) => all.filter((type) => isAllowed(state, type));
  t.same(allowed(STATE.GREETING), [CLIENT.HELLO]);
  t.same(allowed(STATE.ENTERING), [CLIENT.PING, CLIENT.GOODBYE]);
  t.notOk(isAllowed(STATE.PLAYING, CLIENT.HELLO));
  t.same(allowed(STATE.CLOSED), []);
});

t.test('a bucket never gives more than burst + pace × time', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 5 })), { maxLength: 200 }),
      (steps) => {
        const bucket = new TokenBucket(10, 20, 0);
        let now = 0;
        let taken = 0;
        for (const [pause, amount] of steps) {
          now += pause;
          if (bucket.take(amount, now)) taken += amount;
        }
        return taken <= 20 + (now / 1000) * 10 + 1e-6;
      },
    ),
  );
});

t.test('tokens: good for their session and entity only', async (t) => {
  const tokens = new SessionTokens(new Uint8Array(32).fill(1));
  const token = tokens.issue(12345, 4096);
  t.match(token, /^[\w-]{43}$/);
  t.ok(tokens.verify(12345, 4096, token));
  t.notOk(tokens.verify(12346, 4096, token));
  t.notOk(tokens.verify(12345, 4097, token));
  t.notOk(tokens.verify(1234, 54096, token), 'the point keeps the two numbers apart');
  for (const bad of ['', token.slice(1), `${token}A`, '💥', 'A'.repeat(43)])
    t.notOk(tokens.verify(12345, 4096, bad));
  t.notOk(new SessionTokens(new Uint8Array(32).fill(2)).verify(12345, 4096, token));
});

t.test('session ids are whole numbers below 2^53 that use all their bits', async (t) => {
  const ids = Array.from({ length: 1000 }, secretNumbers);
  t.ok(ids.every((id) => Number.isSafeInteger(id) && id > 0));
  t.equal(new Set(ids).size, 1000);
  const high = ids.map((id) => Math.floor(id / 2 ** 32)).reduce((a, b) => a | b, 0);
  const low = ids.reduce((a, b) => a | b, 0) >>> 0;
  t.same([high, low], [0x1fffff, 0xffffffff]);
});
