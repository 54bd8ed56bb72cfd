/** The pure rules of a session: bucket and lag meter against hand-made times, ids at their limits. */
import fc from 'fast-check';
import t from 'tap';
import {
  checkAction,
  isAllowed,
  LagMeter,
  PACE,
  STATE,
  TokenBucket,
} from '../../src/gateway/session-rules.js';
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

t.test('lag: a client that keeps up is never slow, however seldom something is sent', async (t) => {
  const lag = new LagMeter(1000, 10_000, 1000);
  for (let tick = 1, now = 0; tick < 400; tick += 40, now += 2000) {
    lag.sent(tick, now);
    t.equal(lag.elapsed(now + 900, 0), PACE.GOOD);
    t.equal(lag.echoed(tick, now + 950, 50, 0), PACE.GOOD);
  }
});

t.test('lag: slow by what it echoes, good again when it has caught up, lost in the end', async (t) => {
  const lag = new LagMeter(1000, 10_000, 1000);
  for (let tick = 1; tick <= 25; tick++) lag.sent(tick, tick * 50);
  t.equal(lag.echoed(0, 1000, 50, 0), PACE.GOOD, '950 ms old');
  t.equal(lag.echoed(0, 1100, 50, 0), PACE.SLOW, '1050 ms old');
  t.equal(lag.echoed(10, 1200, 50, 0), PACE.SLOW, 'still 15 ticks behind');
  t.equal(lag.echoed(20, 1300, 50, 0), PACE.GOOD, '5 ticks behind: caught up');
  lag.sent(30, 1500);
  t.equal(lag.echoed(25, 11_400, 50, 0), PACE.SLOW);
  t.equal(lag.echoed(25, 11_600, 50, 0), PACE.LOST);
});

t.test("lag: what the gateway is late itself, out and in, is nobody else's slowness", async (t) => {
  const lag = new LagMeter(1000, 10_000, 1000);
  for (let tick = 1; tick <= 40; tick++) lag.sent(tick, tick * 50);
  t.equal(lag.echoed(0, 1450, 50, 200), PACE.GOOD, '1400 ms old, 400 of them ours');
  t.equal(lag.elapsed(2400, 200), PACE.GOOD);
  t.equal(lag.elapsed(2500, 200), PACE.SLOW);
  t.equal(lag.echoed(20, 2600, 50, 200), PACE.SLOW, '20 ticks behind, 8 of them ours');
  t.equal(lag.echoed(22, 2700, 50, 200), PACE.GOOD, 'caught up');
  lag.sent(50, 3000);
  t.equal(lag.elapsed(13_400, 200), PACE.SLOW);
  t.equal(lag.elapsed(13_500, 200), PACE.LOST);
});

t.test('lag: a client that says nothing is given the time of its ping more', async (t) => {
  const lag = new LagMeter(1000, 10_000, 1000);
  lag.sent(1, 0);
  t.equal(lag.elapsed(1900, 0), PACE.GOOD);
  t.equal(lag.elapsed(2100, 0), PACE.SLOW);
  t.equal(lag.elapsed(10_100, 0), PACE.LOST);
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
